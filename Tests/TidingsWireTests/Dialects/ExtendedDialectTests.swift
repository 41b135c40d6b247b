import Foundation
import TestSupport
import Testing
import TidingsWire

@Suite("The extended dialect")
struct ExtendedDialectTests {
    private static func texts(_ message: ServerMessage) -> [String] {
        Dialect.extended.encode(message).map { String(decoding: $0, as: UTF8.self) }
    }

    private static let position = EventPosition(epoch: "k3f9", offset: 45)

    // MARK: What a client says

    @Test(
        "What a client writes",
        arguments: [
            (ClientMessage(), "{}"), (ClientMessage(id: 1), #"{"id":1}"#),
            (
                ClientMessage(
                    id: "a-1",
                    authentication: "t",
                    subscribe: ["order", "contact", "chat"],
                    since: ["contact": position, "order": position, "other": position],
                    unsubscribe: ["b"],
                    ping: 7,
                    publish: PublishRequest(channel: "bell", name: "rang", payload: ["n": 1])
                ),
                #"{"id":"a-1","auth":"t","subscribe":["order","contact","chat"],"#
                    + #""since":{"order":"k3f9:45","contact":"k3f9:45"},"unsubscribe":["b"],"#
                    + #""publish":"bell","event":"rang","payload":{"n":1},"ping":7}"#
            ),
            (
                ClientMessage(subscribe: ["a", "a"], since: ["a": position]),
                #"{"subscribe":["a","a"],"since":{"a":"k3f9:45"}}"#
            ),
            // What is only read, and a position of a channel that is not subscribed.
            (
                ClientMessage(
                    since: ["a": position],
                    unreadableSince: ["a"],
                    ping: 1,
                    refused: [WireError(.badChannel, "no")]
                ),
                #"{"ping":1}"#
            ),
        ]
    )
    func written(message: ClientMessage, text: String) {
        #expect(Dialect.extended.encode(message).map { String(decoding: $0, as: UTF8.self) } == [text])
    }

    @Test("What a client writes is read as it was meant", arguments: 0..<200 as Range<UInt64>)
    func clientRoundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var message = ClientMessage(id: generator.identifier())
        if generator.once(in: 2) { message.authentication = generator.text(generator.number(in: 0...20)) }
        for _ in 0..<generator.number(in: 0...4) {
            let channel = try ChannelName(generator.name())
            message.subscribe.append(channel)
            if generator.once(in: 2) { message.since[channel] = generator.position() }
        }
        for _ in 0..<generator.number(in: 0...4) { message.unsubscribe.append(try ChannelName(generator.name())) }
        if generator.once(in: 2) { message.ping = generator.number(in: Int.min...Int.max) }
        let texts = Dialect.extended.encode(message)
        #expect(texts.count == 1)
        #expect(try texts.map(Dialect.extended.decodeClientMessage) == [message])
    }

    @Test("The position of every channel is read, however many there are")
    func manyPositions() throws {
        let channels = try (0..<2000).map { try ChannelName("order:\($0)") }
        let positions = channels.enumerated().map { ($1, EventPosition(epoch: "k3f9", offset: UInt64($0))) }
        let message = ClientMessage(subscribe: channels, since: Dictionary(uniqueKeysWithValues: positions))
        #expect(try message.asRead(in: .extended) == message)
    }

    // MARK: What a server says

    @Test("What a server writes is read as it was meant", arguments: 0..<300 as Range<UInt64>)
    func serverRoundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let message = try generator.extendedMessage()
        let texts = Dialect.extended.encode(message)
        #expect(texts.map(Dialect.extended.decodeServerMessage) == [message])
        for text in texts {
            #expect(throws: Never.self) { try JSONTree(text) }
        }
    }

    @Test("An event carries position and spread, and nothing else of its way")
    func events() throws {
        var event = BroadcastEvent(channel: "order", name: .updated, payload: ["entity_id": "1"])
        event.traceID = "trace"
        event.time = Date(timeIntervalSince1970: 1)
        #expect(
            Self.texts(.event(event)) == [#"{"channel":"order","event":"updated","payload":{"entity_id":"1"}}"#]
        )
        event.position = Self.position
        event.spread = .microseconds(249_001)
        let text =
            #"{"channel":"order","event":"updated","payload":{"entity_id":"1"},"position":"k3f9:45","spread_ms":250}"#
        #expect(Self.texts(.event(event)) == [text])
        guard case .event(let read) = try #require(Dialect.extended.decodeServerMessage(Array(text.utf8))) else {
            Issue.record("It is no event.")
            return
        }
        #expect(read.position == Self.position)
        #expect(read.spread == .milliseconds(250))
        #expect(read.traceID == nil && read.time == nil)
    }

    @Test("A channel that was granted twice is told once")
    func grantedTwice() {
        let one = SubscribedChannel(channel: "order", position: Self.position, recovered: true)
        let reply = ServerReply(id: 1, subscribed: [one, SubscribedChannel(channel: "order"), one])
        #expect(
            Self.texts(.reply(reply)) == [#"{"id":1,"subscribed":{"order":{"position":"k3f9:45","recovered":true}}}"#]
        )
    }

    @Test("A refusal without a channel goes before the reply, and has no identifier")
    func namelessRefusals() {
        let nameless = WireError(.badChannel, "Too long.")
        let reply = ServerReply(id: 1, refused: [nameless, WireError(.forbidden, "No.", channel: "a")], pong: 7)
        #expect(
            Self.texts(.reply(reply)) == [
                #"{"error":{"code":"bad_channel","message":"Too long."}}"#,
                #"{"id":1,"errors":{"a":{"code":"forbidden","message":"No."}},"pong":7}"#,
            ]
        )
        #expect(
            Self.texts(.reply(ServerReply(id: 2, refused: [nameless]))) == [
                #"{"error":{"code":"bad_channel","message":"Too long."}}"#, #"{"id":2}"#,
            ]
        )
    }

    @Test("Of refusals of one channel the same ones are told once, and another one goes before the reply")
    func refusedTwice() {
        let first = WireError(.tooManyChannels, "Full.", channel: "a")
        let other = WireError(.forbidden, "No.", channel: "a")
        let reply = ServerReply(id: 1, refused: [first, first, other, first])
        #expect(
            Self.texts(.reply(reply)) == [
                #"{"error":{"code":"forbidden","message":"No.","channel":"a"}}"#,
                #"{"id":1,"errors":{"a":{"code":"too_many_channels","message":"Full."}}}"#,
            ]
        )
    }

    @Test("Refusals of names that look alike are two")
    func refusedLookAlikes() {
        let refused = ["k\u{FC}", "ku\u{308}"].map { WireError(.forbidden, "No.", channel: $0) }
        let texts = Dialect.extended.encode(.reply(ServerReply(id: 1, refused: refused)))
        #expect(texts.count == 1)
        #expect(texts.map(Dialect.extended.decodeServerMessage) == [.reply(ServerReply(id: 1, refused: refused))])
    }

    @Test("Every message has one reply, and its identifier stands in one message")
    func oneReply() {
        let refused = [
            WireError(.badChannel, "Too long."), WireError(.forbidden, "No.", channel: "a"),
            WireError(.badChannel, "Too long."),
        ]
        for reply in [ServerReply(id: 1), ServerReply(id: 1, refused: refused), ServerReply(id: 1, pong: 1)] {
            let messages = Dialect.extended.encode(.reply(reply)).compactMap(Dialect.extended.decodeServerMessage)
            let identified = messages.filter {
                switch $0 {
                case .reply(let reply): reply.id == 1
                case .error(_, let id): id == 1
                default: false
                }
            }
            #expect(identified.count == 1)
            #expect(identified.last == messages.last)
        }
    }

    @Test("A reply names as many channels as its request")
    func manyChannels() throws {
        let subscribed = try (0..<1000).map {
            SubscribedChannel(channel: try ChannelName("order:\($0)"), position: Self.position)
        }
        let refused = (0..<1000).map { WireError(.tooManyChannels, "Full.", channel: "contact:\($0)") }
        let reply = ServerMessage.reply(ServerReply(id: 1, subscribed: subscribed, refused: refused))
        #expect(Dialect.extended.encode(reply).map(Dialect.extended.decodeServerMessage) == [reply])
    }

    @Test("A client takes the largest reply to a message that was granted")
    func largestReply() throws {
        let count = WireLimits.channelsPerConnection
        // As long as they may be for a message of the size that a server takes.
        let length = WireLimits.clientMessageBytes / count - 4
        let channels = try (0..<count).map { number in
            try ChannelName("\(number):".padding(toLength: length, withPad: "x", startingAt: 0))
        }
        let request = Dialect.extended.encode(ClientMessage(id: 1, subscribe: channels))
        #expect(request.allSatisfy { $0.count <= WireLimits.clientMessageBytes })
        let position = EventPosition(epoch: String(repeating: "e", count: 64), offset: .max)
        let subscribed = channels.map {
            SubscribedChannel(channel: $0, position: position, recovered: false, spread: .seconds(1_000_000))
        }
        let reply = Dialect.extended.encode(.reply(ServerReply(id: 1, subscribed: subscribed)))
        #expect(reply.allSatisfy { $0.count <= WireLimits.serverMessageBytes })
    }

    @Test("Times that have no form on the wire are left out")
    func times() {
        let reply = ServerReply(authenticated: Authenticated(subject: "42", expiresAt: .distantFuture))
        #expect(
            Self.texts(.reply(reply)) == [
                #"{"authenticated":{"subject":"42","expires_at":"4001-01-01T00:00:00.000Z"}}"#
            ]
        )
        let never = Authenticated(expiresAt: Date(timeIntervalSince1970: .infinity))
        #expect(Self.texts(.reply(ServerReply(authenticated: never))) == [#"{"authenticated":{}}"#])
    }
}

extension SeededGenerator {
    fileprivate mutating func identifier() -> RequestIdentifier? {
        switch number(in: 0...2) {
        case 0: nil
        case 1: RequestIdentifier(number(in: Int.min...Int.max))
        default: RequestIdentifier(text(number(in: 0...16)))
        }
    }

    fileprivate mutating func position() -> EventPosition {
        EventPosition(epoch: "e\(number(in: 0...9))", offset: next())
    }

    fileprivate mutating func spread() -> Duration? {
        once(in: 2) ? .milliseconds(number(in: 0...60_000)) : nil
    }

    fileprivate mutating func extendedMessage() throws -> ServerMessage {
        switch number(in: 0...4) {
        case 0:
            var random = RandomJSON(seed: next())
            return .event(
                BroadcastEvent(
                    channel: try ChannelName(name()),
                    name: try EventName(name()),
                    payload: try EventPayload(json: Array(random.object(depth: 3).utf8))
                )
            )
        case 1:
            let channel = once(in: 2) ? text(5) : nil
            return .error(WireError(.init(rawValue: text(5)), text(30), channel: channel), id: identifier())
        case 2:
            return .welcome(Welcome(connection: text(5), server: text(5), heartbeat: spread() ?? .zero))
        case 3:
            return .draining(reconnectWithin: spread() ?? .zero)
        default:
            return .reply(try reply())
        }
    }

    private mutating func reply() throws -> ServerReply {
        var reply = ServerReply(id: identifier())
        for number in 0..<number(in: 0...3) {
            reply.subscribed.append(
                SubscribedChannel(
                    channel: try ChannelName("\(number)\(name())"),
                    position: position(),
                    recovered: once(in: 2),
                    spread: spread()
                )
            )
        }
        for number in 0..<number(in: 0...3) {
            reply.refused.append(WireError(.forbidden, text(5), channel: "\(number)\(text(5))"))
        }
        for _ in 0..<number(in: 0...3) { reply.unsubscribed.append(try ChannelName(name())) }
        if once(in: 2) { reply.pong = number(in: Int.min...Int.max) }
        if once(in: 2) {
            let time = once(in: 2) ? Date(timeIntervalSince1970: Double(number(in: 0...4_000_000_000))) : nil
            reply.authenticated = Authenticated(subject: text(5), expiresAt: time)
        }
        if once(in: 2) { reply.published = position() }
        return reply
    }
}
