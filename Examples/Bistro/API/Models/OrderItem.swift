// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import Foundation

/// One order item.
public struct OrderItem: Codable, Hashable, Identifiable, Sendable {
    public let id: UUID
    public var name: String
    public var quantity: Int

    public init(id: UUID, name: String, quantity: Int) {
        self.id = id
        self.name = name
        self.quantity = quantity
    }
}

/// What a new order item begins with.
public struct OrderItemCreate: Codable, Hashable, Sendable {
    /// Chosen by the client.
    public var id: UUID
    public var name: String
    public var quantity: Int

    public init(id: UUID = UUID(), name: String, quantity: Int = 1) {
        self.id = id
        self.name = name
        self.quantity = quantity
    }

    /// What is shown until the server has answered.
    var placeholder: OrderItem { OrderItem(id: id, name: name, quantity: quantity) }
}
