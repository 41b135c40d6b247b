import Foundation
import TestSupport
import Testing
import TidingsWire

@Suite("The topic dialect")
struct TopicDialectTests {
    private static func texts(_ message: ServerMessage) -> [String] {
        Dialect.topic.encode(message).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func decoded(_ event: BroadcastEvent) throws -> BroadcastEvent {
        let message = try #require(Dialect.topic.decodeServerMessage(Dialect.topic.encode(event)))
        guard case .event(let event) = message else { throw WireError(.badRequest, "It is no event.") }
        return event
    }

    // MARK: What a client says

    @Test("A client asks for one topic a message, in the order in which things take effect")
    func written() {
        let message = ClientMessage(
            id: 1,
            authentication: "t",
            subscribe: ["a", "b"],
            since: ["a": EventPosition(epoch: "k3f9", offset: 41)],
            unsubscribe: ["c"],
            ping: 7,
            publish: PublishRequest(channel: "d"),
            refused: [WireError(.badChannel, "no", channel: "e f")]
        )
        #expect(
            Dialect.topic.encode(message).map { String(decoding: $0, as: UTF8.self) } == [
                #"{"action":"auth","token":"t"}"#,
                #"{"action":"subscribe","topic":"a"}"#,
                #"{"action":"subscribe","topic":"b"}"#,
                #"{"action":"unsubscribe","topic":"c"}"#,
                #"{"action":"ping"}"#,
            ]
        )
        #expect(Dialect.topic.encode(ClientMessage()).isEmpty)
    }

    @Test("What a client writes is read as it was meant", arguments: 0..<100 as Range<UInt64>)
    func clientRoundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var message = ClientMessage()
        if generator.once(in: 2) { message.authentication = generator.text(generator.number(in: 0...20)) }
        for _ in 0..<generator.number(in: 0...4) { message.subscribe.append(try ChannelName(generator.name())) }
        for _ in 0..<generator.number(in: 0...4) { message.unsubscribe.append(try ChannelName(generator.name())) }
        if generator.once(in: 2) { message.ping = 0 }
        #expect(try message.asRead(in: .topic) == message)
    }

    @Test(
        "An error says nothing of the message but the channel",
        arguments: [
            #"{"action":"auth","token":secret}"#, #"{"action":"auth","token":["secret"]}"#, #"{"action":"secret"}"#,
        ]
    )
    func errorsKeepSecrets(text: String) {
        let error = #expect(throws: WireError.self) { try Dialect.topic.decodeClientMessage(Array(text.utf8)) }
        #expect(error.map { "\($0)" }?.contains("secret") == false)
    }

    // MARK: What a server answers

    @Test("A reply is as many messages as it has parts, the pong last")
    func replies() {
        let reply = ServerReply(
            id: 1,
            subscribed: ["a", "b"].map {
                SubscribedChannel(channel: $0, position: EventPosition(epoch: "e", offset: 1), recovered: true)
            },
            refused: [WireError(.forbidden, "No.", channel: "secret"), WireError(.badChannel, "Too long.")],
            unsubscribed: ["c"],
            pong: 7,
            authenticated: Authenticated(subject: "42", expiresAt: Date(timeIntervalSince1970: 1)),
            published: EventPosition(epoch: "e", offset: 2)
        )
        #expect(
            Self.texts(.reply(reply)) == [
                #"{"action":"authenticated"}"#,
                #"{"action":"subscribed","topic":"a"}"#,
                #"{"action":"subscribed","topic":"b"}"#,
                #"{"action":"error","topic":"secret","code":"forbidden","message":"No."}"#,
                #"{"action":"error","code":"bad_channel","message":"Too long."}"#,
                #"{"action":"unsubscribed","topic":"c"}"#,
                #"{"action":"pong"}"#,
            ]
        )
        #expect(Self.texts(.reply(ServerReply(id: 1))).isEmpty)
    }

    @Test("An error has no identifier")
    func errors() {
        let texts = Self.texts(.error(WireError(.rateLimited, "Wait.", channel: "a"), id: 4))
        #expect(texts == [#"{"action":"error","topic":"a","code":"rate_limited","message":"Wait."}"#])
    }

    @Test("It has no words for a welcome and for draining")
    func unsaid() {
        let welcome = Welcome(connection: "c-1", server: "tidings/0.1.0", heartbeat: .seconds(25))
        #expect(Self.texts(.welcome(welcome)).isEmpty)
        #expect(Self.texts(.draining(reconnectWithin: .seconds(5))).isEmpty)
    }

    // MARK: Events

    @Test("Names go there and back", arguments: [.created, .updated, .deleted, .statusChanged] as [EventName])
    func names(name: EventName) throws {
        let event = BroadcastEvent(channel: "order", name: name, payload: ["entity_id": "1"])
        #expect(try Self.decoded(event) == event)
    }

    @Test("Stale comes back as stale, with its reason alone")
    func stale() throws {
        var event = BroadcastEvent.stale("order", reason: .backendRestored)
        #expect(try Self.decoded(event) == event)
        event.time = Date(timeIntervalSince1970: 1_000_000)
        let decoded = try Self.decoded(event)
        #expect(decoded == event)
        #expect(decoded.time == event.time)
        #expect(decoded.staleReason == .backendRestored)
    }

    @Test("Stale is about no entity, whatever its payload says")
    func staleEntity() throws {
        let payload: EventPayload = ["reason": "gap", "entity_id": "1"]
        let text = Dialect.topic.encode(BroadcastEvent(channel: "order", name: .stale, payload: payload))
        #expect(String(decoding: text, as: UTF8.self).contains(#""entity_id":"","payload":{"reason":"gap"}"#))
    }

    @Test("Time and trace arrive, position and spread do not")
    func metadata() throws {
        let event = BroadcastEvent(
            channel: "order",
            name: .updated,
            payload: ["entity_id": "1"],
            position: EventPosition(epoch: "k3f9", offset: 41),
            spread: .milliseconds(250),
            traceID: "4bf92f3577b34da6a3ce929d0e0e4736",
            time: Date(timeIntervalSince1970: 1_767_323_045.678)
        )
        let decoded = try Self.decoded(event)
        #expect(decoded.traceID == event.traceID)
        #expect(decoded.time == event.time)
        #expect(decoded.position == nil)
        #expect(decoded.spread == nil)
        #expect(decoded.payload == ["entity_id": "1", "timestamp": "2026-01-02T03:04:05.678Z"])
    }

    @Test("A time that has no form on the wire is not known")
    func endlessTime() throws {
        var event = BroadcastEvent(channel: "order", name: .updated)
        event.time = Date(timeIntervalSince1970: .infinity)
        #expect(try Self.decoded(event).time == nil)
    }

    /// What a reader of the dialect takes for granted.
    private struct Envelope: Decodable {
        let topic: String
        let event: String
        let data: Content

        struct Content: Decodable {
            let entityID: String
            let payload: JSONTree
            let userID: String
            let timestamp: String

            enum CodingKeys: String, CodingKey {
                case entityID = "entity_id"
                case payload
                case userID = "user_id"
                case timestamp
            }
        }
    }

    @Test("A reader finds its strings in every event", arguments: 0..<100 as Range<UInt64>)
    func alwaysStrings(seed: UInt64) throws {
        var random = RandomJSON(seed: seed)
        let special = ["entity_id", "user_id", "timestamp"].filter { _ in random.generator.once(in: 2) }
        let members = special.map { "\"\($0)\":" + random.text() }
        let payload = try EventPayload(json: Array("{\(members.joined(separator: ","))}".utf8))
        let event = BroadcastEvent(
            channel: try ChannelName(random.generator.name()),
            name: try EventName(random.generator.name()),
            payload: payload
        )
        let envelope = try JSONDecoder().decode(Envelope.self, from: Data(Dialect.topic.encode(event)))
        #expect(envelope.topic == event.channel.rawValue)
        #expect(["ADDED", "UPDATED", "DELETED", "STATUS_CHANGED"].contains(envelope.event))
        #expect(!envelope.data.timestamp.isEmpty)
    }

    @Test("What stays in a payload comes back byte for byte", arguments: 0..<100 as Range<UInt64>)
    func payloads(seed: UInt64) throws {
        var random = RandomJSON(seed: seed)
        let members = (0..<random.generator.number(in: 0...6)).map { "\"m\($0)\" : " + random.text() }
        let entity = random.generator.once(in: 2) ? [#""entity_id":"1""#] : []
        let user = random.generator.once(in: 2) ? [#""user_id":"2""#] : []
        let sent = (members + entity + user).joined(separator: " ,\n")
        let event = BroadcastEvent(
            channel: "order",
            name: .updated,
            payload: try EventPayload(json: Array("{\(sent)}".utf8))
        )
        // White space between members is not part of any of them.
        let kept = members.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
        let expected = "{" + (entity + user + kept).joined(separator: ",") + "}"
        let decoded = try Self.decoded(event)
        #expect(String(decoding: decoded.payload.json, as: UTF8.self) == expected)
    }

    @Test("A payload has as many members as fit")
    func manyMembers() throws {
        let members = (0..<5000).map { "\"m\($0)\":0" } + [#""entity_id":"42""#]
        let payload = try EventPayload(json: Array("{\(members.joined(separator: ","))}".utf8))
        let decoded = try Self.decoded(BroadcastEvent(channel: "order", name: .updated, payload: payload))
        #expect(decoded.payload.entityID == "42")
        #expect(try decoded.payload.decode(JSONTree.self) == payload.decode(JSONTree.self))
    }

    @Test("Other payloads are ignored, and so is an event of the plain dialect")
    func ignored() {
        for payload in ["[]", "null", "\"{}\"", "1"] {
            let text = #"{"topic":"order","event":"UPDATED","data":{"payload":\#(payload)}}"#
            #expect(Dialect.topic.decodeServerMessage(Array(text.utf8)) == nil)
        }
        let plain = Dialect.plain.encode(BroadcastEvent(channel: "order", name: .updated))
        #expect(Dialect.topic.decodeServerMessage(plain) == nil)
    }
}
