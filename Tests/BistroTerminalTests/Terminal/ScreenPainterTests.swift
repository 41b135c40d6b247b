import TestSupport
import Testing

@testable import BistroTerminal

struct ScreenPainterTests {
    private let size = TerminalSize(columns: 10, rows: 4)

    @Test func writesOnlyWhatIsDifferent() {
        var painter = ScreenPainter()
        _ = painter.paint(["one", "two"], on: size)
        #expect(painter.paint(["one", "two"], on: size) == "")
        let output = painter.paint(["one", "2"], on: size)
        #expect(!output.contains("one"))
        #expect(output.contains("2"))
    }

    @Test func drawsEverythingAfterSomethingElseHasWritten() {
        var painter = ScreenPainter()
        _ = painter.paint(["one"], on: size)
        painter.forget()
        #expect(painter.paint(["one"], on: size).contains("one"))
    }

    /// Whatever was there before, a frame looks as it is.
    @Test(arguments: 0..<50 as Range<UInt64>)
    func looksLikeTheLastFrame(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let texts = ["", "a", "漢字漢字漢字", "0123456789", "0123456789x", "Crème", "🍔🍔🍔🍔🍔", "\u{1B}[2J"]
        var (painter, screen) = (ScreenPainter(), VirtualScreen(size))
        screen.write(ScreenPainter.begin)
        for _ in 0..<20 {
            let frame = (0..<random.number(in: 0...6)).map { _ in StyledLine(texts[random.number(in: 0...7)], .bad) }
            screen.write(painter.paint(frame, on: size))
            let expected = (frame.map { $0.clipped(to: 10).text } + ["", "", "", ""]).prefix(4)
            #expect(screen.lines == expected.map { $0 })
            #expect(screen.surprises == [])
        }
    }
}
