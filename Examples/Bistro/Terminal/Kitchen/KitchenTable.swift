import BistroAPI
import Foundation

/// The orders as a table: a value that knows how wide its columns are.
struct KitchenTable {
    /// One order in words.
    private struct Row {
        var cells: [Column: String]
        var style: StyledLine.Style
        var isUnconfirmed: Bool
    }

    private enum Column: CaseIterable {
        case reference
        case table
        case status
        case age
        case items
        case note

        var title: String {
            switch self {
            case .reference: "ORDER"
            case .table: "TABLE"
            case .status: "STATUS"
            case .age: "AGE"
            case .items: "ITEMS"
            case .note: "NOTE"
            }
        }

        /// How wide it is at most; nil for those that share what is left.
        var mostColumns: Int? {
            switch self {
            case .reference: 12
            case .table: 10
            case .status: 9
            case .age: 10
            case .items, .note: nil
            }
        }
    }

    /// The least that a list of dishes needs.
    private static let leastItems = 16
    private static let gap = 2

    private let rows: [Row]
    private let widths: [(column: Column, width: Int)]

    init(_ orders: [Order], unconfirmed: Set<UUID>, selection: UUID?, columns: Int, at now: Date) {
        rows = orders.map { order in
            Row(
                cells: Self.cells(order, now),
                style: order.id == selection ? .selected : Self.style(order),
                isUnconfirmed: unconfirmed.contains(order.id)
            )
        }
        widths = Self.widths(rows, columns - Self.gap)
    }

    /// The titles of the columns.
    var header: StyledLine {
        StyledLine("  " + text { $0.title }, .quiet)
    }

    /// One line for each order.
    var lines: [StyledLine] {
        rows.map { row in
            StyledLine((row.isUnconfirmed ? "~ " : "  ") + text { row.cells[$0] ?? "" }, row.style)
        }
    }

    private func text(_ cell: (Column) -> String) -> String {
        widths.map { cell($0.column).fitted(to: $0.width) }.joined(separator: String(repeating: " ", count: Self.gap))
    }

    private static func cells(_ order: Order, _ now: Date) -> [Column: String] {
        let cells: [Column: String] = [
            .reference: order.reference.isEmpty ? "…" : order.reference,
            .table: order.table,
            .status: order.status.rawValue,
            .age: Age.text(since: order.createdAt, at: now),
            .items: order.items.isEmpty ? "no dishes yet" : order.dishes,
            .note: order.note ?? "",
        ]
        return cells.mapValues(\.printable)
    }

    private static func style(_ order: Order) -> StyledLine.Style {
        switch order.status {
        case .open: .strong
        case .preparing: .plain
        case .ready: .good
        case .served, .cancelled, .unknown: .quiet
        }
    }

    private static func widths(_ rows: [Row], _ columns: Int) -> [(column: Column, width: Int)] {
        let natural = { (column: Column) in
            rows.map { DisplayWidth.of($0.cells[column] ?? "") }.reduce(DisplayWidth.of(column.title), max)
        }
        var fixed: [(column: Column, width: Int)] = Column.allCases.compactMap { column in
            column.mostColumns.map { (column, min(natural(column), $0)) }
        }
        let used = { fixed.reduce(0) { $0 + $1.width + gap } }
        // On a narrow screen, what can be seen elsewhere goes first.
        for column in [Column.age, .reference] where columns - used() < leastItems {
            fixed.removeAll { $0.column == column }
        }
        return fixed + shared(columns - used(), items: natural(.items), note: natural(.note))
    }

    /// Dishes and notes get what they need; if that is too much, dishes get two thirds of it.
    private static func shared(_ room: Int, items: Int, note: Int) -> [(column: Column, width: Int)] {
        let room = max(room, 0)
        guard room >= leastItems * 2 else { return [(.items, room)] }
        let both = room - gap
        if items + note <= both { return [(.items, items), (.note, both - items)] }
        let forNote = min(note, max(both / 3, both - items))
        return [(.items, both - forNote), (.note, forNote)]
    }
}
