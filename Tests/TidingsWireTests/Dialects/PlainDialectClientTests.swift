import TestSupport
import Testing
import TidingsWire

@Suite("The plain dialect: what a client says")
struct PlainDialectClientTests {
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
            (ClientMessage(publish: PublishRequest(channel: "a")), #"{"publish":"a","payload":{}}"#),
            (
                ClientMessage(ping: 1, publish: PublishRequest(channel: "a", name: "rang", payload: ["n": 1])),
                #"{"publish":"a","event":"rang","payload":{"n":1},"ping":1}"#
            ),
            // What is only read, and what only the extended dialect has words for.
            (ClientMessage(ping: 1, refused: [WireError(.badChannel, "no", channel: "a b")]), #"{"ping":1}"#),
            (
                ClientMessage(
                    id: 1,
                    subscribe: ["a"],
                    since: ["a": EventPosition(epoch: "e", offset: 1)],
                    unreadableSince: ["a"]
                ),
                #"{"subscribe":["a"]}"#
            ),
        ]
    )
    func written(message: ClientMessage, text: String) {
        let texts = Dialect.plain.encode(message).map { String(decoding: $0, as: UTF8.self) }
        #expect(texts == [text])
    }

    @Test("What is written is read back", arguments: 0..<200 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var message = ClientMessage()
        if generator.once(in: 2) { message.authentication = generator.text(generator.number(in: 0...20)) }
        for _ in 0..<generator.number(in: 0...4) { message.subscribe.append(try ChannelName(generator.name())) }
        for _ in 0..<generator.number(in: 0...4) { message.unsubscribe.append(try ChannelName(generator.name())) }
        if generator.once(in: 2) { message.ping = generator.number(in: Int.min...Int.max) }
        if generator.once(in: 2) {
            var random = RandomJSON(seed: seed)
            let payload = try EventPayload(json: Array(random.object(depth: 3).utf8))
            message.publish = PublishRequest(
                channel: try ChannelName(generator.name()),
                name: try EventName(generator.name()),
                payload: payload
            )
        }
        #expect(try message.asRead(in: .plain) == message)
        for text in Dialect.plain.encode(message) {
            #expect(throws: Never.self) { try JSONTree(text) }
        }
    }

    @Test(
        "An error says nothing of the message but the channel",
        arguments: ["{\"auth\":secret}", "{\"auth\":[\"secret\"]}", "secret"]
    )
    func errorsKeepSecrets(text: String) {
        let error = #expect(throws: WireError.self) { try Dialect.plain.decodeClientMessage(Array(text.utf8)) }
        #expect(error.map { "\($0)" }?.contains("secret") == false)
    }
}
