import RedisTestSupport
import SocketTestSupport
import Synchronization
import TestSupport
import Testing
import TidingsBroadcast
import TidingsRedis
import TidingsTesting
import TidingsWire

@Suite("Feeds of several nodes on one Redis", .needsRedis, .timeLimit(.patience))
struct SharedFeedTests {
    /// What the sources of all nodes find.
    private final class Source: Sendable {
        private let value = Mutex(1)

        func find() -> Int { value.withLock { $0 } }
        func set(_ value: Int) { self.value.withLock { $0 = value } }
    }

    /// The feeds of one node, on a clock that moves only when a test says so.
    private struct NodeFeeds {
        let clock = CountingClock()
        let registry: FeedRegistry

        init(of node: TestNode) {
            var configuration = FeedRegistry.Configuration()
            configuration.jitter = 0
            registry = FeedRegistry(node.broadcast, configuration: configuration, clock: clock, logger: quiet)
        }

        /// Waits until the feed sleeps for the first time: its first poll has ended.
        func begin() async throws {
            try await eventually("polled") { clock.sleeps > 0 }
        }

        /// Lets the feed poll once, and waits until it sleeps again.
        func poll() async throws {
            let sleeps = clock.sleeps
            clock.advance(by: .seconds(5))
            try await eventually("polled") { clock.sleeps > sleeps }
        }
    }

    private func run<Result: Sendable>(
        _ feeds: [NodeFeeds],
        _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for feed in feeds { group.addTask { try await feed.registry.run() } }
            defer { group.cancelAll() }
            return try await body()
        }
    }

    private func value(of event: BroadcastEvent) throws -> Int? {
        try event.payload.decode([String: Int].self)["data"]
    }

    @Test("what one node has told no other tells again, whether it has listeners of its own or not", arguments: [0, 1])
    func once(listening: Int) async throws {
        let (configuration, source) = (try await SharedRedis.configuration(), Source())
        try await withNodes([configuration, configuration]) { nodes in
            let feeds = nodes.map(NodeFeeds.init)
            for feed in feeds { try feed.registry.declare("load", .polling { source.find() }) }
            let client = try await nodes[listening].connect()
            try await client.subscribe("feed:load")
            try await run([feeds[0]]) {
                #expect(try value(of: try await client.event()) == 1)
                try await feeds[0].begin()
                try await run([feeds[1]]) {
                    try await feeds[1].begin()
                    for next in 2...4 {
                        source.set(next)
                        try await feeds[0].poll()
                        // Heard by now on the node that has the listener.
                        #expect(try value(of: try await client.event()) == next)
                        try await feeds[1].poll()
                    }
                }
            }
            #expect(feeds.map { $0.registry.statuses[0].broadcasts } == [4, 0])
        }
    }

    @Test("who listened while the connection was away is told the value of meanwhile when it is back")
    func afterLoss() async throws {
        let server = try await SharedRedis.server
        let proxy = try await FaultyProxy(to: server.port, marking: "SUBSCRIBE")
        let direct = try await SharedRedis.configuration()
        var configuration = direct
        configuration.endpoints = [.host("127.0.0.1", port: proxy.port)]
        try await withNodes([configuration, direct]) { nodes in
            let feeds = nodes.map(NodeFeeds.init)
            let senders = try feeds.map { try $0.registry.declare("queue", .events(of: Int.self)) }
            try await run(feeds) {
                let client = try await nodes[0].connect()
                try await client.subscribe("feed:queue")
                try await senders[1].send(1)
                #expect(try value(of: try await client.event()) == 1)
                proxy.refuse()
                proxy.cut()
                try await nodes[0].wait(for: "noticed") { !$0.isConnected }
                try await senders[1].send(2)
                proxy.heal()
                #expect(try await client.event().staleReason == .backendRestored)
                let event = try await client.event()
                #expect(try value(of: event) == 2)
                #expect(event.position != nil)
                try await senders[1].send(3)
                #expect(try value(of: try await client.event()) == 3)
            }
        }
        proxy.close()
    }

    @Test("the last value outlives the history, for who comes much later to another node")
    func lasting() async throws {
        let (server, configuration) = (try await SharedRedis.server, try await SharedRedis.configuration())
        try await withNodes([configuration]) { nodes in
            let queue = try NodeFeeds(of: nodes[0]).registry.declare("queue", .events(of: Int.self))
            try await queue.send(1)
            try await nodes[0].broadcast.broadcast("updated", on: "order")
            func seconds(_ channel: String) async throws -> Int {
                let answer = try await server.run("ttl", "\(configuration.prefix)events:\(channel)")
                return try #require(Int(answer.split(separator: "\n").last ?? ""))
            }
            #expect(try await seconds("order") < 3600)
            #expect(try await seconds("feed:queue") > 100 * 24 * 3600)
        }
    }
}

/// A clock that moves only when a test says so, and counts who sleeps on it.
private final class CountingClock: Clock, Sendable {
    private let base = ManualClock()
    private let begun = Mutex(0)

    var now: ManualClock.Instant { base.now }
    var minimumResolution: Duration { base.minimumResolution }
    /// How often somebody began to sleep.
    var sleeps: Int { begun.withLock { $0 } }

    func advance(by duration: Duration) { base.advance(by: duration) }

    func sleep(until deadline: ManualClock.Instant, tolerance: Duration?) async throws {
        begun.withLock { $0 += 1 }
        try await base.sleep(until: deadline, tolerance: tolerance)
    }
}
