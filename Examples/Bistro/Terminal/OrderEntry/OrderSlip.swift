import BistroAPI

/// An order that is being taken, as it is shown: what is not confirmed is marked.
struct OrderSlip {
    let table: String
    /// What is shown, changes that are not confirmed included; nil if there is nothing.
    let order: Order?
    /// What the server is known to have.
    let confirmed: Order?

    var lines: [StyledLine] {
        guard let order else {
            return [StyledLine("Table \(table): nothing ordered yet. Type a dish, such as `burger 2`.", .quiet)]
        }
        let title = "Table \(order.table)" + (order.reference.isEmpty ? "" : "  \(order.reference)")
        var lines = [mark(confirmed != nil) + StyledLine(title, .strong) + StyledLine("  \(order.status.rawValue)")]
        if let note = order.note { lines.append(mark(confirmed?.note == note) + StyledLine("Note: \(note)")) }
        for (index, item) in order.items.enumerated() {
            let isConfirmed = confirmed?.items.contains(item) ?? false
            lines.append(mark(isConfirmed) + StyledLine("\(index + 1)  \(item.quantity) × \(item.name)"))
        }
        if confirmed != order { lines.append(StyledLine("~ not confirmed yet", .quiet)) }
        return lines
    }

    private func mark(_ isConfirmed: Bool) -> StyledLine {
        isConfirmed ? "  " : StyledLine("~ ", .working)
    }
}
