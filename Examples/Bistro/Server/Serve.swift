import ArgumentParser
import Foundation
import Hummingbird
import Logging
import NIOCore
import TidingsBroadcast
import TidingsEntities
import TidingsHummingbird
import TidingsPostgres
import TidingsSQLite

/// `bistro serve`: the restaurant's server.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve the orders, the page and the broadcasts.",
        discussion: """
            Examples:
              bistro serve
              bistro serve --port 8099 --database /var/lib/bistro.sqlite
            """
    )

    @Option(help: "The address to listen on.")
    var hostname = "127.0.0.1"

    @Option(help: "The port to listen on; 0 takes a free one.")
    var port = 8080

    @Option(help: "The SQLite file of the orders. It is made and filled with a few orders if it does not exist.")
    var database: String?

    @Option(help: "A PostgreSQL connection string; the data is kept there instead.")
    var postgres: String?

    mutating func validate() throws {
        guard database == nil || postgres == nil else {
            throw ValidationError("Name --database or --postgres, not both.")
        }
        guard (0...65_535).contains(port) else { throw ValidationError("A port is 0–65535, not \(port).") }
    }

    func run() async throws {
        let (store, place) = try makeStore()
        let entities = try Entities([Order.self, MenuItem.self, Settings.self], in: store)
        try await entities.prepare()
        try await Opening.fill(entities)

        var hub = BroadcastHub.Configuration()
        hub.drainWindow = .seconds(1)
        hub.delivery = entities.channelDelivery()
        let broadcast = WebSocketBroadcastBackend(hub: BroadcastHub(configuration: hub, logger: Self.logger))
        let relay = OutboxRelay(entities: entities, hub: broadcast.hub, logger: Self.logger)
        let endpoints = BroadcastEndpoints()
        let logger = Self.logger
        relay.register(at: endpoints.readiness)
        let router = Router()
        router.add(middleware: PageHeaders())
        router.add(middleware: FileMiddleware(Self.files + "/Public", searchForIndexHtml: true, logger: logger))
        router.add(middleware: FileMiddleware(Self.files, logger: logger))
        var entityEndpoints = EntityEndpoints()
        entityEndpoints.openAPIInfo = OpenAPIDocument.Info(title: "Bistro", version: "1")
        router.addEntities(entities, endpoints: entityEndpoints)

        let application = Application(
            router: router,
            broadcast: broadcast,
            endpoints: endpoints,
            configuration: ApplicationConfiguration(address: .hostname(hostname, port: port)),
            services: [relay],
            onServerRunning: { channel in
                Self.welcome(port: channel.localAddress?.port ?? port, hostname: hostname, database: place)
            },
            logger: logger
        )
        do {
            try await application.runService(draining: broadcast)
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw ValidationError("Port \(port) is in use. Choose another one: --port \(port + 1)")
        }
    }

    /// Where the restaurant is kept, and what people call that place.
    private func makeStore() throws -> (store: any EntityStore, place: String) {
        if let postgres {
            #if PostgreSQL
            return (try PostgresEntityStore(postgres, logger: Self.logger), "PostgreSQL")
            #else
            throw ValidationError(
                "This program was built without the trait PostgreSQL: build with --traits PostgreSQL."
            )
            #endif
        }
        let path = try database ?? Self.temporaryDatabase()
        return (try SQLiteEntityStore(path: path), path)
    }

    /// The page and the browser's side of Tidings.
    private static var files: String { Bundle.module.bundleURL.path }

    private static var logger: Logger {
        Logger(label: "bistro") { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = .warning
            return handler
        }
    }

    /// A folder of this user's own: nobody else can put a file there beforehand.
    private static func temporaryDatabase() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bistro-\(getuid())")
        try FileManager.default.createDirectory(
            at: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        return folder.appendingPathComponent("bistro.sqlite").path
    }

    private static func welcome(port: Int, hostname: String, database: String) {
        let site = "\(hostname):\(port)"
        let text = """
            Bistro is open.

              Open       http://\(site)/  in two windows
              Try        add an order in one and watch the other
              Listen     swift run tidings listen ws://\(site)/ws/broadcast order
              Change     curl -X POST http://\(site)/orders -H 'Content-Type: application/json' -d '{"table": "7"}'
              Database   \(database)

            Stop with Ctrl-C. Start it again: every screen comes back by itself.

            """
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}
