import BistroAPI
import Foundation

/// A part of an order that can be changed on its own. Its value is a text, so that all can be compared and shown alike.
enum OrderField: Hashable, Sendable {
    case table
    /// The empty text is no note.
    case note
    case status
    /// The quantity of a dish; "0" is that it is not there.
    case item(UUID)

    /// What it is in an order.
    func value(in order: Order) -> String {
        switch self {
        case .table: order.table
        case .note: order.note ?? ""
        case .status: order.status.rawValue
        case .item(let id): String(order.items.first { $0.id == id }?.quantity ?? 0)
        }
    }

    /// What it is called, given orders that have it.
    func name(in orders: Order...) -> String {
        switch self {
        case .table: "table"
        case .note: "note"
        case .status: "status"
        case .item(let id): orders.lazy.flatMap(\.items).first { $0.id == id }?.name ?? "dish"
        }
    }

    /// A value as people read it.
    func text(_ value: String) -> String {
        switch (self, value) {
        case (.note, ""): "none"
        case (.item, "0"): "removed"
        case (.item, _): "\(value) ×"
        default: value
        }
    }

    /// Everything that two orders have.
    static func all(of orders: Order...) -> [OrderField] {
        var fields: [OrderField] = [.table, .note, .status]
        for item in orders.flatMap(\.items) where !fields.contains(.item(item.id)) { fields.append(.item(item.id)) }
        return fields
    }
}
