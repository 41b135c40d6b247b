import ArgumentParser
import Foundation
import Hummingbird
import Logging
import TidingsBroadcast
import TidingsEntities
import TidingsHummingbird
import TidingsPostgres
import TidingsSQLite

/// Servers of orders for tests that end servers, and for measurements.
@main
struct EntityServerProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "entity-server",
        abstract: "A server of orders for tests and measurements.",
        subcommands: [Serve.self, Bench.self],
        defaultSubcommand: Serve.self
    )
}

/// A server that dies where it is told to.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve orders; die where one is told to.")

    @Option(help: "The port to listen on; 0 takes a free one.")
    var port = 0

    @Option(help: "The SQLite file, or a PostgreSQL connection string (postgresql://…).")
    var store: String

    @Flag(help: "Do not listen for notifications: other processes' changes are seen at intervals.")
    var deaf = false

    func run() async throws {
        let logger = Logger(label: "entity-server") { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = .error
            return handler
        }
        let store = MortalStore(try Stores.open(store), isDeaf: deaf)
        let entities = try Entities([Order.self], in: store)
        try await entities.prepare()
        var hub = BroadcastHub.Configuration()
        hub.drainWindow = .milliseconds(100)
        let broadcast = WebSocketBroadcastBackend(hub: BroadcastHub(configuration: hub, logger: logger))
        let relay = OutboxRelay(entities: entities, hub: broadcast.hub, logger: logger)
        let endpoints = BroadcastEndpoints()
        relay.register(at: endpoints.readiness)
        let router = Router()
        router.addEntities(entities)
        router.post("/die/:point") { _, context -> HTTPResponse.Status in
            guard let point = context.parameters.get("point").flatMap(MortalStore.Point.init) else { return .notFound }
            store.arm(point)
            return .noContent
        }
        let application = Application(
            router: router,
            broadcast: broadcast,
            endpoints: endpoints,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
            services: [relay],
            onServerRunning: { channel in
                let line = "http://127.0.0.1:\(channel.localAddress?.port ?? 0)/\n"
                FileHandle.standardOutput.write(Data(line.utf8))
            },
            logger: logger
        )
        try await application.runService(draining: broadcast)
    }
}

/// Where orders are kept.
enum Stores {
    /// - Parameter place: A SQLite file, or a PostgreSQL connection string.
    static func open(_ place: String) throws -> any EntityStore {
        guard place.hasPrefix("postgresql://") || place.contains("=") else { return try SQLiteEntityStore(path: place) }
        #if PostgreSQL
        return try PostgresEntityStore(place)
        #else
        throw ValidationError("This program was built without the trait PostgreSQL.")
        #endif
    }
}

/// An order as the tests keep it.
struct Order: Entity {
    enum Status: String, EntityState {
        case open, preparing, ready

        static let states = EntityStates<Status>(initial: .open, [.open: [.preparing], .preparing: [.ready]])
    }

    @Key var id: UUID
    @Field(.length(1...20), .indexed) var table: String
    @Field(.length(0...200)) var note: String?
    @Field var status: Status
    @Version var version: Int
    @CreatedAt var createdAt: Date

    static let broadcast = EntityBroadcast<Order>(channels: [.all, .one, .each(\.$table)])
}
