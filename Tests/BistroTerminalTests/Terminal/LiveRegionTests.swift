import Testing

@testable import BistroTerminal

struct LiveRegionTests {
    private let size = TerminalSize(columns: 20, rows: 6)

    @Test func redrawsInPlaceBelowWhatWasSaid() {
        var (region, screen) = (LiveRegion(), VirtualScreen(size))
        screen.write(region.draw(view: ["one", "two"], prompt: "> ", LineEditor(), on: size))
        #expect(screen.text == "one\ntwo\n>")
        screen.write(region.draw(["said"], view: ["1"], prompt: "> ", LineEditor(), on: size))
        #expect(screen.text == "said\n1\n>")
        screen.write(region.clear())
        #expect(screen.text == "said")
        #expect(screen.surprises == [])
    }

    @Test func showsWhatIsTyped() {
        var (region, screen, editor) = (LiveRegion(), VirtualScreen(size), LineEditor())
        for key in [Key.character("漢"), .character("b"), .left] { _ = editor.press(key) }
        screen.write(region.draw(view: [], prompt: "> ", editor, on: size))
        #expect(screen.text == "> 漢b")
        #expect(screen.cursor == (0, 4))
    }

    @Test func scrollsAndNeverWraps() {
        var (region, screen) = (LiveRegion(), VirtualScreen(size))
        let view = (1...9).map { StyledLine("\($0) \(String(repeating: "x", count: 30))") }
        for number in 1...9 {
            screen.write(region.draw([StyledLine("said \(number)")], view: view, prompt: "> ", LineEditor(), on: size))
        }
        #expect(screen.lines.prefix(2) == ["said 9", "6 xxxxxxxxxxxxxxxx…"])
        #expect(screen.lines.last == ">")
        #expect(screen.surprises == [])
    }
}
