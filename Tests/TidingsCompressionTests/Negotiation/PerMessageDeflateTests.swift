import TestSupport
import Testing
import TidingsCompression

@Suite("PerMessageDeflate")
struct PerMessageDeflateTests {
    @Test("A server answers the first offer that it can accept", arguments: try NegotiationVector.from("client"))
    func offers(vector: NegotiationVector) throws {
        if vector.isMalformed {
            #expect(throws: ExtensionNegotiationError.self) { try PerMessageDeflate.answer(to: vector.values) }
        } else {
            #expect(try PerMessageDeflate.answer(to: vector.values) == vector.answer)
        }
    }

    @Test("A client takes an answer to its offer, and no other", arguments: try NegotiationVector.from("server"))
    func answers(vector: NegotiationVector) throws {
        if vector.isMalformed {
            #expect(throws: ExtensionNegotiationError.self) { try PerMessageDeflate.agreement(with: vector.values) }
        } else {
            let agreement = try PerMessageDeflate.agreement(with: vector.values)
            #expect(agreement?.serverKeepsContext == vector.serverKeepsContext)
        }
    }

    @Test("What this client offers this server accepts, and keeps no context")
    func bothEnds() throws {
        let answer = try #require(try PerMessageDeflate.answer(to: [PerMessageDeflate.offer]))
        #expect(try PerMessageDeflate.agreement(with: [answer])?.serverKeepsContext == false)
    }

    @Test("What is wrong is said without what was sent")
    func descriptions() {
        let error = #expect(throws: ExtensionNegotiationError.self) {
            try PerMessageDeflate.answer(to: ["permessage-deflate; secret secret"])
        }
        #expect(error?.description == "Sec-WebSocket-Extensions: something stands behind a parameter")
    }

    @Test("A header of any length is read, or refused, in a moment", arguments: [",", ";x", ",a", "; a=\"b\\", " "])
    func longHeaders(part: String) throws {
        let long = "permessage-deflate" + String(repeating: part, count: 1_000_000)
        #expect(throws: ExtensionNegotiationError.self) { try PerMessageDeflate.answer(to: [long]) }
        let many = Array(repeating: "permessage-deflate; x", count: 100_000)
        #expect(throws: ExtensionNegotiationError.self) { try PerMessageDeflate.answer(to: many) }
    }

    @Test("However an offer is written, it is the same offer", arguments: 0..<200 as Range<UInt64>)
    func spellings(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let window = generator.number(in: 12...15)
        var parameters = ["server_no_context_takeover", "client_no_context_takeover", "client_max_window_bits"]
            .filter { _ in generator.once(in: 2) }
        parameters.append("server_max_window_bits\(generator.space())=\(generator.space())\(generator.value(window))")
        parameters.shuffle(using: &generator)
        var offer = "permessage-deflate"
        for parameter in parameters { offer += generator.space() + ";" + generator.space() + parameter }
        let others = [
            "x-one", "x-two; a; b=c", "", "permessage-deflate; x", "permessage-deflate; server_max_window_bits=9",
        ]
        let list = [generator.pick(others), offer, generator.pick(others)]
        let values = generator.once(in: 2) ? list.filter { !$0.isEmpty } : [list.joined(separator: generator.comma())]
        let answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        #expect(try PerMessageDeflate.answer(to: values) == answer + "; server_max_window_bits=12", "\(values)")
    }

    @Test("Garbage is refused or declined", arguments: 0..<20 as Range<UInt64>)
    func garbage(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let parts = [
            "permessage-deflate", "server_max_window_bits", "client_max_window_bits", "12",
            ";", ",", "=", "\"", "\\", " ", "é", "\u{0}",
        ]
        for _ in 0..<500 {
            let value = (0..<generator.number(in: 0...12)).map { _ in generator.pick(parts) }.joined()
            let answer = try? PerMessageDeflate.answer(to: [value])
            #expect(answer?.hasPrefix("permessage-deflate; server_no_context_takeover") ?? true)
            _ = try? PerMessageDeflate.agreement(with: [value])
        }
    }
}

extension SeededGenerator {
    fileprivate mutating func pick(_ choices: [String]) -> String {
        choices[number(in: 0...(choices.count - 1))]
    }

    fileprivate mutating func space() -> String {
        pick(["", "", " ", "\t", " \t "])
    }

    fileprivate mutating func comma() -> String {
        pick([",", ", ", " ,", ",,", ", ,\t"])
    }

    fileprivate mutating func value(_ number: Int) -> String {
        pick(["\(number)", "\"\(number)\"", "\"\\1\(number - 10)\""])
    }
}
