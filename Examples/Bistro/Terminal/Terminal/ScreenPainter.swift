/// Brings a screen from one frame to the next: only lines that are different are written, and nothing flickers.
struct ScreenPainter {
    /// Takes the whole screen, and keeps what was on it.
    static let begin = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[2J"
    /// Gives it back.
    static let end = "\u{1B}[0m\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"

    private var shown: [StyledLine] = []
    private var size: TerminalSize?

    /// Draws a frame from the top.
    ///
    /// - Returns: What to write, all at once; empty if nothing is different.
    mutating func paint(_ lines: [StyledLine], on size: TerminalSize) -> String {
        let isFresh = size != self.size
        let old = isFresh ? [] : shown
        let new = lines.prefix(size.rows).map { $0.clipped(to: size.columns) }
        (shown, self.size) = (new, size)
        var output = isFresh ? "\u{1B}[2J" : ""
        for row in 0..<max(old.count, new.count) {
            let line = row < new.count ? new[row] : StyledLine()
            if row < old.count, old[row] == line { continue }
            output += "\u{1B}[\(row + 1);1H" + line.encoded
            // In the last column the cursor stays on what was written there.
            if line.width < size.columns { output += "\u{1B}[K" }
        }
        return output.isEmpty ? "" : Synchronized.update(output)
    }

    /// The next frame is drawn as a whole: something else may have written.
    mutating func forget() { size = nil }
}

/// Has a terminal that can do so show a change as a whole (private mode 2026); others do not mind.
enum Synchronized {
    static func update(_ output: String) -> String { "\u{1B}[?2026h" + output + "\u{1B}[?2026l" }
}
