import TestSupport
import Testing

@testable import TidingsWire

/// More than twenty thousand messages a dialect: nothing traps, and what is understood can be said again.
@Suite("Dialect: nonsense")
struct DialectRobustnessTests {
    private struct Round: Sendable, CustomTestStringConvertible {
        let dialect: Dialect
        let seed: UInt64

        var testDescription: String { "\(dialect), seed \(seed)" }
    }

    private static let rounds = Dialect.allCases.flatMap { dialect in
        (0..<20).map { Round(dialect: dialect, seed: $0) }
    }

    /// Everything that the vectors have, so that a mutation is never far from a message.
    private static let texts = Result {
        let client = try ClientMessageVector.all().map { ($0.dialect, $0.text) }
        let server = try ServerMessageVector.all().map { ($0.dialect, $0.text) }
        return Dictionary(grouping: client + server, by: \.0).mapValues { vectors in
            vectors.map(\.1).filter { !$0.isEmpty && $0.count < 1000 }
        }
    }

    private static func texts(of dialect: Dialect) throws -> [[UInt8]] {
        try #require(try texts.get()[dialect])
    }

    @Test("Mutated messages", arguments: rounds)
    private func mutated(round: Round) throws {
        let texts = try Self.texts(of: round.dialect)
        var random = RandomJSON(seed: round.seed)
        for _ in 0..<500 {
            var text = texts[random.generator.number(in: 0...(texts.count - 1))]
            for _ in 0..<random.generator.number(in: 1...3) where !text.isEmpty {
                text = random.mutated(String(decoding: text, as: UTF8.self))
            }
            try check(text, in: round.dialect)
        }
    }

    @Test("Messages whose keys have values of any kind", arguments: rounds)
    private func kinds(round: Round) throws {
        let keys = [
            "id", "auth", "subscribe", "since", "unsubscribe", "ping", "publish", "payload", "event", "channel",
            "error", "errors", "subscribed", "unsubscribed", "pong", "authenticated", "published", "welcome",
            "draining", "position", "spread_ms", "action", "topic", "token", "code", "message", "data",
            "trace_id",
        ]
        let words = ["subscribe", "subscribed", "auth", "ping", "error", "UPDATED", "order", "k3f9:41"]
        var random = RandomJSON(seed: round.seed)
        for _ in 0..<500 {
            let members = (0..<random.generator.number(in: 0...5)).map { _ in
                let key = keys[random.generator.number(in: 0...(keys.count - 1))]
                let word = words[random.generator.number(in: 0...(words.count - 1))]
                return "\"\(key)\":" + (random.generator.once(in: 3) ? "\"\(word)\"" : random.text())
            }
            try check(Array("{\(members.joined(separator: ","))}".utf8), in: round.dialect)
        }
    }

    @Test("Bytes of any value", arguments: rounds)
    private func bytes(round: Round) throws {
        let texts = try Self.texts(of: round.dialect)
        var generator = SeededGenerator(seed: round.seed)
        for _ in 0..<250 {
            _ = round.dialect.decodeServerMessage(generator.bytes(generator.number(in: 0...40)))
            _ = try? round.dialect.decodeClientMessage(generator.bytes(generator.number(in: 0...40)))
            // A message that is no longer UTF-8.
            var text = texts[generator.number(in: 0...(texts.count - 1))]
            text[generator.number(in: 0...(text.count - 1))] = UInt8.random(in: 0x80...0xFF, using: &generator)
            _ = round.dialect.decodeServerMessage(text)
            _ = try? round.dialect.decodeClientMessage(text)
            _ = round.dialect.requestIdentifier(of: text)
        }
    }

    private func check(_ text: [UInt8], in dialect: Dialect) throws {
        do throws(WireError) {
            var message = try dialect.decodeClientMessage(text)
            message.refused = []
            message.unreadableSince = []
            let again = try? message.asRead(in: dialect)
            #expect(again == message, "\(String(decoding: text, as: UTF8.self))")
        } catch {
            #expect(error.code == .badJSON || error.code == .badRequest)
        }
        _ = dialect.requestIdentifier(of: text)
        guard let message = dialect.decodeServerMessage(text) else { return }
        for dialect in Dialect.allCases {
            for text in dialect.encode(message) {
                // Not by Foundation, which has no numbers of any size.
                #expect(try JSONScanner.check(text) == .object)
                #expect(dialect.decodeServerMessage(text) != nil)
            }
        }
    }
}
