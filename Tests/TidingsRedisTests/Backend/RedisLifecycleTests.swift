import Logging
import RedisTestSupport
import ServiceLifecycle
import SocketTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsRedis
import TidingsTesting
import TidingsWire

@Suite("The life of a backend on Redis", .needsRedis, .timeLimit(.patience))
struct RedisLifecycleTests {
    private func connections(of name: String) async throws -> Int {
        let list = try await SharedRedis.server.run("client", "list")
        return list.split(separator: "\n").count { $0.contains("name=\(name) ") }
    }

    private func makeBackend(named name: String) async throws -> RedisBroadcastBackend {
        var configuration = try await SharedRedis.configuration()
        configuration.clientName = name
        return try RedisBroadcastBackend(configuration, logger: quiet)
    }

    @Test("a node has two connections, and none after its task was cancelled")
    func cancellation() async throws {
        let backend = try await makeBackend(named: "cancelled")
        let task = Task { await backend.run() }
        try await eventually("connected") { backend.status.isConnected }
        #expect(try await connections(of: "cancelled") == 2)
        task.cancel()
        await task.value
        try await eventually("disconnected") { try await connections(of: "cancelled") == 0 }
        await #expect(throws: BroadcastError.self) { try await backend.checkHealth() }
    }

    @Test("a graceful shutdown ends it, and who still publishes is told so")
    func gracefulShutdown() async throws {
        let backend = try await makeBackend(named: "graceful")
        let group = ServiceGroup(services: [backend], logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await eventually("connected") { backend.status.isConnected }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        let error = await #expect(throws: BroadcastError.self) { try await backend.broadcast("late", on: "order") }
        #expect(error?.code == .closed)
        try await eventually("disconnected") { try await connections(of: "graceful") == 0 }
    }

    @Test("a subscribe while nobody is there fails in time, or when its task is cancelled, and leaves nothing behind")
    func subscribing() async throws {
        var configuration = RedisConfiguration(.host("127.0.0.1", port: 1))
        configuration.connectTimeout = .milliseconds(50)
        configuration.probeTimeout = .milliseconds(50)
        try await withBackend(configuration, isReady: false) { backend in
            let error = await #expect(throws: BroadcastError.self) {
                _ = try await backend.subscribe(to: "order", handler: { _ in })
            }
            #expect(error?.code == .unavailable)
        }
        configuration.connectTimeout = .seconds(600)
        try await withBackend(configuration, isReady: false) { backend in
            let task = Task { _ = try await backend.subscribe(to: "order", handler: { _ in }) }
            try await eventually("asked for") { backend.status.channels == 1 }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await eventually("left") { backend.status.channels == 0 }
        }
    }

    @Test("readiness shows how it fares, and fails while Redis is away")
    func readiness() async throws {
        let server = try await RedisServer.start()
        try await withBackend(server.configuration()) { backend in
            let checks = ReadinessChecks()
            backend.register(at: checks)
            _ = try await backend.subscribe(to: "order", handler: { _ in })
            #expect(await checks.failures().isEmpty)
            #expect(checks.details["redis"]?["channels"] == 1)
            await server.kill()
            try await eventually("noticed") { !backend.status.isConnected }
            let failures = await checks.failures()
            #expect(failures.map(\.part) == ["redis"])
            #expect(failures.first?.reason.contains("Redis") == true)
        }
    }

    @Test("thousands of channels are subscribed together, and again on the next connection")
    func manyChannels() async throws {
        let server = try await RedisServer.start()
        try await withBackend(server.configuration()) { backend in
            let recorder = EventRecorder()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<5000 {
                    group.addTask {
                        _ = try await backend.subscribe(to: ChannelName("order:\(number)"), handler: recorder.handler)
                    }
                }
                try await group.waitForAll()
            }
            try await server.run("client", "kill", "type", "pubsub")
            let events = try await recorder.events(atLeast: 5000)
            #expect(Set(events.map(\.channel)).count == 5000)
            #expect(events.allSatisfy { $0.staleReason == .backendRestored })
            for number in [0, 2500, 4999] { try await backend.broadcast("updated", on: ChannelName("order:\(number)")) }
            let channels = try await recorder.events(atLeast: 5003).suffix(3).map(\.channel.rawValue)
            #expect(channels == ["order:0", "order:2500", "order:4999"])
        }
    }
}
