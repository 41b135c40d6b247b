import TestSupport
import Testing
import TidingsWire

@testable import TidingsBroadcast

@Suite("Patterns of channels")
struct ChannelPatternTests {
    @Test(
        "a star stands for any characters, or none",
        arguments: [
            ("order", "order", true), ("order", "order:1", false), ("order:*", "order:1", true),
            ("order:*", "order:", true), ("order:*", "order", false), ("*", "x", true), ("*:7", "table:7", true),
            ("*:7", "table:77", false), ("a*b*c", "abc", true), ("a*b*c", "a--b--b--c", true),
            ("a*b*c", "a--c--b", false),
            ("**", "order", true), ("o*r", "or", true), ("küche*", "küche:1", true), ("Order", "order", false),
        ] as [(ChannelPattern, ChannelName, Bool)]
    )
    func table(pattern: ChannelPattern, channel: ChannelName, matches: Bool) {
        #expect(pattern.matches(channel) == matches)
    }

    @Test("a pattern keeps the rules of a name", arguments: ["", "a b", "a\u{7}", String(repeating: "x", count: 256)])
    func rules(text: String) {
        #expect(throws: WireError.self) { try ChannelPattern(text) }
    }

    /// The reference is the definition itself, which takes exponential time.
    @Test("agrees with the definition on random texts", arguments: [1, 2, 3] as [UInt64])
    func random(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        func text(_ alphabet: [Character]) -> String {
            String(
                (0..<Int.random(in: 1...7, using: &random)).compactMap { _ in alphabet.randomElement(using: &random) }
            )
        }
        var matching = 0
        for _ in 0..<3000 {
            let (pattern, name) = (text(["a", "b", "*"]), text(["a", "b"]))
            let expected = Self.matches(Substring(pattern), Substring(name))
            matching += expected ? 1 : 0
            #expect(try ChannelPattern(pattern).matches(ChannelName(name)) == expected, "\(pattern) and \(name)")
        }
        #expect(matching > 100)
    }

    private static func matches(_ pattern: Substring, _ name: Substring) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        if first == "*" {
            return matches(pattern.dropFirst(), name) || (!name.isEmpty && matches(pattern, name.dropFirst()))
        }
        return name.first == first && matches(pattern.dropFirst(), name.dropFirst())
    }
}
