import RedisTestSupport
import SocketTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsRedis
import TidingsTesting
import TidingsWire

@Suite("Publishing while Redis is away", .needsRedis, .timeLimit(.patience))
struct PublishingWhileAwayTests {
    @Test("fails at once and says why")
    func fails() async throws {
        let server = try await RedisServer.start()
        try await withBackend(server.configuration()) { backend in
            await server.kill()
            try await eventually("noticed") { !backend.status.isConnected }
            let error = await #expect(throws: BroadcastError.self) {
                try await backend.broadcast("updated", on: "order")
            }
            #expect(error?.code == .unavailable)
            #expect(error?.cause is RedisError)
            await #expect(throws: BroadcastError.self) { try await backend.head() }
            await #expect(throws: BroadcastError.self) {
                let position = EventPosition(epoch: "e", offset: 1)
                _ = try await backend.events(on: "order", after: position, atMost: 10)
            }
        }
    }

    @Test("waits where it may, and what has waited is told in order when Redis is back")
    func waits() async throws {
        let server = try await RedisServer.start()
        var configuration = server.configuration()
        configuration.whileAway = .waits(upTo: .seconds(30))
        try await withNodes([configuration]) { nodes in
            let client = try await nodes[0].connect()
            try await client.subscribe("order")
            await server.kill()
            try await nodes[0].wait(for: "noticed") { !$0.isConnected }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<5 { try await nodes[0].broadcast.broadcast(EventName("n\(number)"), on: "order") }
                }
                try await server.restart()
                try await group.waitForAll()
            }
            var heard: [EventName] = []
            while heard.count < 5 {
                let event = try await client.event()
                if !event.isStale { heard.append(event.name) }
            }
            #expect(heard == ["n0", "n1", "n2", "n3", "n4"])
        }
    }

    @Test("waits no longer than it may, and no more than may wait")
    func limits() async throws {
        let server = try await RedisServer.start()
        var configuration = server.configuration()
        configuration.whileAway = .waits(upTo: .milliseconds(300))
        configuration.pendingPublishes = 3
        try await withBackend(configuration) { backend in
            await server.kill()
            try await eventually("noticed") { !backend.status.isConnected }
            let errors = await withTaskGroup(of: BroadcastError?.self) { group in
                for _ in 0..<5 {
                    group.addTask {
                        do {
                            try await backend.broadcast("updated", on: "order")
                            return nil
                        } catch {
                            return error as? BroadcastError
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(errors.compactMap(\.?.code) == Array(repeating: .unavailable, count: 5))
            let overloaded = errors.filter { ($0?.cause as? RedisError)?.code == .overloaded }
            #expect(overloaded.count == 2)
        }
    }

    @Test("bytes are bounded too, and what has been answered makes room")
    func bytes() async throws {
        var configuration = try await SharedRedis.configuration()
        configuration.pendingBytes = 4000
        try await withBackend(configuration) { backend in
            let payload: EventPayload = ["text": .string(String(repeating: "x", count: 3000))]
            for _ in 0..<5 { try await backend.broadcast("updated", on: "order", payload) }
            let huge: EventPayload = ["text": .string(String(repeating: "x", count: 70_000))]
            let error = await #expect(throws: BroadcastError.self) {
                try await backend.broadcast("updated", on: "order", huge)
            }
            #expect(error?.code == .payloadTooLarge)
            let large: EventPayload = ["text": .string(String(repeating: "x", count: 5000))]
            await #expect(throws: BroadcastError.self) { try await backend.broadcast("updated", on: "order", large) }
        }
    }

    @Test("a backend that is not run, or has no address, says so")
    func notRun() async throws {
        let backend = try RedisBroadcastBackend(RedisConfiguration(.host("127.0.0.1", port: 1)), logger: quiet)
        let error = await #expect(throws: BroadcastError.self) { try await backend.checkHealth() }
        #expect(error?.message.contains("run") == true)
        try await withBackend(RedisConfiguration(), isReady: false) { backend in
            try await eventually("failed") { backend.status.failure?.code == .configuration }
        }
    }

    @Test("a refused command says that nobody was told: no memory")
    func outOfMemory() async throws {
        let server = try await RedisServer.start()
        try await withBackend(server.configuration()) { backend in
            try await server.run("config", "set", "maxmemory", "1")
            let error = await #expect(throws: BroadcastError.self) {
                try await backend.broadcast("updated", on: "order")
            }
            #expect(error?.code == .unavailable)
            try await server.run("config", "set", "maxmemory", "0")
            try await eventually("works again") { (try? await backend.broadcast("updated", on: "order")) != nil }
        }
    }

    @Test("when the connection is given up for another reason, it is not known what became of what was on its way")
    func givenUp() async throws {
        let server = try await RedisServer.start()
        try await server.run("acl", "setuser", "app", "on", ">secret", "~*", "&*", "+@all")
        try await withBackend(RedisConfiguration(url: "redis://app:secret@127.0.0.1:\(server.port)")) { backend in
            try await backend.broadcast("before", on: "order")
            // Redis takes what is published, and does not answer for now.
            try await server.run("client", "pause", "20000", "WRITE")
            let published = Task { try await backend.broadcast("during", on: "order") }
            try await eventually("waits in Redis") {
                try await server.run("info", "clients").contains("blocked_clients:1")
            }
            try await server.run("acl", "setuser", "app", "-subscribe")
            let subscription = Task { try await backend.subscribe(to: "order", handler: { _ in }) }
            let error = await #expect(throws: BroadcastError.self) { try await published.value }
            #expect(error?.code == .unconfirmed)
            try await eventually("failed") { backend.status.failure?.code == .forbidden }
            await backend.close()
            await #expect(throws: BroadcastError.self) { _ = try await subscription.value }
        }
    }

    @Test("a client is told that its event could not be published, and can try again")
    func clients() async throws {
        let server = try await RedisServer.start()
        try await withNodes([server.configuration()]) { nodes in
            let client = try await nodes[0].connect()
            await server.kill()
            try await nodes[0].wait(for: "noticed") { !$0.isConnected }
            let request = ClientMessage(publish: PublishRequest(channel: "bell"))
            let reply = try await client.ask(request)
            #expect(reply.refused.map(\.code) == [.unavailable])
            try await server.restart()
            try await nodes[0].wait(for: "connected again", \.isConnected)
            #expect(try await client.ask(request).published != nil)
        }
    }

    @Test("a subscribe while Redis is away is answered in time, and told to refetch when it is back")
    func subscribing() async throws {
        let server = try await RedisServer.start()
        try await withNodes(
            [server.configuration()],
            { $0.resumeTimeout = .milliseconds(200) },
            { nodes in
                await server.kill()
                try await nodes[0].wait(for: "noticed") { !$0.isConnected }
                let client = try await nodes[0].connect()
                #expect(try await client.subscribe("order").recovered == false)
                try await server.restart()
                var event = try await client.event()
                #expect(event.isStale)
                try await nodes[0].broadcast.broadcast("after", on: "order")
                while event.isStale { event = try await client.event() }
                #expect(event.name == "after")
            }
        )
    }
}
