import Testing

@testable import BistroTerminal

struct TextTests {
    @Test(arguments: [
        ("", 0), ("abc", 3), ("Crème", 5), ("Cre\u{301}me", 5), ("漢字", 4), ("ｶﾅ", 2), ("カナ", 4), ("한국", 4), ("🍔", 2),
        ("👩‍🍳", 2), ("🇫🇷", 2), ("☺\u{FE0F}", 2), ("☺", 1), ("\u{200D}", 0), ("€", 1), ("…", 1), ("Ａ", 2),
    ])
    func takesColumns(_ text: String, _ columns: Int) {
        #expect(DisplayWidth.of(text) == columns)
    }

    @Test(arguments: [
        ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("abc", 0, ""), ("abc", 1, "…"), ("漢字漢", 4, "漢…"), ("漢字漢", 5, "漢字…"),
        ("漢字", 1, "…"), ("👩‍🍳👩‍🍳", 3, "👩‍🍳…"), ("Cre\u{301}me brulee", 4, "Cre\u{301}…"),
    ])
    func isClippedBetweenCharacters(_ text: String, _ columns: Int, _ clipped: String) {
        #expect(text.clipped(to: columns) == clipped)
        #expect(DisplayWidth.of(text.fitted(to: columns)) == columns)
    }

    @Test(arguments: [
        ("two\nlines", "two lines"), ("tab\there", "tab here"), ("\u{1B}[2J", "\u{FFFD}[2J"),
        ("\u{9B}2J", "\u{FFFD}2J"),
        ("\u{7}\u{8}\u{7F}", "\u{FFFD}\u{FFFD}\u{FFFD}"), ("a\u{202E}b\u{2066}c", "abc"), ("a\u{2028}b", "a b"),
        ("👩‍🍳", "👩‍🍳"), ("Crème\u{AD}", "Crème"), ("\r\n", "  "), ("\u{0}", "\u{FFFD}"),
    ])
    func showsDataWithoutItsControls(_ text: String, _ printable: String) {
        #expect(text.printable == printable)
        #expect(StyledLine(text).text == printable)
    }

    @Test func clipsALineThroughItsPieces() {
        let line = StyledLine("abc", .strong) + StyledLine("def")
        #expect(line.clipped(to: 6) == line)
        #expect(line.clipped(to: 5).text == "abcd…")
        #expect(line.clipped(to: 3).text == "ab…")
        #expect(line.clipped(to: 0).text == "")
        #expect(line.fitted(to: 8).text == "abcdef  ")
    }

    @Test func endsEachStyle() {
        #expect((StyledLine("a", .bad) + "b").encoded == "\u{1B}[31ma\u{1B}[0mb")
    }
}
