import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import SocketTestSupport
import Synchronization
import TestSupport
import TidingsBroadcast
import TidingsEntities
import TidingsHummingbird
import TidingsSQLite

@testable import bistro

/// The demo's server in this process, to be stopped and started again on the same port and file.
final class RestaurantServer: Sendable {
    private struct Running {
        let group: ServiceGroup
        let task: Task<Void, any Error>
    }

    /// Where it listens.
    let port: Int
    private let folder: TemporaryFolder
    private let store: SQLiteEntityStore
    private let entities: Entities
    private let running = Mutex<Running?>(nil)

    init() async throws {
        folder = try TemporaryFolder()
        port = try FreePort.find()
        store = try SQLiteEntityStore(path: folder.file("orders.sqlite"))
        var configuration = Entities.Configuration()
        configuration.outboxRows = 1_000
        entities = try Entities([Order.self, MenuItem.self, Settings.self], in: store, configuration: configuration)
        try await entities.prepare()
    }

    func start() async throws {
        var hub = BroadcastHub.Configuration()
        hub.drainWindow = .milliseconds(20)
        hub.heartbeatInterval = .seconds(1)
        hub.delivery = entities.channelDelivery()
        let broadcast = WebSocketBroadcastBackend(hub: BroadcastHub(configuration: hub, logger: Self.logger))
        let relay = OutboxRelay(entities: entities, hub: broadcast.hub, logger: Self.logger)
        let router = Router()
        router.addEntities(entities)
        let starts = Inbox<Void>()
        let application = Application(
            router: router,
            broadcast: broadcast,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
            services: [relay],
            onServerRunning: { _ in starts.put(()) },
            logger: Self.logger
        )
        let group = ServiceGroup(
            configuration: .init(services: [application, BroadcastDrain(broadcast)], logger: Self.logger)
        )
        let task = Task {
            defer { starts.end() }
            try await group.run()
        }
        guard try await starts.next() != nil else {
            try await task.value
            throw TestFailure("the server did not start")
        }
        running.withLock { $0 = Running(group: group, task: task) }
    }

    func stop() async throws {
        guard let ending = running.withLock(\.self) else { return }
        await ending.group.triggerGracefulShutdown()
        try await ending.task.value
        running.withLock { $0 = nil }
    }

    /// Stops for good.
    func close() async throws {
        try await stop()
        await store.close()
    }

    private static let logger = Logger(label: "restaurant") { _ in SwiftLogNoOpLogHandler() }
}

// MARK: - What is in the database

extension RestaurantServer {
    /// What happened is forgotten, as after a backup was restored: positions begin anew.
    func loseHistory() async throws {
        try await entities.renewOutbox()
    }

    /// Somebody changes orders without a client.
    func write(_ body: @escaping @Sendable (UnitOfWork) throws -> Void) async throws {
        try await entities.write { try body($0) }
    }

    /// Opens an order; returns its identifier.
    func openOrder(table: String) async throws -> UUID {
        try await entities.write { unit in try unit.insert(Order.self) { $0.table = table }.id }
    }

    /// Notes something on orders, each in a transaction of its own.
    func note(_ text: String, on identifiers: [UUID]) async throws {
        for identifier in identifiers {
            try await entities.write { unit in try unit.update(Order.self, identifier) { $0.note = text } }
        }
    }

    func removeOrder(_ identifier: UUID) async throws {
        try await entities.write { unit in try unit.delete(Order.self, identifier) }
    }
}
