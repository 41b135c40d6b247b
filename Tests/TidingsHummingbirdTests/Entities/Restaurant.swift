import Foundation
import TidingsBroadcast
import TidingsEntities

/// An order as the tests keep it: a waiter sees those of one table.
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
    @Field(.length(0...200)) var note: String?
    @Field(.syncExclude) var margin = 0.5
    @Field var status: Status
    @Children(atMost: 5) var items: [OrderItem]
    @Version var version: Int
    @CreatedAt var createdAt: Date
    @UpdatedAt var updatedAt: Date
    @DeletedAt var deletedAt: Date?

    static let broadcast = EntityBroadcast<Order>(channels: [.all, .one, .each(\.$table)])

    static var actions: [any EntityAction<Order>.Type] { [MoveTable.self, Seat.self] }

    static func scope(of identity: Identity?) -> EntityScope<Order> {
        guard let table = identity?.attributes["table"] else { return .all }
        return .where(\.$table, is: table)
    }

    static func authorize(_ identity: Identity?, to operation: EntityOperation, _ entity: Order?) -> Bool {
        identity?.attributes["role"] != "guest" || [.list, .read].contains(operation)
    }

    static func check(_ change: EntityChange<Order>, in unit: UnitOfWork) throws {
        if change.operation == .addChild, change.old?.status.isTerminal == true {
            throw EntityError.refused("order_closed", "The order is closed.")
        }
    }
}

/// A dish on an order.
struct OrderItem: Entity {
    @Key var id: UUID
    @Field(.length(1...60), .trimmed) var name: String
    @Field(.range(1...99)) var quantity = 1

    static func authorize(_ identity: Identity?, to operation: EntityOperation, _ item: OrderItem?) -> Bool {
        item?.name != "Secret"
    }
}

/// Somebody who comes again.
struct Guest: Entity {
    @Key var id: UUID
    @Field(.length(1...60)) var name: String
    @Version var version: Int
}

/// Notes where a guest sits, and is too late.
struct Seat: EntityAction {
    @Field var guest: UUID

    func perform(on order: inout Order, in unit: UnitOfWork) throws {
        try unit.update(Guest.self, guest, ifVersion: 99) { $0.name = "Somebody" }
    }
}

/// The guests sit down elsewhere.
struct MoveTable: EntityAction {
    @Field(.length(1...20)) var table: String

    func perform(on order: inout Order, in unit: UnitOfWork) throws {
        order.table = table
    }
}

/// How the restaurant is run.
struct Settings: Entity {
    static let isSingleton = true

    @Key var id: UUID
    @Field var takesOrders = true
    @Version(.required) var version: Int
}
