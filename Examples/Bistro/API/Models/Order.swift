// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import Foundation

/// One order.
public struct Order: Codable, Hashable, Identifiable, Sendable {
    public let id: UUID
    /// A number for people.
    public let reference: String
    public var table: String
    public var note: String?
    public var status: OrderStatus
    /// Counts the changes, from 1.
    public let version: Int
    /// When it was created.
    public let createdAt: Date
    /// When it was last changed.
    public let updatedAt: Date
    public var items: [OrderItem]

    public init(
        id: UUID,
        reference: String,
        table: String,
        note: String?,
        status: OrderStatus,
        version: Int,
        createdAt: Date,
        updatedAt: Date,
        items: [OrderItem]
    ) {
        self.id = id
        self.reference = reference
        self.table = table
        self.note = note
        self.status = status
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.items = items
    }

    enum CodingKeys: String, CodingKey {
        case id, reference, table, note, status, version, items
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }
}

/// Where an order is.
public enum OrderStatus: RawRepresentable, Codable, Hashable, Sendable {
    case open
    case preparing
    case ready
    case served
    case cancelled
    /// One that this version does not know.
    case unknown(String)

    public init(rawValue: String) {
        switch rawValue {
        case "open": self = .open
        case "preparing": self = .preparing
        case "ready": self = .ready
        case "served": self = .served
        case "cancelled": self = .cancelled
        default: self = .unknown(rawValue)
        }
    }

    public var rawValue: String {
        switch self {
        case .open: "open"
        case .preparing: "preparing"
        case .ready: "ready"
        case .served: "served"
        case .cancelled: "cancelled"
        case .unknown(let value): value
        }
    }

    /// The states that can follow.
    public var transitions: [OrderStatus] {
        switch self {
        case .open: [.preparing, .cancelled]
        case .preparing: [.ready, .cancelled]
        case .ready: [.served]
        case .served, .cancelled, .unknown: []
        }
    }
}

/// A page of orders.
public struct OrderList: Codable, Hashable, Sendable {
    public var items: [Order]
    /// The `cursor` of the next page; null on the last one.
    public var nextCursor: String?

    public init(items: [Order], nextCursor: String?) {
        self.items = items
        self.nextCursor = nextCursor
    }

    enum CodingKeys: String, CodingKey {
        case items
        case nextCursor = "next_cursor"
    }
}

/// What a new order begins with.
public struct OrderCreate: Codable, Hashable, Sendable {
    /// Chosen by the client.
    public var id: UUID
    public var table: String
    public var note: String?

    public init(id: UUID = UUID(), table: String, note: String? = nil) {
        self.id = id
        self.table = table
        self.note = note
    }

    /// What is shown until the server has answered.
    var placeholder: Order {
        let now = Date()
        return Order(
            id: id,
            reference: "",
            table: table,
            note: note,
            status: .open,
            version: 0,
            createdAt: now,
            updatedAt: now,
            items: []
        )
    }
}
