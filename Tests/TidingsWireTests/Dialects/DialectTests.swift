import Testing
import TidingsWire

@Suite("Dialect")
struct DialectTests {
    @Test(
        "Subprotocols",
        arguments: [(.plain, "tidings.plain"), (.extended, "tidings.v1"), (.topic, nil), (.feed, nil)]
            as [(Dialect, String?)]
    )
    func subprotocols(dialect: Dialect, name: String?) {
        #expect(dialect.subprotocol == name)
        if let name { #expect(Dialect(subprotocol: name) == dialect) }
    }

    @Test(
        "Other names are none",
        arguments: ["", "tidings", "Tidings.plain", "tidings.plain ", "tidings.v2", "bearer.abc", "graphql-ws"]
    )
    func otherSubprotocols(name: String) {
        #expect(Dialect(subprotocol: name) == nil)
    }

    @Test("An event is one text, alone and as a message", arguments: Dialect.allCases)
    func events(dialect: Dialect) {
        let event = BroadcastEvent(channel: "order", name: .created, payload: ["entity_id": "1"])
        #expect(dialect.encode(.event(event)) == [dialect.encode(event)])
    }

    @Test("A message has at most 256 members; names that come again do not count", arguments: Dialect.allCases)
    func manyMembers(dialect: Dialect) throws {
        let ping = dialect.encode(ClientMessage(ping: 0)).map { String(decoding: $0.dropFirst(), as: UTF8.self) }[0]
        let others = (0..<255).map { "\"\($0)\":0," }.joined()
        let repeated = String(repeating: "\"7\":1,", count: 1000)
        #expect(try dialect.decodeClientMessage(Array("{\(others)\(repeated)\(ping)".utf8)).ping == 0)
        let error = #expect(throws: WireError.self) {
            try dialect.decodeClientMessage(Array("{\(others)\"255\":0,\(ping)".utf8))
        }
        #expect(error?.code == .badRequest)
        #expect(error?.message.contains("too many members") == true)
    }

    @Test("A server's message of more than 256 members is ignored", arguments: Dialect.allCases)
    func manyServerMembers(dialect: Dialect) throws {
        let pong = ServerMessage.reply(ServerReply(pong: 0))
        let text = try #require(dialect.encode(pong).first).dropFirst()
        func message(others: Int) -> [UInt8] {
            Array("{".utf8) + (0..<others).flatMap { Array("\"\($0)\":0,".utf8) } + text
        }
        #expect(dialect.decodeServerMessage(message(others: 255)) == pong)
        #expect(dialect.decodeServerMessage(message(others: 256)) == nil)
    }
}
