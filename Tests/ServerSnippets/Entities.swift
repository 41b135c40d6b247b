import Foundation
import Hummingbird
import TidingsBroadcast
import TidingsEntities
import TidingsHummingbird
import TidingsPostgres
import TidingsSQLite

// snippet: order
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
    @Field(.length(1...200)) var note: String?
    @Field var status: Status
    @Children var items: [OrderItem]
    @Version var version: Int
    @CreatedAt var createdAt: Date
    @UpdatedAt var updatedAt: Date

    static let broadcast = EntityBroadcast<Order>(channels: [.all, .one, .each(\.$table)])
}

struct OrderItem: Entity {
    @Key var id: UUID
    @Field(.length(1...60)) var name: String
    @Field(.range(1...99)) var quantity = 1
}
// end

// snippet: settings
struct Settings: Entity {
    static let isSingleton = true

    @Key var id: UUID
    @Field var takesOrders = true
    @Version(.required) var version: Int
}
// end

func serve() async throws {
    // snippet: serve
    let store = try SQLiteEntityStore(path: "restaurant.sqlite")
    let entities = try Entities([Order.self, Settings.self], in: store)
    try await entities.prepare()

    let broadcast = WebSocketBroadcastBackend()
    let relay = OutboxRelay(entities: entities, hub: broadcast.hub)
    let router = Router()
    router.addEntities(entities)
    let application = Application(router: router, broadcast: broadcast, services: [relay])
    try await application.runService(draining: broadcast)
    // end
}

#if PostgreSQL
func connect() throws -> any EntityStore {
    // snippet: postgres
    let store = try PostgresEntityStore("postgresql://bistro@db.example.org/bistro?sslmode=verify-full")
    // end
    return store
}
#endif

func closeTable(_ entities: Entities, _ table: String, as waiter: Identity) async throws -> Int {
    // snippet: unit
    let served = try await entities.write(as: ChangeContext(identity: waiter)) { unit in
        let orders = try unit.find(Order.self, where: \.$table, is: table)
        for order in orders where order.status == .ready {
            try unit.transition(Order.self, order.id, to: Order.Status.served)
            try unit.record("order.paid", about: order, ["method": "card"])
            try unit.tell("paid", about: order)
        }
        return orders.count
    }
    // end
    return served
}

struct Booking: Entity {
    @Key var id: UUID
    @Field(.references(Guest.self)) var guestID: UUID
    @Field(.indexed) var table: String
    @Field var begin: Date
    @Field var end: Date
    @Field(.syncExclude) var score = 0.5
    @Field(.redacted) var phone: String?
    @Version var version: Int

    // snippet: validate
    func validate(_ faults: inout FieldFaults<Booking>) {
        if end <= begin { faults.add(\.$end, "order", "is after the begin") }
    }
    // end

    // snippet: check
    static func check(_ change: EntityChange<Booking>, in unit: UnitOfWork) throws {
        if change.operation == .create, try !unit.reader.get(Settings.self).takesOrders {
            throw EntityError.refused("closed", "The restaurant is closed. Open it in the settings.")
        }
    }
    // end

    // snippet: scope
    static func scope(of identity: Identity?) -> EntityScope<Booking> {
        guard let table = identity?.attributes["table"] else { return .all }
        return .where(\.$table, is: table)
    }

    static func authorize(_ identity: Identity?, to operation: EntityOperation, _ booking: Booking?) -> Bool {
        operation != .delete || identity?.attributes["role"] == "manager"
    }
    // end

    // snippet: actions
    static var actions: [any EntityAction<Booking>.Type] { [MoveTable.self] }
    // end
}

// snippet: action
struct MoveTable: EntityAction {
    @Field(.length(1...20)) var table: String

    func perform(on booking: inout Booking, in unit: UnitOfWork) throws {
        booking.table = table
    }
}
// end

struct Guest: Entity {
    @Key var id: UUID
    @Field(.length(1...100)) var name: String
}

func authenticate(
    _ entities: Entities,
    _ router: Router<BasicRequestContext>
) async throws -> BroadcastHub.Configuration {
    // snippet: identity
    let authenticator = try await JWTAuthenticator(keys: .file("keys.json"))
    var endpoints = EntityEndpoints()
    endpoints.authenticator = authenticator
    router.addEntities(entities, endpoints: endpoints)

    var hub = BroadcastHub.Configuration()
    hub.authenticator = authenticator
    hub.policy = entities.channelPolicy()
    // end
    return hub
}

/// Stands for whatever sends mails.
protocol Mail: Sendable {
    func send(about order: String) async throws
}

func subscribe(_ entities: Entities, _ mail: any Mail) -> OutboxSubscription {
    // snippet: subscription
    let mailer = OutboxSubscription("mailer", of: entities) { event in
        guard event.entityType == "order", event.name == "created" else { return }
        try await mail.send(about: event.entityID)
    }
    // end
    return mailer
}
