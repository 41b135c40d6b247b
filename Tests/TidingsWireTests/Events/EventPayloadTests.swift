import Foundation
import TestSupport
import Testing
import TidingsWire

@Suite("EventPayload")
struct EventPayloadTests {
    private struct Hint: Codable, Equatable {
        var entityID: String
        var version: Int
        var tags: [String]?

        enum CodingKeys: String, CodingKey {
            case entityID = "entity_id"
            case version
            case tags
        }
    }

    // MARK: Making

    @Test(
        "Bytes are kept as they are",
        arguments: ["{}", " { } ", "{\"a\" : 1,\n\"a\":2}", "{\"n\":12345678901234567890}"]
    )
    func bytes(text: String) throws {
        #expect(try EventPayload(json: Array(text.utf8)).json == Array(text.utf8))
    }

    @Test("A payload is an object", arguments: ["[]", "[{}]", "\"{}\"", "1", "true", "null", " null "])
    func otherKinds(text: String) {
        let error = #expect(throws: WireError.self) { try EventPayload(json: Array(text.utf8)) }
        #expect(error?.code == .badRequest)
    }

    @Test(
        "A payload is JSON",
        arguments: ["", " ", "secret", "{\"secret\":secret}", "{secret:1}", "{}{}", "{\"a\":1,}"]
    )
    func noJSON(text: String) {
        let error = #expect(throws: WireError.self) { try EventPayload(json: Array(text.utf8)) }
        #expect(error?.code == .badJSON)
        #expect(error?.message.contains("secret") == false)
    }

    @Test("A payload is UTF-8", arguments: [[0xFF], [0x80], [0xC3], [0xED, 0xA0, 0x80]] as [[UInt8]])
    func noUTF8(bytes: [UInt8]) {
        let json = Array("{\"a\":\"".utf8) + bytes + Array("\"}".utf8)
        let error = #expect(throws: WireError.self) { try EventPayload(json: json) }
        #expect(error?.code == .badJSON)
    }

    @Test("The empty payload is the empty object")
    func empty() throws {
        #expect(EventPayload().json == Array("{}".utf8))
        #expect(EventPayload() == [:])
        #expect(EventPayload() == (try EventPayload(json: Array("{}".utf8))))
    }

    @Test("A structure becomes a payload and comes back")
    func encoding() throws {
        let hint = Hint(entityID: "42", version: 7, tags: ["é", "\"", "🍔"])
        let payload = try EventPayload(encoding: hint)
        #expect(try payload.decode(Hint.self) == hint)
        #expect(payload.entityID == "42")
    }

    @Test("The encoder and the decoder may be the caller's")
    func coders() throws {
        struct Moment: Codable, Equatable {
            var entityId: String
            var at: Date
        }
        let moment = Moment(entityId: "42", at: Date(timeIntervalSince1970: 1_000_000))
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = .sortedKeys
        let payload = try EventPayload(encoding: moment, encoder: encoder)
        #expect(payload.json == Array(#"{"at":"1970-01-12T13:46:40Z","entity_id":"42"}"#.utf8))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        decoder.dateDecodingStrategy = .iso8601
        #expect(try payload.decode(Moment.self, decoder: decoder) == moment)
    }

    @Test("What becomes no object is no payload")
    func encodingOther() {
        #expect(throws: WireError.self) { try EventPayload(encoding: [1, 2]) }
        #expect(throws: WireError.self) { try EventPayload(encoding: "text") }
        #expect(throws: EncodingError.self) { try EventPayload(encoding: ["a": Double.nan]) }
    }

    @Test("What is not of the type does not decode")
    func decodingOther() {
        let payload: EventPayload = ["entity_id": 42]
        #expect(throws: DecodingError.self) { try payload.decode(Hint.self) }
    }

    @Test("A literal is written in its order and read by Foundation")
    func literals() throws {
        let payload: EventPayload = [
            "entity_id": "42", "version": 7, "ratio": 0.5, "open": true, "note": nil, "tags": ["a", "\n"],
            "nested": ["b": 1, "a": []],
        ]
        let text =
            #"{"entity_id":"42","version":7,"ratio":0.5,"open":true,"note":null,"tags":["a","\n"],"#
            + #""nested":{"a":[],"b":1}}"#
        #expect(payload.json == Array(text.utf8))
        #expect(try payload.decode(JSONTree.self) == JSONTree(payload.json))
        #expect(try EventPayload(json: payload.json) == payload)
    }

    @Test("Payloads are equal when their bytes are")
    func equality() throws {
        #expect(["a": 1] as EventPayload == ["a": 1])
        #expect(["a": 1] as EventPayload != ["a": 2])
        #expect(try EventPayload(json: Array("{ }".utf8)) != EventPayload())
    }

    // MARK: Depth

    @Test("The deepest payload fits into a message; one that is deeper is refused")
    func depth() throws {
        func nested(_ levels: Int) -> [UInt8] {
            let arrays = levels - 1
            let text = "{\"a\":" + String(repeating: "[", count: arrays) + String(repeating: "]", count: arrays) + "}"
            return Array(text.utf8)
        }
        let payload = try EventPayload(json: nested(WireLimits.payloadDepth))
        let event = BroadcastEvent(channel: "order", name: .updated, payload: payload)
        for dialect in Dialect.allCases {
            let text = dialect.encode(event)
            #expect(dialect.decodeServerMessage(text) == .event(event))
            #expect(throws: Never.self) { try JSONTree(text) }
        }
        let error = #expect(throws: WireError.self) { try EventPayload(json: nested(WireLimits.payloadDepth + 1)) }
        #expect(error?.code == .badJSON)
        #expect(WireLimits.payloadDepth < WireLimits.jsonDepth)
    }

    // MARK: Members

    @Test(
        "The text of a member",
        arguments: [
            (#"{"entity_id":"42"}"#, "42"), (#"{ "entity_id" : "42" }"#, "42"), (#"{"entity_id":""}"#, ""),
            (#"{"entity\u005fid":"\u0034\u0032"}"#, "42"), (#"{"entity_id":"1","entity_id":"2"}"#, "2"),
            (#"{"entity_id":"1","entity_id":2}"#, "2"), (#"{"entity_id":42}"#, "42"), (#"{"entity_id":null}"#, nil),
            (#"{"entity_id":4.5}"#, nil), (#"{"entity_id":1e3}"#, nil), (#"{"entity_id":true}"#, nil),
            (#"{"nested":{"entity_id":"42"}}"#, nil), (#"{"Entity_ID":"42"}"#, nil), ("{}", nil),
            (#"{"a":[1,{"b":"c"}],"entity_id":"🍔"}"#, "🍔"),
        ] as [(String, String?)]
    )
    func entityID(text: String, entityID: String?) throws {
        let payload = try EventPayload(json: Array(text.utf8))
        #expect(payload.entityID == entityID)
    }

    @Test("A member is found among very many", arguments: [0, 255, 256, 257, 3000])
    func manyMembers(others: Int) throws {
        let members = (0..<others).map { "\"m\($0)\":\($0)" } + [#""entity_id":"42""#]
        for members in [members, members.reversed()] {
            let payload = try EventPayload(json: Array("{\(members.joined(separator: ","))}".utf8))
            #expect(payload.entityID == "42")
        }
    }

    @Test("A description tells the size and not the content")
    func descriptions() {
        let payload: EventPayload = ["secret": "secret"]
        for description in ["\(payload)", String(reflecting: payload), "\([payload])"] {
            #expect(description.contains("19 bytes"))
            #expect(!description.contains("secret"))
        }
    }
}
