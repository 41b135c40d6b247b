import TestSupport
import Testing
import TidingsWire

@Suite("PlainDialect: what a client says")
struct PlainClientMessageTests {
    struct Vector: Decodable, Sendable, CustomTestStringConvertible {
        let title: String
        let text: GeneratedText
        let message: Message?
        let error: String?

        var testDescription: String { title }
    }

    struct Message: Decodable, Sendable {
        let auth: String?
        let subscribe: [GeneratedText]?
        let unsubscribe: [GeneratedText]?
        let ping: Int?
        let refused: [Refusal]?
    }

    struct Refusal: Decodable, Hashable, Sendable {
        let code: String
        let channel: String?
    }

    private static func vectors() throws -> [Vector] {
        try Vectors.cases("plain-client-messages")
    }

    @Test("A message is read", arguments: try vectors().filter { $0.message != nil })
    func valid(vector: Vector) throws {
        let expected = try #require(vector.message)
        let message = try PlainDialect.decodeClientMessage(Array(vector.text.text.utf8))
        #expect(message.authentication == expected.auth)
        #expect(message.subscribe.map(\.rawValue) == (expected.subscribe ?? []).map(\.text))
        #expect(message.unsubscribe.map(\.rawValue) == (expected.unsubscribe ?? []).map(\.text))
        #expect(message.ping == expected.ping)
        let refused = message.refused.map { Refusal(code: $0.code.rawValue, channel: $0.channel) }
        #expect(refused == expected.refused ?? [])
    }

    @Test("A message of which nothing holds gets an error", arguments: try vectors().filter { $0.message == nil })
    func invalid(vector: Vector) throws {
        let expected = try #require(vector.error)
        let error = #expect(throws: WireError.self) {
            try PlainDialect.decodeClientMessage(Array(vector.text.text.utf8))
        }
        #expect(error?.code.rawValue == expected)
        #expect(error?.channel == nil)
        #expect(error?.message.isEmpty == false)
    }

    @Test("Whatever is sent is refused in a message that can be written", arguments: try vectors())
    func answers(vector: Vector) throws {
        var errors: [WireError] = []
        do throws(WireError) {
            errors = try PlainDialect.decodeClientMessage(Array(vector.text.text.utf8)).refused
        } catch {
            errors = [error]
        }
        for error in errors {
            #expect(PlainDialect.decodeServerMessage(PlainDialect.encode(.error(error))) == .error(error))
        }
    }

    @Test(
        "What is written",
        arguments: [
            (ClientMessage(), "{}"),
            (ClientMessage(authentication: "a\"b"), #"{"auth":"a\"b"}"#),
            (ClientMessage(subscribe: ["order", "contact"]), #"{"subscribe":["order","contact"]}"#),
            (ClientMessage(unsubscribe: ["order:7"]), #"{"unsubscribe":["order:7"]}"#),
            (ClientMessage(ping: -1), #"{"ping":-1}"#),
            (
                ClientMessage(authentication: "t", subscribe: ["a"], unsubscribe: ["b"], ping: 1),
                #"{"auth":"t","subscribe":["a"],"unsubscribe":["b"],"ping":1}"#
            ),
            (ClientMessage(ping: 1, refused: [WireError(.badChannel, "no", channel: "a b")]), #"{"ping":1}"#),
        ]
    )
    func written(message: ClientMessage, text: String) {
        #expect(String(decoding: PlainDialect.encode(message), as: UTF8.self) == text)
    }

    @Test("What is written is read back", arguments: 0..<200 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var message = ClientMessage()
        if generator.once(in: 2) { message.authentication = generator.text(generator.number(in: 0...20)) }
        for _ in 0..<generator.number(in: 0...4) { message.subscribe.append(try ChannelName(generator.name())) }
        for _ in 0..<generator.number(in: 0...4) { message.unsubscribe.append(try ChannelName(generator.name())) }
        if generator.once(in: 2) { message.ping = generator.number(in: Int.min...Int.max) }
        let text = PlainDialect.encode(message)
        #expect(try PlainDialect.decodeClientMessage(text) == message)
        #expect(throws: Never.self) { try JSONTree(text) }
    }

    @Test("Broken JSON is refused without harm", arguments: 0..<20 as Range<UInt64>)
    func garbage(seed: UInt64) {
        var random = RandomJSON(seed: seed)
        let text = #"{"auth":"a\u0041","subscribe":["order","\ud83c\udf54"],"unsubscribe":[],"ping":12}"#
        for _ in 0..<200 {
            _ = try? PlainDialect.decodeClientMessage(random.mutated(text))
            _ = try? PlainDialect.decodeClientMessage(random.generator.bytes(random.generator.number(in: 0...30)))
        }
    }

    @Test(
        "An error says nothing of the message but the channel",
        arguments: ["{\"auth\":secret}", "{\"auth\":[\"secret\"]}", "secret"]
    )
    func errorsKeepSecrets(text: String) {
        let error = #expect(throws: WireError.self) { try PlainDialect.decodeClientMessage(Array(text.utf8)) }
        #expect(error.map { "\($0)" }?.contains("secret") == false)
    }

    @Test("A description tells what is asked for and not the token")
    func descriptions() throws {
        let message = ClientMessage(authentication: "secret", subscribe: ["order"], unsubscribe: ["contact"], ping: 1)
        for description in ["\(message)", String(reflecting: message), "\([message])"] {
            #expect(!description.contains("secret"))
            #expect(description.contains("order"))
        }
        #expect("\(message)" == "auth, subscribe order, unsubscribe contact, ping 1")
        #expect("\(ClientMessage(subscribe: ["a", "b"]))" == "subscribe a b")
        #expect("\(ClientMessage())" == "nothing")
        let refused = ClientMessage(refused: [WireError(.badChannel, "no", channel: "a b")])
        #expect("\(refused)" == "1 refused")
    }
}
