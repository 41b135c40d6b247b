// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import TidingsHTTPTransport

/// What is to change of an order: what is absent stays as it is, and null takes a value away.
public struct OrderUpdate: Codable, Hashable, Sendable {
    public var table: FieldUpdate<String>
    public var note: FieldUpdate<String?>
    /// A change of it is a transition.
    public var status: FieldUpdate<OrderStatus>

    public init(
        table: FieldUpdate<String> = .unchanged,
        note: FieldUpdate<String?> = .unchanged,
        status: FieldUpdate<OrderStatus> = .unchanged
    ) {
        self.table = table
        self.note = note
        self.status = status
    }

    /// Does to an order what the server will do.
    func apply(to order: inout Order) {
        table.apply(to: &order.table)
        note.apply(to: &order.note)
        status.apply(to: &order.status)
    }
}

/// What is to change of an order item.
public struct OrderItemUpdate: Codable, Hashable, Sendable {
    public var name: FieldUpdate<String>
    public var quantity: FieldUpdate<Int>

    public init(name: FieldUpdate<String> = .unchanged, quantity: FieldUpdate<Int> = .unchanged) {
        self.name = name
        self.quantity = quantity
    }

    /// Does to an order item what the server will do.
    func apply(to item: inout OrderItem) {
        name.apply(to: &item.name)
        quantity.apply(to: &item.quantity)
    }
}
