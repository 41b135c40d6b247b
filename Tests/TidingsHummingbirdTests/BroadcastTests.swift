import NIOSSL
import SocketTestSupport
import Synchronization
import TestSupport
import Testing
import TidingsBroadcast
import TidingsClient
import TidingsHummingbird
import TidingsWire

@Suite("Broadcasting to real sockets", .timeLimit(.patience))
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

    @Test("a reader that stops holds the newest hint of every entity when it reads again, and delays nobody")
    func slowSignalReader() async throws {
        try await TestServer.run { server in
            let slow = try await RawConnection.connect(port: server.port, receiveBuffer: 4096)
            try await slow.send(UpgradeTests.handshake)
            _ = try await slow.receive(until: "\r\n\r\n")
            try await slow.send(Self.frame(#"{"subscribe":["order"],"ping":1}"#))
            _ = try await slow.receive(until: "pong")
            try await slow.setReading(false)

            let quick = try await TestSocket.connect(to: server.url)
            try await quick.subscribe(to: "order")
            let filler = JSONValue.string(String(repeating: "x", count: 20_000))
            for version in 1...30 {
                for entity in 0..<20 {
                    try await server.broadcast.broadcast(
                        "updated",
                        on: "order",
                        ["entity_id": .string("\(entity)"), "version": .integer(version), "filler": filler]
                    )
                    #expect(try await quick.receive().contains("\"version\":\(version),"))
                }
            }

            try await slow.setReading(true)
            var reader = WebSocketReader(from: .server, maximumMessageBytes: 1 << 20)
            var newest: [String: Int] = [:]
            var received = 0
            while newest.count < 20 || newest.contains(where: { $0.value < 30 }) {
                let bytes = try #require(try await slow.receive())
                for event in try reader.events(bytes) {
                    received += 1
                    let entity = try #require(event.payload.entityID)
                    struct Version: Decodable { let version: Int }
                    let version = try event.payload.decode(Version.self).version
                    #expect(version > newest[entity, default: 0])
                    newest[entity] = version
                }
            }
            // What it missed was superseded, not queued.
            #expect(received < 600)
            for socket in [quick] { socket.close() }
            await slow.close()
        }
    }

    @Test("a reader that falls behind on a stream is closed with 4001 after what was sent, in order")
    func slowStreamReader() async throws {
        let hub = BroadcastHub.Configuration.make {
            $0.delivery = { $0 == "log" ? .stream : .signal }
            // The close frame waits behind megabytes.
            $0.closeTimeout = .seconds(60)
        }
        try await TestServer.run(hub: hub) { server in
            let slow = try await RawConnection.connect(port: server.port, receiveBuffer: 4096)
            try await slow.send(UpgradeTests.handshake)
            _ = try await slow.receive(until: "\r\n\r\n")
            try await slow.send(Self.frame(#"{"subscribe":["log"],"ping":1}"#))
            _ = try await slow.receive(until: "pong")
            try await slow.setReading(false)
            let filler = JSONValue.string(String(repeating: "x", count: 8000))
            for number in 0..<2000 {
                try server.broadcast.hub.publish(
                    BroadcastEvent(
                        channel: "log",
                        name: "line",
                        payload: ["number": .integer(number), "filler": filler]
                    )
                )
            }
            try await slow.setReading(true)
            var reader = WebSocketReader(from: .server, maximumMessageBytes: 1 << 20)
            var numbers: [Int] = []
            var code: CloseCode?
            while code == nil, let bytes = try await slow.receive() {
                for message in try reader.messages(bytes) {
                    if case .close(let found, _) = message { code = found }
                    guard case .text(let text) = message,
                        case .event(let event) = Dialect.plain.decodeServerMessage(text)
                    else { continue }
                    struct Line: Decodable { let number: Int }
                    numbers.append(try event.payload.decode(Line.self).number)
                }
            }
            #expect(code == .tooSlow)
            #expect(numbers == Array(0..<numbers.count))
            #expect(numbers.count < 2000)
            await slow.close()
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
            default: try server.broadcast.hub.publish(BroadcastEvent(channel: try ChannelName(channel), name: .updated))
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

    @Test("the server speaks the dialect of the endpoint, and of the subprotocol that the client offers first")
    func dialects() async throws {
        try await TestServer.run { server in
            let topic = try await TestSocket.connect(to: "ws://127.0.0.1:\(server.port)/ws")
            topic.send(#"{"action":"subscribe","topic":"order"}"#)
            #expect(try await topic.receive() == #"{"action":"subscribed","topic":"order"}"#)
            let extended = try await TestSocket.connect(
                to: server.url,
                subprotocols: ["unknown", "tidings.v1", "tidings.plain"]
            )
            #expect(try await extended.receive().hasPrefix(#"{"welcome":"#))
            let plain = try await TestSocket.connect(to: server.url, subprotocols: ["tidings.plain"])
            try await plain.subscribe(to: "order")
            extended.send(#"{"id":1,"subscribe":["order"]}"#)
            #expect(try await extended.receive().hasPrefix(#"{"id":1,"subscribed":{"order":{"position":"#))
            try await server.broadcast.broadcast("created", on: "order", ["entity_id": "7"])
            #expect(try await topic.receive().contains(#""event":"ADDED""#))
            #expect(try await extended.receive().contains(#""position":"#))
            #expect(try await plain.receive() == #"{"channel":"order","event":"created","payload":{"entity_id":"7"}}"#)
            for socket in [topic, extended, plain] { socket.close() }
        }
    }

    @Test("a client whose connection was lost is told what it missed, in order, and nothing is said to be stale")
    func resume() async throws {
        let heard = Inbox<BroadcastEvent>()
        let proxy = try await PortHolder.reserve()
        let client = try Self.makeImpatientClient(port: proxy.port)
        let subscription = client.subscribe(to: "order") { heard.put($0) }
        client.connect()
        try await TestServer.run { server in
            var number = 0
            for _ in 0..<5 {
                try await proxy.forward(to: server.port) {
                    try await eventually("the client is there") {
                        server.broadcast.hub.subscriberCount(of: "order") == 1
                    }
                    number += 1
                    try await server.broadcast.broadcast("updated", on: "order", ["number": .integer(number)])
                    let seen = number
                    while let event = try await heard.next() {
                        #expect(event.staleReason == nil)
                        if event.payload == ["number": .integer(seen)] { break }
                    }
                }
                for _ in 0..<20 {
                    number += 1
                    try await server.broadcast.broadcast("updated", on: "order", ["number": .integer(number)])
                }
                try await eventually("the client is gone") { server.broadcast.hub.connectionCount == 0 }
            }
        }
        subscription.cancel()
        client.disconnect()
    }

    /// A client that does not wait long before it tries again.
    private static func makeImpatientClient(port: Int) throws -> BroadcastClient {
        var configuration = BroadcastClient.Configuration()
        configuration.backoff = Backoff(base: .milliseconds(20), maximum: .milliseconds(50))
        return try BroadcastClient(url: "ws://127.0.0.1:\(port)/ws/broadcast", configuration: configuration)
    }

    @Test("a client comes back to a server that was away, and hears what happens then")
    func comesBack() async throws {
        let heard = Inbox<BroadcastEvent>()
        let proxy = try await PortHolder.reserve()
        let client = try Self.makeImpatientClient(port: proxy.port)
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

extension WebSocketReader {
    /// What ends within some bytes.
    fileprivate mutating func messages(_ bytes: [UInt8]) throws -> [WebSocketMessage] {
        var messages: [WebSocketMessage] = []
        let violation = bytes.withUnsafeBytes { buffer -> WebSocketViolation? in
            do throws(WebSocketViolation) {
                try read(buffer) { messages.append($0) }
                return nil
            } catch {
                return error
            }
        }
        if let violation { throw violation }
        return messages
    }

    /// The events that end within some bytes.
    fileprivate mutating func events(_ bytes: [UInt8]) throws -> [BroadcastEvent] {
        try messages(bytes).compactMap { message in
            guard case .text(let text) = message, case .event(let event) = Dialect.plain.decodeServerMessage(text)
            else {
                return nil
            }
            return event
        }
    }
}
