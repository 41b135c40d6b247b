import Foundation
import TidingsBroadcast
import TidingsEntities

/// What a table has ordered.
struct Order: Entity {
    enum Status: String, EntityState {
        case open, preparing, ready, served, cancelled

        static let states = EntityStates<Status>(
            initial: .open,
            [.open: [.preparing, .cancelled], .preparing: [.ready, .cancelled], .ready: [.served]]
        )
    }

    @Key var id: UUID
    @Reference("ORD") var reference: String
    @Field(.length(1...20), .trimmed, .indexed) var table: String
    @Field(.length(1...200), .trimmed) var note: String?
    @Field var status: Status
    @Children var items: [OrderItem]
    @Version var version: Int
    @CreatedAt var createdAt: Date
    @UpdatedAt var updatedAt: Date

    static let broadcast = EntityBroadcast<Order>(channels: [.all, .one, .each(\.$table)])

    static func check(_ change: EntityChange<Order>, in unit: UnitOfWork) throws {
        if change.operation == .create, try !unit.reader.get(Settings.self).takesOrders {
            throw EntityError.refused("kitchen_closed", "The kitchen is closed. Open it in the settings.")
        }
        if change.operation == .addChild, change.old?.status.isTerminal == true {
            throw EntityError.refused("order_closed", "The order is closed. Open a new one for the table.")
        }
    }
}

/// A dish on an order.
struct OrderItem: Entity {
    @Key var id: UUID
    @Field(.length(1...60), .trimmed) var name: String
    @Field(.range(1...99)) var quantity = 1
}
