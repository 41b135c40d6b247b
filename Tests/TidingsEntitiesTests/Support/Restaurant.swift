import Foundation
import TidingsBroadcast
import TidingsEntities

// What most suites are about: a restaurant, with everything that can be declared.

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
    @Field(.length(0...20)) var note: String?
    @Field(.redacted) var phone: String?
    @Field(.syncExclude) var secret = "kept"
    @Field(.atLeast(0)) var tip: Double?
    @Field(.references(Dish.self)) var specialID: UUID?
    @Field var status: Status
    @Children var items: [OrderItem]
    @Version var version: Int
    @CreatedAt var createdAt: Date
    @UpdatedAt var updatedAt: Date
    @DeletedAt var deletedAt: Date?

    static let broadcast = EntityBroadcast<Order>(
        channels: [.all, .one, .each(\.$table)],
        topicNames: ["status_changed": "MOVED"]
    )
    static var actions: [any EntityAction<Order>.Type] { [MoveTable.self, Hide.self, Merge.self, Tidy.self] }

    func validate(_ faults: inout FieldFaults<Order>) {
        if note == "nonsense" { faults.add(\.$note, "sense", "makes no sense") }
        if note == "chaos" { faults.add("chaos", "is chaos") }
        if items.count > 3 { faults.add("items", "has three items at most") }
    }

    static func check(_ change: EntityChange<Order>, in unit: UnitOfWork) throws {
        if change.new?.note == "refuse" { throw EntityError.refused("no_refusing", "Take another note.") }
        guard change.new?.note == "count and refuse" || change.new?.note == "count" else { return }
        try unit.update(Settings.self) { $0.counted += 1 }
        if change.new?.note == "count and refuse" { throw EntityError.refused("no_refusing", "Take another note.") }
    }

    static func scope(of identity: Identity?) -> EntityScope<Order> {
        if let table = identity?.attributes["table"] { return .where(\.$table, is: table) }
        if identity?.attributes["role"] == "stranger" { return .none }
        if identity?.attributes["role"] == "courier" {
            return .where(\.$table, isOneOf: ["7", "8"]).and(.where(\.$note, is: nil))
        }
        return .all
    }

    static func authorize(_ identity: Identity?, to operation: EntityOperation, _ order: Order?) -> Bool {
        guard let denied = identity?.attributes["denied"] else { return true }
        return !denied.split(separator: " ").contains(Substring(operation.rawValue))
    }
}

/// A dish on an order.
struct OrderItem: Entity {
    @Key var id: UUID
    @Field(.length(1...20), .trimmed) var name: String
    @Field(.range(1...99)) var quantity = 1
    @Field(.syncExclude) var cost = 0
    @Field(.references(Dish.self)) var dishID: UUID?
    @UpdatedAt var updatedAt: Date
}

/// Something that can be ordered.
struct Dish: Entity {
    static let plural = "dishes"

    @Key var id: UUID
    @Field(.unique, .length(1...30)) var name: String
    @Field(.fixed) var course: String?
    @Field(.atLeast(0)) var price = 0
    @Field(.references(Dish.self)) var insteadOfID: UUID?
    @DeletedAt var deletedAt: Date?

    static let broadcast = EntityBroadcast<Dish>(payload: .entity, events: [.created, .updated])
}

/// A place to sit. Its rows go when it is deleted, and it has no version.
struct Seat: Entity {
    @Key var id: UUID
    @Field(.unique) var label: String
    @Field(.references(Seat.self)) var besideID: UUID?
}

/// How the restaurant is run: there is one of it.
struct Settings: Entity {
    static let isSingleton = true

    @Key var id: UUID
    @Field(.length(1...60)) var restaurantName = "Bistro"
    @Field var counted = 0
    @Version(.required) var version: Int
}

// MARK: - Actions

struct MoveTable: EntityAction {
    @Field(.length(1...20), .trimmed) var table: String
    @Field var note: String?

    func perform(on order: inout Order, in unit: UnitOfWork) throws {
        order.table = table
        if let note { try unit.update(Order.self, order.id) { $0.note = note } }
    }
}

/// Takes an order out of the world.
struct Hide: EntityAction {
    func perform(on order: inout Order, in unit: UnitOfWork) throws {
        try unit.delete(Order.self, order.id)
    }
}

/// Takes over the items of another order, which goes.
struct Merge: EntityAction {
    @Field var other: UUID

    func perform(on order: inout Order, in unit: UnitOfWork) throws {
        for item in try unit.get(Order.self, other).items {
            try unit.add(OrderItem.self, to: order) {
                $0.name = item.name
                $0.quantity = item.quantity
            }
        }
        try unit.delete(Order.self, other)
        try unit.record("order.merged", about: order, ["other": .string(other.uuidString.lowercased())])
    }
}

/// Changes nothing.
struct Tidy: EntityAction {
    func perform(on order: inout Order, in unit: UnitOfWork) throws {}
}
