import RedisTestSupport
import SocketTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsRedis
import TidingsWire

@Suite("What may be asked for again is published once", .needsRedis, .timeLimit(.patience))
struct PublishingOnceTests {
    private let event = BroadcastEvent(channel: "order", name: "created", payload: ["entity_id": "42"])

    private func key(_ name: String = "1:a:k", retention: Duration = .seconds(60)) -> PublishingKey {
        PublishingKey(request: name, fingerprint: "f", retention: retention)
    }

    @Test("whichever node is asked, at the same time too, and everybody hears it once")
    func nodes() async throws {
        let configuration = try await SharedRedis.configuration()
        try await withNodes([configuration, configuration]) { nodes in
            let clients = [try await nodes[0].connect(), try await nodes[1].connect()]
            for client in clients { try await client.subscribe("order") }
            let positions = try await withThrowingTaskGroup(of: EventPosition.self) { group in
                for number in 0..<10 {
                    group.addTask { try await nodes[number % 2].redis.publish(event, alsoOn: [], once: key()) }
                }
                var positions: Set<EventPosition> = []
                for try await position in group { positions.insert(position) }
                return positions
            }
            #expect(positions.count == 1)
            try await nodes[0].broadcast.broadcast("after", on: "order")
            for client in clients { #expect(try await client.events(2).map(\.name) == ["created", "after"]) }
        }
    }

    @Test("an answer that was lost on the way: the same call says what became of the event")
    func unconfirmed() async throws {
        let server = try await RedisServer.start()
        let proxy = try await FaultyProxy(to: server.port)
        var configuration = server.configuration()
        configuration.endpoints = [.host("127.0.0.1", port: proxy.port)]
        try await withBackend(configuration) { backend in
            proxy.loseAnswer(to: "1:a:k")
            let error = await #expect(throws: BroadcastError.self) {
                try await backend.publish(event, alsoOn: [], once: key())
            }
            #expect(error?.code == .unconfirmed)
            try await eventually("connected again") { backend.status.isConnected && backend.status.connections >= 2 }
            let position = try await backend.publish(event, alsoOn: [], once: key())
            #expect(position.offset == 1)
            #expect(try await server.run("xlen", "t:events:order") == "1")
        }
    }

    @Test("a key is known for its time, and no longer")
    func retention() async throws {
        let server = try await RedisServer.start()
        try await withBackend(server.configuration()) { backend in
            let first = try await backend.publish(event, alsoOn: [], once: key(retention: .seconds(3600)))
            let time = try #require(Int(try await server.run("pttl", "t:request:1:a:k")))
            #expect((1...3_600_000).contains(time) && time > 3_000_000)
            #expect(try await backend.publish(event, alsoOn: [], once: key(retention: .milliseconds(1))) == first)
            // As if the time were over.
            try await server.run("pexpire", "t:request:1:a:k", "0")
            #expect(try await backend.publish(event, alsoOn: [], once: key()) != first)
        }
    }

    @Test("of more requests than may be known the oldest are forgotten")
    func capacity() async throws {
        let server = try await RedisServer.start()
        var configuration = server.configuration()
        configuration.knownRequests = 10
        try await withBackend(configuration) { backend in
            for number in 0..<100 { _ = try await backend.publish(event, alsoOn: [], once: key("1:a:\(number)")) }
            #expect(try await server.run("llen", "t:requests") == "10")
            // The log, the stream of the channel, the names, and what is known.
            #expect(try await server.run("dbsize") == "13")
            let head = try await backend.head()
            #expect(try await backend.publish(event, alsoOn: [], once: key("1:a:99")) == head)
            #expect(try await backend.publish(event, alsoOn: [], once: key("1:a:0")).offset == head.offset + 1)
        }
    }
}
