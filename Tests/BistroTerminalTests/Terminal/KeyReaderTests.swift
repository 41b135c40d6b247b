import Testing

@testable import BistroTerminal

struct KeyReaderTests {
    static let sequences: [(String, [Key])] = [
        ("a", [.character("a")]), ("é漢🍔", [.character("é"), .character("漢"), .character("🍔")]),
        ("\r", [.enter]), ("\n", [.enter]), ("\u{7F}\u{8}", [.backspace, .backspace]),
        ("\u{1B}[A\u{1B}[B\u{1B}[C\u{1B}[D", [.up, .down, .right, .left]), ("\u{1B}OA\u{1B}OB", [.up, .down]),
        ("\u{1B}[H\u{1B}[F\u{1B}[1~\u{1B}[4~\u{1B}[3~", [.home, .end, .home, .end, .delete]),
        ("\u{4}", [.control("d")]),
        ("\u{1B}", [.escape]), ("\u{1B}x", [.escape, .character("x")]), ("\u{1B}[15~q", [.character("q")]),
        ("\u{0}a", [.character("a")]),
        ("\u{1B}[1;5Ax", [.up, .character("x")]),
    ]

    @Test(arguments: sequences)
    func readsKeys(_ text: String, _ keys: [Key]) {
        var reader = KeyReader()
        #expect(reader.read(Array(text.utf8)) == keys)
    }

    @Test func waitsForTheRestOfACharacter() {
        var reader = KeyReader()
        let bytes = Array("漢".utf8)
        #expect(reader.read([bytes[0]]) == [])
        #expect(reader.read([bytes[1]]) == [])
        #expect(reader.read([bytes[2], UInt8(ascii: "x")]) == [.character("漢"), .character("x")])
    }

    @Test(arguments: [[0xFF], [0xC3, 0x28], [0x80], [0xED, 0xA0, 0x80], [0xC0, 0x80]] as [[UInt8]])
    func goesOnAfterWhatIsNoText(_ bytes: [UInt8]) {
        var reader = KeyReader()
        let keys = reader.read(bytes + Array("ok".utf8))
        #expect(keys.suffix(2) == [.character("o"), .character("k")])
    }

    @Test func keepsNoEndlessSequence() {
        var reader = KeyReader()
        _ = reader.read(Array("\u{1B}[".utf8) + Array(repeating: UInt8(ascii: "1"), count: 1_000))
        #expect(reader.read([UInt8(ascii: "x")]) == [.character("x")])
    }
}
