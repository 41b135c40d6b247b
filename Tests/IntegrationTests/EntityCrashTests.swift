import DatabaseTestSupport
import Foundation
import Logging
import SocketTestSupport
import TestSupport
import Testing
import TidingsClient
import TidingsWire

/// Where a test keeps its orders.
enum TestDatabase: String, CaseIterable, CustomTestStringConvertible {
    case sqlite, postgres

    var testDescription: String { rawValue }

    /// Gives a database that is the test's alone.
    func with<Result: Sendable>(_ body: @Sendable (String) async throws -> Result) async throws -> Result {
        switch self {
        case .postgres:
            return try await PostgresServer.shared.withDatabase { try await body($0.connectionString) }
        case .sqlite:
            let folder = try TemporaryFolder()
            defer { withExtendedLifetime(folder) {} }
            return try await body(folder.file("orders.sqlite"))
        }
    }
}

@Suite("Servers of entities that are killed", .needsPostgreSQL, .serialized, .timeLimit(.patience))
struct EntityCrashTests {
    @Test("before the commit: nothing was written, nothing is told", arguments: TestDatabase.allCases)
    func beforeCommit(_ database: TestDatabase) async throws {
        try await database.with { store in
            let server = try await EntityProcess.start(store)
            let first = try await server.openOrder()
            let position = try await server.position()
            try await server.arm("before-commit")
            await #expect(throws: (any Error).self) { try await server.openOrder(id: UUID()) }
            let again = try await server.restarted()
            #expect(try await again.orders() == [first])
            #expect(try await again.position() == position)
            #expect(try await again.missed(since: position) == ["recovered"])
            try await again.stop()
        }
    }

    @Test("after the commit and before the relay: told after the restart", arguments: TestDatabase.allCases)
    func afterCommit(_ database: TestDatabase) async throws {
        try await database.with { store in
            let server = try await EntityProcess.start(store)
            let first = try await server.openOrder()
            let position = try await server.position()
            try await server.arm("after-commit")
            let second = UUID()
            await #expect(throws: (any Error).self) { try await server.openOrder(id: second) }
            let again = try await server.restarted()
            #expect(try await Set(again.orders()) == [first, second.lower])
            #expect(try await again.missed(since: position) == ["recovered", "created \(second.lower)"])
            try await again.stop()
        }
    }

    @Test("after the socket's write: told again at the same position, and dropped", arguments: TestDatabase.allCases)
    func afterWrite(_ database: TestDatabase) async throws {
        try await database.with { store in
            let server = try await EntityProcess.start(store)
            let before = try await server.position()
            try await withListener(to: server) { events in
                let order = try await server.openOrder()
                let heard = try await events.required()
                #expect(heard.payload.entityID == order)
                let again = try await server.restarted()
                // Whoever did not hear it before hears it now, where it stood.
                #expect(try await again.missed(since: before) == ["recovered", "created \(order)"])
                // Whoever did, does not: the next event is the next change.
                let next = try await again.openOrder()
                let following = try await events.required()
                #expect(following.payload.entityID == next)
                #expect(try #require(following.position).offset > #require(heard.position).offset)
                try await again.stop()
            }
        }
    }

    @Test("a node with clients: they go to another one and miss nothing", arguments: TestDatabase.allCases)
    func otherNode(_ database: TestDatabase) async throws {
        try await database.with { store in
            let (first, second) = (try await EntityProcess.start(store), try await EntityProcess.start(store))
            let before = try await first.position()
            let heard = try await first.openOrder()
            #expect(try await second.missed(since: before, atLeast: 1) == ["recovered", "created \(heard)"])
            let position = try await second.position()
            first.program.kill()
            var expected = ["recovered"]
            for _ in 0..<20 { expected.append("created \(try await second.openOrder())") }
            #expect(try await second.missed(since: position, atLeast: 20) == expected)
            try await second.stop()
        }
    }

    @Test("two nodes: clients of both hear every change of both, in one order", arguments: TestDatabase.allCases)
    func twoNodes(_ database: TestDatabase) async throws {
        try await database.with { store in
            let nodes = [try await EntityProcess.start(store), try await EntityProcess.start(store)]
            try await withListener(to: nodes[0]) { left in
                try await withListener(to: nodes[1]) { right in
                    let listeners = [left, right]
                    var expected: Set<String> = []
                    for number in 0..<40 { expected.insert(try await nodes[number % 2].openOrder()) }
                    var heard: [[BroadcastEvent]] = []
                    for listener in listeners {
                        var events: [BroadcastEvent] = []
                        while events.count < expected.count { events.append(try await listener.required()) }
                        heard.append(events)
                    }
                    for events in heard {
                        #expect(Set(events.compactMap(\.payload.entityID)) == expected)
                        let offsets = events.compactMap(\.position?.offset)
                        #expect(offsets == offsets.sorted())
                    }
                    #expect(heard[0] == heard[1])
                }
            }
            for node in nodes { try await node.stop() }
        }
    }

    @Test("a node that hears no notifications hears every change all the same", arguments: TestDatabase.allCases)
    func deafNode(_ database: TestDatabase) async throws {
        try await database.with { store in
            let deaf = try await EntityProcess.start(store, ["--deaf"])
            let other = try await EntityProcess.start(store)
            try await withListener(to: deaf) { listener in
                for _ in 0..<5 {
                    let order = try await other.openOrder()
                    #expect(try await listener.required().payload.entityID == order)
                }
            }
            for node in [deaf, other] { try await node.stop() }
        }
    }

    @Test("connections that are cut are made anew: nothing is lost", arguments: [TestDatabase.postgres])
    func cutConnections(_ database: TestDatabase) async throws {
        try await database.with { store in
            let server = try await EntityProcess.start(store)
            try await withListener(to: server) { listener in
                for _ in 0..<5 {
                    // The one that listens and those of the pool.
                    try await PostgresServer.shared.run(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(store.databaseName)'"
                    )
                    let order = try await server.openOrder(retrying: true)
                    #expect(try await listener.required().payload.entityID == order)
                }
            }
            try await server.stop()
        }
    }

    /// Runs a client that hears of every order until the body returns.
    private func withListener(
        to server: EntityProcess,
        _ body: (Inbox<BroadcastEvent>) async throws -> Void
    ) async throws {
        var configuration = BroadcastClient.Configuration()
        configuration.backoff = Backoff(base: .milliseconds(20), maximum: .milliseconds(200))
        configuration.logger.logLevel = .critical
        let client = try BroadcastClient(url: server.broadcastURL, configuration: configuration)
        let events = Inbox<BroadcastEvent>()
        let subscription = client.subscribe(to: "order") { events.put($0) }
        defer {
            subscription.cancel()
            client.disconnect()
        }
        client.connect()
        try await eventually("the client listens") { try await server.listeners() > 0 }
        try await body(events)
    }
}

extension String {
    /// The last part of a connection string's path.
    fileprivate var databaseName: Substring { split(separator: "/").last?.prefix { $0 != "?" } ?? "" }
}

extension UUID {
    fileprivate var lower: String { uuidString.lowercased() }
}

extension Inbox {
    /// What comes next. Fails after a while.
    fileprivate func required() async throws -> Element {
        guard let next = try await next() else { throw TestFailure("nothing more comes") }
        return next
    }
}
