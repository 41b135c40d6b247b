import ArgumentParser
import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import TidingsBroadcast
import TidingsClient
import TidingsEntities
import TidingsHummingbird

/// How long it takes from a commit to a frame at a client, and how many changes a second there can be.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure the way from a commit to a client, and changes a second."
    )

    @Option(help: "The SQLite file, or a PostgreSQL connection string.")
    var store: String

    @Option(help: "Commits a second on the way to clients.")
    var rate = 200

    @Option(help: "Seconds that each part takes.")
    var seconds = 10

    @Option(help: "Clients that hear every change.")
    var clients = 10

    @Option(help: "Tasks that change at the same time.")
    var writers = 8

    func run() async throws {
        let store = try Stores.open(store)
        let entities = try Entities([Order.self], in: store)
        try await entities.prepare()
        try await measureWay(entities)
        try await measureChanges(entities)
        await store.close()
    }

    private static let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
}

// MARK: - From a commit to a client

extension Bench {
    private func measureWay(_ entities: Entities) async throws {
        let broadcast = WebSocketBroadcastBackend(hub: BroadcastHub(logger: Self.logger))
        let relay = OutboxRelay(entities: entities, hub: broadcast.hub, logger: Self.logger)
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: Router(),
            broadcast: broadcast,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            services: [relay],
            onServerRunning: { port.yield($0.localAddress?.port ?? 0) },
            logger: Self.logger
        )
        let group = ServiceGroup(configuration: .init(services: [application], logger: Self.logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await port in ports {
                try await report(entities, broadcast, port: port)
                break
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private func report(_ entities: Entities, _ broadcast: WebSocketBroadcastBackend, port: Int) async throws {
        let watch = Stopwatch()
        var configuration = BroadcastClient.Configuration()
        configuration.logger = Self.logger
        var listeners: [(BroadcastClient, BroadcastClient.Subscription)] = []
        for _ in 0..<clients {
            let client = try BroadcastClient(
                url: "ws://127.0.0.1:\(port)/ws/broadcast",
                configuration: configuration
            )
            let subscription = client.subscribe(to: "order") { event in
                if let id = event.payload.entityID { watch.arrived(id) }
            }
            client.connect()
            listeners.append((client, subscription))
        }
        while broadcast.hub.subscriberCount(of: "order") < clients { try await Task.sleep(for: .milliseconds(10)) }
        let clock = ContinuousClock()
        let start = clock.now
        for number in 0..<(rate * seconds) {
            try await clock.sleep(until: start + .seconds(number) / rate)
            let id = UUID()
            try await entities.write { unit in
                try unit.insert(Order.self, id: id) { $0.table = "7" }
                watch.commits(id.uuidString.lowercased())
            }
            watch.committed(id.uuidString.lowercased())
        }
        let deadline = clock.now + .seconds(10)
        while watch.count < rate * seconds * clients, clock.now < deadline {
            try await Task.sleep(for: .milliseconds(10))
        }
        for (client, subscription) in listeners {
            subscription.cancel()
            client.disconnect()
        }
        print("\(rate) commits a second, \(clients) clients, \(watch.count) of \(rate * seconds * clients) frames")
        print("  from before COMMIT to the frame:  \(watch.fromBegin)")
        print("  from the commit's end to the frame: \(watch.fromEnd)")
    }
}

/// When changes were committed and when clients heard of them.
private final class Stopwatch: Sendable {
    private struct State {
        var begins: [String: ContinuousClock.Instant] = [:]
        var ends: [String: ContinuousClock.Instant] = [:]
        var arrivals: [(id: String, time: ContinuousClock.Instant)] = []
    }

    private let state = Mutex(State())

    func commits(_ id: String) { state.withLock { $0.begins[id] = .now } }
    func committed(_ id: String) { state.withLock { $0.ends[id] = .now } }
    func arrived(_ id: String) { state.withLock { $0.arrivals.append((id, .now)) } }

    var count: Int { state.withLock { $0.arrivals.count } }
    var fromBegin: Quantiles { quantiles { $0.begins } }
    var fromEnd: Quantiles { quantiles { $0.ends } }

    private func quantiles(_ starts: (State) -> [String: ContinuousClock.Instant]) -> Quantiles {
        state.withLock { state in
            let starts = starts(state)
            return Quantiles(state.arrivals.compactMap { arrival in starts[arrival.id].map { arrival.time - $0 } })
        }
    }
}

/// The middle and the end of durations.
private struct Quantiles: CustomStringConvertible {
    private let sorted: [Duration]

    init(_ durations: [Duration]) {
        sorted = durations.sorted()
    }

    private func text(_ part: Double) -> String {
        guard let last = sorted.indices.last else { return "-" }
        let duration = sorted[min(last, Int(Double(sorted.count) * part))]
        return String(format: "%.2f ms", duration / .milliseconds(1))
    }

    var description: String { "median \(text(0.5)), p99 \(text(0.99)), max \(text(1))" }
}

// MARK: - Changes a second

extension Bench {
    private func measureChanges(_ entities: Entities) async throws {
        let ids = try await entities.write { unit in
            try (0..<writers).map { _ in try unit.insert(Order.self) { $0.table = "7" }.id }
        }
        for parallel in Set([1, writers]).sorted() {
            let whole = try await changes(by: parallel) { writer, number in
                try await entities.write { unit in
                    _ = try unit.update(Order.self, ids[writer]) { $0.note = "\(number)" }
                }
            }
            let bare = try await changes(by: parallel) { writer, number in
                _ = try await entities.store.write { connection in
                    try connection.execute(
                        "UPDATE orders SET note = ?, version = version + 1 WHERE id = ? RETURNING version",
                        [.text("\(number)"), .uuid(ids[writer])]
                    )
                }
            }
            let ratio = String(format: "%.2f", Double(whole) / Double(max(bare, 1)))
            print("\(parallel) writer(s): \(whole) changes a second with audit and outbox, \(bare) without (\(ratio))")
        }
    }

    private func changes(
        by writers: Int,
        _ change: @escaping @Sendable (_ writer: Int, _ number: Int) async throws -> Void
    ) async throws -> Int {
        let end = ContinuousClock.now + .seconds(seconds)
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for writer in 0..<writers {
                group.addTask {
                    var number = 0
                    while ContinuousClock.now < end {
                        try await change(writer, number)
                        number += 1
                    }
                    return number
                }
            }
            return try await group.reduce(0, +)
        }
        return count / seconds
    }
}
