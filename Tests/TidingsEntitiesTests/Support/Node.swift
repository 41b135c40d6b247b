import Logging
import TidingsBroadcast
import TidingsEntities
import TidingsWire

/// A server of a service: entities, and a hub whose clients are told of them.
struct Node: Sendable {
    let bench: Bench
    let hub: BroadcastHub
    let relay: OutboxRelay

    /// - Parameter bench: The entities of another node on the same database, or those of this one.
    init(_ bench: Bench, _ configure: (inout OutboxRelay.Configuration) -> Void = { _ in }) {
        self.bench = bench
        var hubConfiguration = BroadcastHub.Configuration()
        hubConfiguration.delivery = { _ in .stream }
        hubConfiguration.clientMessagesPerSecond = 1_000_000
        hubConfiguration.clientMessageBurst = 1_000_000
        hub = BroadcastHub(configuration: hubConfiguration, logger: .quiet)
        var configuration = OutboxRelay.Configuration()
        configuration.busyInterval = .milliseconds(5)
        configuration.idleInterval = .milliseconds(50)
        configure(&configuration)
        relay = OutboxRelay(entities: bench.entities, hub: hub, configuration: configuration, logger: .quiet)
    }

    /// Waits until everything that was committed is told.
    func settle() async throws {
        // Two that give positions at once leave that to one of them, who may have begun earlier.
        if !bench.entities.store.dialect.stampsOnInsert {
            while try await bench.rows("SELECT 1 FROM sync_outbox WHERE position IS NULL LIMIT 1").first != nil {
                _ = try await bench.entities.store.stampOutbox()
            }
        }
        let newest = try await bench.rows("SELECT MAX(position) FROM sync_outbox").first?[0].integer ?? 0
        await relay.wait { ($0.position?.offset ?? 0) >= UInt64(newest) }
    }

    /// Runs the relay for as long as something lasts.
    func run<Result: Sendable>(_ body: @Sendable (Node) async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await relay.run() }
            defer { group.cancelAll() }
            return try await body(self)
        }
    }
}

extension Logger {
    /// A logger that nobody hears: failures are what these tests are about.
    static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
