import BistroAPI
import Foundation

/// Tells what has changed from one look at the kitchen to the next: one line for each change.
struct KitchenNews {
    private var known: [Order] = []

    mutating func lines(for orders: [Order]) -> [String] {
        let old = Dictionary(known.map { ($0.id, $0) }) { first, _ in first }
        let left = known.filter { order in !orders.contains { $0.id == order.id } }
        known = orders
        let changes = orders.flatMap { order in
            old[order.id].map { Self.differences($0, order) } ?? [Self.arrival(order)]
        }
        return (left.map { "\($0.reference) left" } + changes).map(\.printable)
    }

    private static func arrival(_ order: Order) -> String {
        "\(order.reference) appeared: table \(order.table), \(order.status.rawValue), \(items(order))"
            + (order.note.map { ", note: \($0)" } ?? "")
    }

    private static func differences(_ old: Order, _ new: Order) -> [String] {
        var lines: [String] = []
        if old.status != new.status { lines.append("\(new.status.rawValue)") }
        if old.items != new.items { lines.append("items: \(items(new))") }
        if old.table != new.table { lines.append("table: \(new.table)") }
        if old.note != new.note { lines.append("note: \(new.note ?? "none")") }
        return lines.map { "\(new.reference) \($0)" }
    }

    private static func items(_ order: Order) -> String { order.items.isEmpty ? "no dishes yet" : order.dishes }
}
