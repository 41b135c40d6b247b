import Foundation
import GRDB

/// What a table has ordered.
struct Order: Codable, Sendable {
    let id: String
    var table: String
    var status: Status
    var note: String?
    var items: [OrderItem]
    var version: Int
    let createdAt: String
    var updatedAt: String

    enum CodingKeys: String, CodingKey {
        case id, table, status, note, items, version
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    /// Nil is written as `null`, so that clients find every field.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(table, forKey: .table)
        try container.encode(status, forKey: .status)
        try container.encode(note, forKey: .note)
        try container.encode(items, forKey: .items)
        try container.encode(version, forKey: .version)
        try container.encode(createdAt, forKey: .createdAt)
        try container.encode(updatedAt, forKey: .updatedAt)
    }

    /// How far the kitchen is.
    enum Status: String, Codable, Sendable, CaseIterable {
        case open, preparing, ready, served, cancelled

        /// Where an order can go from here.
        var next: [Status] {
            switch self {
            case .open: [.preparing, .cancelled]
            case .preparing: [.ready, .cancelled]
            case .ready: [.served]
            case .served, .cancelled: []
            }
        }
    }
}

/// A dish on an order.
struct OrderItem: Codable, Sendable {
    let id: String
    let name: String
    let quantity: Int
}

/// What it takes to open an order.
struct NewOrder: Decodable, Sendable {
    let table: String
    let note: String?
}

/// What it takes to add a dish.
struct NewOrderItem: Decodable, Sendable {
    let name: String
    let quantity: Int?
}

/// What changes of an order. A note that is not mentioned stays; one that is `null` goes.
struct OrderChange: Decodable, Sendable {
    let table: String?
    let status: Order.Status?
    let note: String??

    private enum CodingKeys: String, CodingKey {
        case table, status, note
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        table = try container.decodeIfPresent(String.self, forKey: .table)
        status = try container.decodeIfPresent(Order.Status.self, forKey: .status)
        note = container.contains(.note) ? .some(try container.decodeIfPresent(String.self, forKey: .note)) : nil
    }
}
