import BistroAPI
import Foundation
import TidingsSync

/// What the kitchen's screen shows, and which order is chosen.
struct KitchenBoard {
    /// Which tables are shown; all if there are none.
    let tables: [String]
    /// The oldest first.
    private(set) var orders: [Order] = []
    private(set) var selection: UUID?
    /// The orders of which something is not confirmed.
    var unconfirmed: Set<UUID> = []
    var connection: BroadcastClient.State = .connecting
    /// Why what is shown may not be right; nil if it is.
    var trouble: String?
    /// What was last to be said; nil for nothing.
    var message: String?
    /// Whether there are more orders than were asked for.
    var hasMore = false
    var hasKeyboard = true

    init(tables: [String]) {
        self.tables = tables
    }

    mutating func show(_ orders: [Order]) {
        let index = selectedIndex
        self.orders = orders
        // When an order leaves, the one that comes to its place is chosen.
        if selectedIndex == nil {
            selection = index.flatMap { orders.isEmpty ? nil : orders[min($0, orders.count - 1)].id }
        }
    }

    /// Chooses the next order, or the one before.
    mutating func move(by step: Int) {
        message = nil
        guard !orders.isEmpty else { return }
        let index = selectedIndex.map { $0 + step } ?? (step > 0 ? 0 : orders.count - 1)
        selection = orders[min(max(index, 0), orders.count - 1)].id
    }

    /// The chosen order and where it goes next; nil, and a message, if there is nothing to do.
    mutating func advance() -> (order: Order, status: OrderStatus)? {
        message = nil
        guard let order = selectedIndex.map({ orders[$0] }) else {
            message = orders.isEmpty ? "There is nothing to do." : "Choose an order with ↑ and ↓."
            return nil
        }
        guard !unconfirmed.contains(order.id) else {
            // The second press of two quick ones would hit the step after the next.
            message = "\(order.name) is on its way already."
            return nil
        }
        guard let status = order.status.transitions.first else { return nil }
        return (order, status)
    }

    private var selectedIndex: Int? { selection.flatMap { id in orders.firstIndex { $0.id == id } } }

    // MARK: - The frame

    func frame(on size: TerminalSize, at now: Date) -> [StyledLine] {
        let table = KitchenTable(
            orders,
            unconfirmed: unconfirmed,
            selection: hasKeyboard ? selection : nil,
            columns: size.columns,
            at: now
        )
        let room = max(size.rows - 3, 0)
        let visible = visible(room)
        var lines = [heading(visible, size.columns), table.header]
        lines += orders.isEmpty ? ["  Nothing to cook."] : Array(table.lines[visible])
        lines += Array(repeating: StyledLine(), count: max(size.rows - 1 - lines.count, 0))
        return Array(lines.prefix(max(size.rows - 1, 0))) + [status]
    }

    /// Which rows are on the screen: the chosen one is always there.
    private func visible(_ room: Int) -> Range<Int> {
        let count = min(room, orders.count)
        let first = min(max((selectedIndex ?? 0) - count + 1, 0), orders.count - count)
        return first..<first + count
    }

    private func heading(_ visible: Range<Int>, _ columns: Int) -> StyledLine {
        let corner = ConnectionText.line(connection)
        var title = StyledLine("Kitchen", .strong)
        if !tables.isEmpty { title.append("  table \(tables.joined(separator: ", "))") }
        title.append("  " + count(visible), .quiet)
        return title.fitted(to: max(columns - corner.width - 1, 0)) + " " + corner
    }

    private func count(_ visible: Range<Int>) -> String {
        let total =
            hasMore ? "more than \(orders.count) orders" : orders.count == 1 ? "1 order" : "\(orders.count) orders"
        return visible.count < orders.count ? "\(visible.lowerBound + 1)–\(visible.upperBound) of \(total)" : total
    }

    private var status: StyledLine {
        if let message { return StyledLine(message, .bad) }
        if let trouble { return StyledLine("Not up to date: \(trouble)", .bad) }
        let hints = hasKeyboard ? ["↑↓ choose", "enter next state", "q quit"] : []
        let marks = unconfirmed.isEmpty ? [] : ["~ not confirmed yet"]
        return StyledLine((hints + marks).joined(separator: "   "), .quiet)
    }
}
