import Foundation
import TestSupport
import Testing
import TidingsWire

@Suite("The plain dialect: what a server says")
struct PlainDialectServerTests {
    @Test("A message that is made here is written as in the vectors")
    func written() throws {
        let messages: [String: ServerMessage] = [
            "event": .event(
                BroadcastEvent(
                    channel: "order",
                    name: "item_added",
                    payload: [
                        "entity_id": "123e4567-e89b-12d3-a456-426614174000",
                        "item_id": "987fcdeb-51a2-3c4d-b5e6-789012345678",
                    ]
                )
            ),
            "event with an empty payload": .event(BroadcastEvent(channel: "order", name: .updated)),
            "stale": .event(.stale("order", reason: .lagged)),
            "pong": .reply(ServerReply(pong: 1)),
            "error with a channel": .error(
                WireError(.forbidden, "This channel is not open to you.", channel: "secret"),
                id: nil
            ),
            "error without a channel": .error(WireError(.badJSON, "The message is not JSON."), id: nil),
        ]
        let vectors = try ServerMessageVector.all().filter {
            $0.dialect == .plain && messages[$0.content.name] != nil
        }
        #expect(vectors.count == messages.count)
        for vector in vectors {
            let message = try #require(messages[vector.content.name])
            #expect(Dialect.plain.encode(message) == [vector.text])
        }
    }

    @Test("An event has three keys, whatever else is known of it")
    func threeKeys() {
        var event = BroadcastEvent(channel: "order", name: .updated, payload: ["entity_id": "1"])
        event.position = EventPosition(epoch: "k3f9", offset: 41)
        event.spread = .seconds(1)
        event.traceID = "trace"
        event.time = Date(timeIntervalSince1970: 1)
        let text = #"{"channel":"order","event":"updated","payload":{"entity_id":"1"}}"#
        #expect(Dialect.plain.encode(event) == Array(text.utf8))
        #expect(Dialect.plain.encode(.event(event)) == [Array(text.utf8)])
    }

    @Test("Of a reply it tells what was refused, and then the pong")
    func replies() {
        let refused = [WireError(.forbidden, "no", channel: "a"), WireError(.badChannel, "too long")]
        let reply = ServerReply(
            id: 1,
            subscribed: [SubscribedChannel(channel: "b", position: EventPosition(epoch: "e", offset: 1))],
            refused: refused,
            unsubscribed: ["c"],
            pong: 7,
            authenticated: Authenticated(subject: "42"),
            published: EventPosition(epoch: "e", offset: 2)
        )
        let texts = Dialect.plain.encode(.reply(reply)).map { String(decoding: $0, as: UTF8.self) }
        #expect(
            texts == [
                #"{"error":{"code":"forbidden","message":"no","channel":"a"}}"#,
                #"{"error":{"code":"bad_channel","message":"too long"}}"#,
                #"{"pong":7}"#,
            ]
        )
        #expect(Dialect.plain.encode(.reply(ServerReply(id: 1, unsubscribed: ["c"]))).isEmpty)
    }

    @Test("An error has no identifier")
    func errors() {
        let texts = Dialect.plain.encode(.error(WireError(.badJSON, "no"), id: 4))
        #expect(texts == [Array(#"{"error":{"code":"bad_json","message":"no"}}"#.utf8)])
    }

    @Test("It has no words for a welcome and for draining")
    func unsaid() {
        let welcome = Welcome(connection: "c-1", server: "tidings/0.1.0", heartbeat: .seconds(25))
        #expect(Dialect.plain.encode(.welcome(welcome)).isEmpty)
        #expect(Dialect.plain.encode(.draining(reconnectWithin: .seconds(5))).isEmpty)
    }

    @Test("What is written is read back", arguments: 0..<200 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let message: ServerMessage
        switch generator.number(in: 0...2) {
        case 0:
            var random = RandomJSON(seed: seed)
            let payload = try EventPayload(json: Array(random.object(depth: 3).utf8))
            message = .event(
                BroadcastEvent(
                    channel: try ChannelName(generator.name()),
                    name: try EventName(generator.name()),
                    payload: payload
                )
            )
        case 1:
            let channel = generator.once(in: 2) ? generator.text(5) : nil
            let error = WireError(.init(rawValue: generator.text(5)), generator.text(30), channel: channel)
            message = .error(error, id: nil)
        default:
            message = .reply(ServerReply(pong: generator.number(in: Int.min...Int.max)))
        }
        let texts = Dialect.plain.encode(message)
        #expect(texts.map(Dialect.plain.decodeServerMessage) == [message])
        for text in texts {
            #expect(throws: Never.self) { try JSONTree(text) }
        }
    }

    @Test(
        "Other messages are ignored",
        arguments: [
            "", "{}", "null", "1", "{\"pong\":\"1\"}", "{\"pong\":1.5}", "{\"pong\":null}", "{\"error\":\"forbidden\"}",
            "{\"error\":{}}", "{\"error\":{\"code\":7,\"message\":\"\"}}", "{\"error\":{\"message\":\"no code\"}}",
            "{\"channel\":\"a b\",\"event\":\"updated\",\"payload\":{}}",
            "{\"channel\":\"\",\"event\":\"updated\",\"payload\":{}}",
            "{\"channel\":\"order\",\"event\":\"\",\"payload\":{}}",
            "{\"channel\":\"order\",\"event\":7,\"payload\":{}}",
            "{\"channel\":\"order\",\"event\":\"updated\",\"payload\":null}",
            "{\"event\":\"updated\",\"payload\":{}}", "{\"channel\":\"order\",\"payload\":{}}",
            "{\"channel\":\"order\",\"event\":\"updated\",\"payload\":{}",
            "{\"Channel\":\"order\",\"event\":\"updated\",\"payload\":{}}",
        ]
    )
    func ignored(text: String) {
        #expect(Dialect.plain.decodeServerMessage(Array(text.utf8)) == nil)
    }

    @Test("An error needs a code; what else it lacks is left out")
    func incompleteErrors() {
        let bare = Dialect.plain.decodeServerMessage(Array("{\"error\":{\"code\":\"later\"}}".utf8))
        #expect(bare == .error(WireError(.init(rawValue: "later"), ""), id: nil))
        let text = "{\"error\":{\"later\":[1],\"code\":\"forbidden\",\"message\":\"no\",\"channel\":null}}"
        let error = WireError(.forbidden, "no")
        #expect(Dialect.plain.decodeServerMessage(Array(text.utf8)) == .error(error, id: nil))
    }

    @Test("Of keys that come twice the last counts")
    func duplicates() {
        let text = #"{"channel":"a","event":"updated","payload":[],"channel":"b","payload":{"x":1}}"#
        let expected = BroadcastEvent(channel: "b", name: .updated, payload: ["x": 1])
        #expect(Dialect.plain.decodeServerMessage(Array(text.utf8)) == .event(expected))
    }
}
