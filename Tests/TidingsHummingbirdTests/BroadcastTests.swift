import NIOSSL
import SocketTestSupport
import Synchronization
import TestSupport
import Testing
import TidingsBroadcast
import TidingsClient
import TidingsHummingbird
import TidingsWire

@Suite("Broadcasting to real sockets", .timeLimit(.minutes(2)))
struct BroadcastTests {
    @Test("an event reaches the subscribers of its channel")
    func delivery() async throws {
        try await TestServer.run { server in
            let (kitchen, counter) = (
                try await TestSocket.connect(to: server.url), try await TestSocket.connect(to: server.url)
            )
            try await kitchen.subscribe(to: "order")
            try await counter.subscribe(to: "contact")
            try await server.broadcast.broadcast("created", on: "order", ["entity_id": "1"])
            try await server.broadcast.broadcast("created", on: "contact", ["entity_id": "2"])
            #expect(
                try await kitchen.receive() == #"{"channel":"order","event":"created","payload":{"entity_id":"1"}}"#
            )
            #expect(
                try await counter.receive() == #"{"channel":"contact","event":"created","payload":{"entity_id":"2"}}"#
            )
            for socket in [kitchen, counter] { socket.close() }
        }
    }

    @Test("bad input from one client has no effect on another")
    func badNeighbour() async throws {
        try await TestServer.run { server in
            let good = try await TestSocket.connect(to: server.url)
            try await good.subscribe(to: "order")
            let bad = try await TestSocket.connect(to: server.url)
            for text in [
                "hello", "[]", #"{"subscribe":7}"#, "{\"subscribe\":[\"\(String(repeating: "x", count: 256))\"]}",
            ] {
                bad.send(text)
                #expect(try await bad.receive().hasPrefix(#"{"error":{"code":"bad_"#))
            }
            try await bad.roundTrip()
            bad.send(String(repeating: " ", count: 70_000))
            #expect(try await bad.end().code == .messageTooBig)
            try await server.broadcast.broadcast("created", on: "order")
            #expect(try await good.receive().contains("created"))
            good.close()
        }
    }

    @Test("one broadcast to a thousand subscribers is a thousand deliveries, and counts return to zero")
    func thousandSubscribers() async throws {
        try await TestServer.run { server in
            var sockets: [TestSocket] = []
            for _ in 0..<1000 { sockets.append(try await TestSocket.connect(to: server.url)) }
            for socket in sockets { try await socket.subscribe(to: "order") }
            #expect(server.broadcast.hub.subscriberCount(of: "order") == 1000)
            try await server.broadcast.broadcast("created", on: "order", ["entity_id": "1"])
            var delivered = 0
            for socket in sockets where try await socket.receive().contains("created") { delivered += 1 }
            #expect(delivered == 1000)
            for socket in sockets { socket.close() }
            try await eventually("all are gone") { server.broadcast.hub.connectionCount == 0 }
            #expect(server.broadcast.hub.channels.isEmpty)
        }
    }

    @Test("after 500 random lives of connections counts return to zero", arguments: [1, 2] as [UInt64])
    func randomLives(seed: UInt64) async throws {
        try await TestServer.run { server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<250 {
                    if number >= 16 { try await group.next() }
                    group.addTask { try await Self.live(SeededGenerator(seed: seed << 32 + UInt64(number)), server) }
                }
                try await group.waitForAll()
            }
            try await eventually("all are gone") { server.broadcast.hub.connectionCount == 0 }
            #expect(server.broadcast.hub.channels.isEmpty, "seed \(seed)")
        }
    }

    /// Connects, says some things in a random order, and goes in one of several ways, politely or not.
    private static func live(_ random: SeededGenerator, _ server: TestServer) async throws {
        var random = random
        let connection = try await RawConnection.connect(port: server.port)
        try await connection.send(UpgradeTests.handshake)
        if Bool.random(using: &random) { _ = try await connection.receive(until: "\r\n\r\n") }
        for _ in 0..<Int.random(in: 0..<6, using: &random) {
            let channel = "channel-\(Int.random(in: 0..<5, using: &random))"
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1: try await connection.send(frame("{\"subscribe\":[\"\(channel)\"]}"))
            case 2: try await connection.send(frame("{\"unsubscribe\":[\"\(channel)\"]}"))
            default: server.broadcast.hub.publish(BroadcastEvent(channel: try ChannelName(channel), name: .updated))
            }
        }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: try await connection.send(WebSocketFrame.close(.normal, mask: 1))
        case 1: try await connection.send(Array(frame("{").dropLast()))
        case 2: try? await connection.send([0xFF, 0xFF, 0xFF])
        default: break
        }
        await connection.close()
    }

    private static func frame(_ text: String) -> [UInt8] {
        WebSocketFrame.encode(.text, Array(text.utf8), mask: 0x0102_0304)
    }

    @Test("every client sees the events of a channel in the same order, whoever publishes them")
    func oneOrder() async throws {
        try await TestServer.run { server in
            let sockets = [try await TestSocket.connect(to: server.url), try await TestSocket.connect(to: server.url)]
            for socket in sockets { try await socket.subscribe(to: "order") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<4 {
                    group.addTask {
                        for number in 0..<100 {
                            try await server.broadcast.broadcast(
                                "updated",
                                on: "order",
                                ["from": .integer(caller), "number": .integer(number)]
                            )
                        }
                    }
                }
                try await group.waitForAll()
            }
            var seen: [[String]] = []
            for socket in sockets {
                var texts: [String] = []
                for _ in 0..<400 { texts.append(try await socket.receive()) }
                seen.append(texts)
            }
            #expect(seen[0] == seen[1])
            for caller in 0..<4 {
                let own = seen[0].filter { $0.contains("\"from\":\(caller),") }
                #expect(own.count == 100)
                #expect(own.enumerated().allSatisfy { $0.element.contains("\"number\":\($0.offset)}") })
            }
            for socket in sockets { socket.close() }
        }
    }

    @Test("on graceful shutdown sessions are closed with 1001 after their last event, and the server ends")
    func shutdown() async throws {
        try await TestServer.run { server in
            let socket = try await TestSocket.connect(to: server.url)
            try await socket.subscribe(to: "order")
            try await server.broadcast.broadcast("last", on: "order")
            await server.shutDown()
            #expect(try await socket.receive().contains("last"))
            #expect(try await socket.end().code == .goingAway)
        }
    }

    @Test("the client hears over TLS, and does not trust a stranger's certificate")
    func tls() async throws {
        try await TestServer.run(tls: try TestCertificate.server()) { server in
            var configuration = BroadcastClient.Configuration()
            configuration.tls = try TestCertificate.client()
            let url = "wss://localhost:\(server.port)/ws/broadcast"
            let client = try BroadcastClient(url: url, configuration: configuration)
            let events = client.events(on: "order")
            client.connect()
            try await eventually("the client is subscribed") { server.broadcast.hub.subscriberCount(of: "order") == 1 }
            try await server.broadcast.broadcast("created", on: "order")
            var iterator = events.makeAsyncIterator()
            #expect(await iterator.next()?.name == .created)

            let distrustful = try BroadcastClient(url: url)
            distrustful.connect()
            try await eventually("the stranger is refused") { distrustful.state == .reconnecting }
            distrustful.disconnect()
            client.disconnect()
        }
    }

    @Test("a client comes back to a server that was away, and hears what happens then")
    func comesBack() async throws {
        var configuration = BroadcastClient.Configuration()
        configuration.backoff = Backoff(base: .milliseconds(20), maximum: .milliseconds(50))
        let heard = Inbox<BroadcastEvent>()
        let proxy = try await PortHolder.reserve()
        let client = try BroadcastClient(url: "ws://127.0.0.1:\(proxy.port)/ws/broadcast", configuration: configuration)
        let subscription = client.subscribe(to: "order") { heard.put($0) }
        client.connect()
        for round in 1...2 {
            try await TestServer.run { server in
                try await proxy.forward(to: server.port) {
                    try await eventually("the client is back") {
                        server.broadcast.hub.subscriberCount(of: "order") == 1
                    }
                    if round == 2 { #expect(try await heard.next()?.staleReason == .gap) }
                    try await server.broadcast.broadcast("created", on: "order", ["round": .integer(round)])
                    #expect(try await heard.next()?.name == .created)
                }
            }
        }
        subscription.cancel()
        client.disconnect()
    }
}
