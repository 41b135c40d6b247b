import FoundationEssentials
import TidingsBroadcast
import TidingsEntities
import TidingsWire

/// Entities that have something of everything that a description tells.
enum DescribedRestaurant {
    enum Status: String, EntityState {
        case open, preparing, ready, served, cancelled

        static let states = EntityStates<Status>(
            initial: .open,
            [
                .open: [.preparing, .cancelled],
                .preparing: [.ready, .cancelled],
                .ready: [.served],
            ]
        )
    }

    enum Course: String, FieldChoice {
        case starter, main, dessert
    }

    struct Order: Entity {
        @Key var id: UUID
        @Reference("ORD") var reference: String
        @Field(.length(1...20), .trimmed) var table: String
        @Field(.length(0...200)) var note: String?
        @Field(.pattern("[^@]+@[^@]+")) var email: String?
        @Field(.fixed) var source = "counter"
        @Field var status: Status
        @Field(.syncExclude) var marginNote: String?
        @Children var items: [OrderItem]
        @Version(.required) var version: Int
        @CreatedAt var createdAt: Date
        @UpdatedAt var updatedAt: Date

        static let broadcast = EntityBroadcast<Order>(channels: [.all, .one, .each(\.$table)])
        static let actions: [any EntityAction<Order>.Type] = [MoveTable.self, CloseOrder.self]
    }

    struct OrderItem: Entity {
        @Key var id: UUID
        @Field(.references(MenuItem.self)) var menuItemID: UUID
        @Field(.range(1...99)) var quantity = 1
        @Field var course: Course?
        @Field(.syncExclude) var purchasePrice: Double?
    }

    struct MoveTable: EntityAction {
        @Field(.length(1...20)) var table: String
        @Field var course = Course.main

        func perform(on order: inout Order, in unit: UnitOfWork) throws { order.table = table }
    }

    struct CloseOrder: EntityAction {
        func perform(on order: inout Order, in unit: UnitOfWork) throws { order.status = .served }
    }

    struct MenuItem: Entity {
        @Key var id: UUID
        @Field(.length(1...80), .unique) var name: String
        @Field(.atLeast(0)) var price: Double
        @Field var course: Course
        @Field var isAvailable = true
        @Version var version: Int
        @DeletedAt var deletedAt: Date?

        static let broadcast = EntityBroadcast<MenuItem>(
            channels: [.all],
            payload: .entity,
            delivery: .stream,
            events: [.created, .updated, "sold_out"]
        )
    }

    struct Settings: Entity {
        @Key var id: UUID
        @Field var motto = "Slow food"
        @Field(.range(0...0.5)) var tip = 0.1
        @Field var opensAt: Date?

        static let isSingleton = true
    }

    static let entities: [any Entity.Type] = [Order.self, MenuItem.self, Settings.self]
}

/// A store for tests that look at declarations only.
struct UnusedStore: EntityStore {
    let dialect = SQLDialect(
        name: "none",
        countedKey: "",
        isSame: "IS",
        lockingClause: "",
        stampsOnInsert: true
    ) { _ in "" }

    func read<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws -> Result {
        throw StoreError(.unavailable, "There is no database.")
    }

    func write<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws -> Result {
        throw StoreError(.unavailable, "There is no database.")
    }

    func stampOutbox() async throws -> Bool { false }
    func watchOutbox(_ changed: @escaping @Sendable () -> Void) async {}
    func close() async {}
}
