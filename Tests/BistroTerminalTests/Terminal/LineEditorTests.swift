import Testing

@testable import BistroTerminal

struct LineEditorTests {
    @Test(
        arguments: [
            ([.left, .character("x")], "burx2"), ([.backspace], "bur"), ([.left, .delete], "bur"),
            ([.home, .character("x")], "xbur2"), ([.control("a"), .control("k")], ""),
            ([.control("u"), .character("y")], "y"),
            ([.home, .backspace, .left], "bur2"), ([.end, .right, .delete], "bur2"), ([.control("w")], ""),
            ([.character(" "), .character("3"), .control("w")], "bur2 "),
            ([.up, .down, .escape, .control("q")], "bur2"),
            ([.left, .left, .control("d")], "bu2"), ([.character("漢"), .left, .backspace], "bur漢"),
        ] as [([Key], String)]
    )
    func edits(_ keys: [Key], _ line: String) {
        var editor = LineEditor()
        for key in [.character("b"), .character("u"), .character("r"), .character("2")] + keys {
            #expect(editor.press(key) == .edited)
        }
        #expect(editor.press(.enter) == .line(line))
        #expect(editor == LineEditor())
    }

    @Test func endsOnlyWhenNothingIsTyped() {
        var editor = LineEditor()
        #expect(editor.press(.control("d")) == .end)
        _ = editor.press(.character("a"))
        #expect(editor.press(.control("d")) == .edited)
    }

    @Test func keepsTheCursorInSight() {
        var editor = LineEditor()
        for character in "abcdefgh" { _ = editor.press(.character(character)) }
        #expect(editor.visible(in: 20) == ("abcdefgh", 8))
        #expect(editor.visible(in: 5) == ("efgh", 4))
        _ = editor.press(.home)
        #expect(editor.visible(in: 5) == ("abcd…", 0))
    }

    @Test func isBounded() {
        var editor = LineEditor()
        for _ in 0..<2_000 { _ = editor.press(.character("a")) }
        #expect(editor.press(.enter) == .line(String(repeating: "a", count: 500)))
    }
}
