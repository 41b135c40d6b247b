import TestSupport
import Testing
import TidingsWire

@Suite("PlainDialect: what a server says")
struct PlainServerMessageTests {
    struct Vector: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let text: String
        let message: Message?
        let encodable: Bool?

        var testDescription: String { name }
    }

    struct Message: Decodable, Sendable {
        let type: String
        let channel: String?
        let event: String?
        let payload: JSONTree?
        let value: Int?
        let code: String?
        let message: String?
    }

    private static func vectors() throws -> [Vector] {
        try Vectors.cases("plain-server-messages")
    }

    @Test("A message is read", arguments: try vectors())
    func decode(vector: Vector) throws {
        let message = PlainDialect.decodeServerMessage(Array(vector.text.utf8))
        guard let expected = vector.message else {
            #expect(message == nil)
            return
        }
        switch try #require(message) {
        case .event(let event):
            #expect(expected.type == "event")
            #expect(event.channel.rawValue == expected.channel)
            #expect(event.name.rawValue == expected.event)
            #expect(try JSONTree(event.payload.json) == expected.payload)
        case .error(let error):
            #expect(expected.type == "error")
            #expect(error.code.rawValue == expected.code)
            #expect(error.message == expected.message)
            #expect(error.channel == expected.channel)
        case .pong(let value):
            #expect(expected.type == "pong")
            #expect(value == expected.value)
        }
    }

    @Test(
        "A message is written as it was read",
        arguments: try vectors().filter { $0.message != nil && $0.encodable != false }
    )
    func encode(vector: Vector) throws {
        let message = try #require(PlainDialect.decodeServerMessage(Array(vector.text.utf8)))
        #expect(String(decoding: PlainDialect.encode(message), as: UTF8.self) == vector.text)
    }

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
            "pong": .pong(1),
            "error with a channel": .error(
                WireError(.forbidden, "This channel is not open to you.", channel: "secret")
            ),
            "error without a channel": .error(WireError(.badJSON, "The message is not JSON.")),
        ]
        let vectors = try Self.vectors().filter { messages[$0.name] != nil }
        #expect(vectors.count == messages.count)
        for vector in vectors {
            let message = try #require(messages[vector.name])
            #expect(String(decoding: PlainDialect.encode(message), as: UTF8.self) == vector.text)
        }
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
            message = .error(WireError(.init(rawValue: generator.text(5)), generator.text(30), channel: channel))
        default:
            message = .pong(generator.number(in: Int.min...Int.max))
        }
        let text = PlainDialect.encode(message)
        #expect(PlainDialect.decodeServerMessage(text) == message)
        #expect(throws: Never.self) { try JSONTree(text) }
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
        #expect(PlainDialect.decodeServerMessage(Array(text.utf8)) == nil)
    }

    @Test("An error needs a code; what else it lacks is left out")
    func incompleteErrors() {
        let bare = PlainDialect.decodeServerMessage(Array("{\"error\":{\"code\":\"later\"}}".utf8))
        #expect(bare == .error(WireError(.init(rawValue: "later"), "")))
        let text = "{\"error\":{\"later\":[1],\"code\":\"forbidden\",\"message\":\"no\",\"channel\":null}}"
        #expect(PlainDialect.decodeServerMessage(Array(text.utf8)) == .error(WireError(.forbidden, "no")))
    }

    @Test("Of keys that come twice the last counts")
    func duplicates() {
        let text = #"{"channel":"a","event":"updated","payload":[],"channel":"b","payload":{"x":1}}"#
        let expected = BroadcastEvent(channel: "b", name: .updated, payload: ["x": 1])
        #expect(PlainDialect.decodeServerMessage(Array(text.utf8)) == .event(expected))
    }

    @Test("Broken JSON is ignored without harm", arguments: 0..<20 as Range<UInt64>)
    func garbage(seed: UInt64) {
        var random = RandomJSON(seed: seed)
        let text =
            #"{"channel":"order","event":"updated","payload":{"entity_id":"\u0034\ud83c\udf54"},"#
            + #""error":{"code":"c"},"pong":1}"#
        for _ in 0..<200 {
            _ = PlainDialect.decodeServerMessage(random.mutated(text))
            _ = PlainDialect.decodeServerMessage(random.generator.bytes(random.generator.number(in: 0...30)))
        }
    }
}
