import NIOCore
import NIOEmbedded
import Testing
import TidingsWire

@testable import TidingsBroadcast

/// Sessions on a channel and a loop that move only when a test says so.
@Suite("A session with one client")
final class WebSocketSessionTests {
    private let hub = BroadcastHub()
    private let loop = EmbeddedEventLoop()

    @Test("subscribes, hears, unsubscribes, hears no more")
    func subscribing() throws {
        let client = try Client(hub, loop)
        try client.send(#"{"subscribe":["order","contact"]}"#)
        #expect(hub.channels == ["order": 1, "contact": 1])
        try hub.publish(BroadcastEvent(channel: "order", name: .created, payload: ["entity_id": "1"]))
        try hub.publish(BroadcastEvent(channel: "other", name: .created))
        loop.run()
        #expect(try client.receive() == [#"{"channel":"order","event":"created","payload":{"entity_id":"1"}}"#])
        try client.send(#"{"unsubscribe":["order"]}"#)
        try hub.publish(BroadcastEvent(channel: "order", name: .updated))
        try hub.publish(BroadcastEvent(channel: "contact", name: .updated))
        loop.run()
        #expect(try client.receive() == [#"{"channel":"contact","event":"updated","payload":{}}"#])
        #expect(hub.channels == ["contact": 1])
    }

    @Test("subscribing twice is one subscription, unsubscribing twice does nothing")
    func twice() throws {
        let client = try Client(hub, loop)
        try client.send(#"{"subscribe":["order","order"]}"#)
        try client.send(#"{"subscribe":["order"]}"#)
        #expect(hub.subscriberCount(of: "order") == 1)
        try hub.publish(BroadcastEvent(channel: "order", name: .created))
        loop.run()
        #expect(try client.receive().count == 1)
        try client.send(#"{"unsubscribe":["order"]}"#)
        try client.send(#"{"unsubscribe":["order","never"]}"#)
        #expect(hub.channels.isEmpty)
    }

    @Test("of a message's channels the good ones are live and each bad one gets its error")
    func partlyRefused() throws {
        let client = try Client(hub, loop)
        try client.send(#"{"subscribe":["order","or der","contact",""]}"#)
        let errors = try client.receive()
        #expect(errors.count == 2)
        #expect(errors.allSatisfy { $0.contains(#""code":"bad_channel""#) })
        #expect(errors.first?.contains(#""channel":"or der""#) == true)
        #expect(Set(hub.channels.keys) == ["order", "contact"])
    }

    @Test("a message that names far more channels than a connection may hold gets one short answer")
    func thousandsOfChannels() throws {
        let client = try Client(hub, loop)
        let names = (0..<5000).map { _ in "\" \"" }.joined(separator: ",")
        try client.send("{\"subscribe\":[\(names)]}")
        let answers = try client.receive()
        #expect(answers.count == 1)
        #expect(answers.first?.contains(#""code":"too_many_channels""#) == true)
        #expect((answers.first?.utf8.count ?? 0) < 300)
    }

    @Test("past the limit of channels each further one gets its error, and room can be made")
    func tooManyChannels() throws {
        var configuration = BroadcastHub.Configuration()
        configuration.channelsPerSession = 2
        let hub = BroadcastHub(configuration: configuration)
        let client = try Client(hub, loop)
        try client.send(#"{"subscribe":["a","b","a","c"]}"#)
        let errors = try client.receive()
        #expect(errors.count == 1)
        #expect(errors.first?.contains(#""code":"too_many_channels""#) == true)
        #expect(errors.first?.contains(#""channel":"c""#) == true)
        try client.send(#"{"unsubscribe":["a"]}"#)
        try client.send(#"{"subscribe":["c"]}"#)
        #expect(Set(hub.channels.keys) == ["b", "c"])
    }

    @Test(
        "bad input gets its error and the connection lives on",
        arguments: [
            ("hello", "bad_json"), ("", "bad_json"), ("{", "bad_json"), ("[1]", "bad_request"),
            (#""order""#, "bad_request"),
            (#"{"subscribe":"order"}"#, "bad_request"), (#"{"subscribe":[1]}"#, "bad_request"),
            (#"{"unsubscribe":{}}"#, "bad_request"), (#"{"ping":"1"}"#, "bad_request"), (#"{"auth":7}"#, "bad_request"),
        ]
    )
    func badInput(text: String, code: String) throws {
        let client = try Client(hub, loop)
        try client.send(text)
        let answers = try client.receive()
        #expect(answers.count == 1)
        #expect(answers.first?.contains("\"code\":\"\(code)\"") == true)
        try client.send(#"{"ping":3}"#)
        #expect(try client.receive() == [#"{"pong":3}"#])
    }

    @Test("a published event is the same bytes for every session, written once for a turn of the loop")
    func sameBytes() throws {
        let clients = try (0..<3).map { _ in try Client(hub, loop) }
        for client in clients { try client.send(#"{"subscribe":["order"]}"#) }
        try hub.publish(BroadcastEvent(channel: "order", name: .created))
        try hub.publish(BroadcastEvent(channel: "order", name: .updated))
        loop.run()
        let writes = try clients.map { try $0.writes() }
        #expect(writes.allSatisfy { $0.count == 1 && $0 == writes.first })
    }

    @Test("a client that does not read lags, and holds the newest of every entity when it reads again")
    func lagging() throws {
        let client = try Client(hub, loop)
        try client.send(#"{"subscribe":["order"]}"#)
        client.channel.isWritable = false
        client.channel.pipeline.fireChannelWritabilityChanged()
        for version in 1...100 {
            for entity in ["a", "b"] {
                try hub.publish(
                    BroadcastEvent(
                        channel: "order",
                        name: .updated,
                        payload: ["entity_id": .string(entity), "version": .integer(version)]
                    )
                )
            }
            loop.run()
        }
        #expect(try client.receive().isEmpty)
        client.channel.isWritable = true
        client.channel.pipeline.fireChannelWritabilityChanged()
        #expect(
            try client.receive() == [
                #"{"channel":"order","event":"updated","payload":{"entity_id":"a","version":100}}"#,
                #"{"channel":"order","event":"updated","payload":{"entity_id":"b","version":100}}"#,
            ]
        )
    }

    @Test("a client that does not read is not read from")
    func backPressure() throws {
        let client = try Client(hub, loop)
        client.channel.isWritable = false
        client.channel.pipeline.fireChannelWritabilityChanged()
        let reads = client.reads.count
        client.channel.pipeline.read()
        #expect(client.reads.count == reads)
        client.channel.isWritable = true
        client.channel.pipeline.fireChannelWritabilityChanged()
        #expect(client.reads.count == reads + 1)
    }

    @Test("a silent client is pinged, and given up when it does not answer")
    func heartbeat() throws {
        let client = try Client(hub, loop)
        loop.advanceTime(by: .seconds(25))
        #expect(try client.messages() == [.ping([])])
        try client.sendFrame(WebSocketFrame.encode(.pong, [], mask: 1))
        loop.advanceTime(by: .seconds(25))
        #expect(try client.messages() == [.ping([])])
        loop.advanceTime(by: .seconds(9))
        #expect(client.channel.isActive)
        loop.advanceTime(by: .seconds(2))
        #expect(!client.channel.isActive)
        #expect(try client.messages() == [.close(.noHeartbeat, reason: "no sign of life")])
        #expect(hub.connectionCount == 0)
    }

    @Test("a flood of messages is answered with one error, and the client may go on when it has slowed down")
    func flood() throws {
        let client = try Client(hub, loop)
        for number in 0..<300 { try client.send("{\"ping\":\(number)}") }
        let answers = try client.receive()
        #expect(answers.count == 101)
        #expect(answers.last?.contains(#""code":"rate_limited""#) == true)
        loop.advanceTime(by: .seconds(1))
        try client.send(#"{"ping":1}"#)
        #expect(try client.receive() == [#"{"pong":1}"#])
    }

    @Test("a close frame is answered with its code and the session is gone with its socket")
    func closeHandshake() throws {
        let client = try Client(hub, loop)
        try client.send(#"{"subscribe":["order"]}"#)
        try client.sendFrame(WebSocketFrame.close(.normal, mask: 7))
        #expect(try client.writes() == [WebSocketFrame.close(.normal)])
        #expect(!client.channel.isActive)
        #expect(hub.connectionCount == 0)
        #expect(hub.channels.isEmpty)
    }

    @Test("a peer that does not answer a close frame is cut off in time")
    func unansweredClose() throws {
        var configuration = BroadcastHub.Configuration()
        configuration.drainWindow = .zero
        let hub = BroadcastHub(configuration: configuration)
        let silent = try Client(hub, loop)
        silent.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        loop.advanceTime(by: .milliseconds(4900))
        #expect(silent.channel.isActive)
        loop.advanceTime(by: .milliseconds(200))
        #expect(!silent.channel.isActive)
        #expect(hub.connectionCount == 0)
    }

    @Test("a broken rule closes with its code")
    func violation() throws {
        let client = try Client(hub, loop)
        try client.sendFrame(WebSocketFrame.encode(.text, [0x61]))
        #expect(try client.messages().first == .close(.protocolError, reason: "a client's frame is not masked"))
        #expect(hub.connectionCount == 0)
    }

    @Test("a message over the limit closes with 1009")
    func tooLarge() throws {
        let client = try Client(hub, loop)
        try client.send(String(repeating: " ", count: 64 * 1024 + 1))
        guard case .close(let code, _) = try client.messages().first else {
            Issue.record("no close frame")
            return
        }
        #expect(code == .messageTooBig)
    }

    @Test("a draining session is closed with 4000 within the window, after its last events, and new ones are refused")
    func draining() throws {
        let client = try Client(hub, loop)
        try client.send(#"{"subscribe":["order"]}"#)
        try hub.publish(BroadcastEvent(channel: "order", name: .created))
        loop.run()
        client.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        loop.advanceTime(by: .seconds(5))
        let messages = try client.messages()
        #expect(messages.count == 2)
        guard case .close(let code, _) = messages.last else {
            Issue.record("no close frame")
            return
        }
        #expect(code == .draining)
        #expect(hub.isDraining)
        let late = try Client(hub, loop)
        guard case .close(.tryAgainLater, _) = try late.messages().first else {
            Issue.record("a late session was not refused")
            return
        }
        try hub.publish(BroadcastEvent(channel: "order", name: .updated))
        loop.run()
        #expect(try client.messages().isEmpty)
    }

    @Test("whoever subscribes hears what is published from then on, and nothing that was waiting for others")
    func subscribingWhileEventsWait() throws {
        let (early, late) = (try Client(hub, loop), try Client(hub, loop))
        try early.send(#"{"subscribe":["order"]}"#)
        try hub.publish(BroadcastEvent(channel: "order", name: "before"))
        // The loop has not run: the event waits in the inbox while the second client subscribes.
        try late.send(#"{"subscribe":["order"]}"#)
        try hub.publish(BroadcastEvent(channel: "order", name: "after"))
        loop.run()
        #expect(try early.receive().map { $0.contains("before") } == [true, false])
        #expect(try late.receive() == [#"{"channel":"order","event":"after","payload":{}}"#])
    }

    // MARK: Parts

    /// A client at the other end of an embedded channel.
    private final class Client {
        let channel: EmbeddedChannel
        let reads = ReadCounter()
        private var reader = WebSocketReader(from: .server, maximumMessageBytes: 1 << 20)

        init(_ hub: BroadcastHub, _ loop: EmbeddedEventLoop, speaking dialect: Dialect = .plain) throws {
            channel = EmbeddedChannel(handler: reads, loop: loop)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            try channel.pipeline.syncOperations.addHandler(
                hub.makeSessionHandler(on: loop, speaking: dialect, writesDirectly: false)
            )
        }

        func send(_ text: String) throws {
            try sendFrame(WebSocketFrame.encode(.text, Array(text.utf8), mask: 0x1234_5678))
        }

        func sendFrame(_ frame: [UInt8]) throws {
            try channel.writeInbound(ByteBuffer(bytes: frame))
        }

        /// What was written, write by write.
        func writes() throws -> [[UInt8]] {
            var writes: [[UInt8]] = []
            while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
                writes.append(Array(buffer.readableBytesView))
            }
            return writes
        }

        func messages() throws -> [WebSocketMessage] {
            var messages: [WebSocketMessage] = []
            for write in try writes() { try reader.read(write) { messages.append($0) } }
            return messages
        }

        func receive() throws -> [String] {
            try messages().compactMap { message in
                guard case .text(let text) = message else { return nil }
                return String(decoding: text, as: UTF8.self)
            }
        }
    }

    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        private(set) var count = 0

        func read(context: ChannelHandlerContext) {
            count += 1
            context.read()
        }
    }
}
