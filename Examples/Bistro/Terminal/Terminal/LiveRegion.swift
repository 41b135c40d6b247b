/// The last lines of a terminal that scrolls: they are drawn anew in place, and what is said stays above them.
struct LiveRegion {
    /// How many lines there are above the one with the cursor.
    private var height = 0

    /// - Parameters:
    ///   - notices: What is said, and stays.
    ///   - view: What stands above the prompt.
    /// - Returns: What to write, all at once.
    mutating func draw(
        _ notices: [StyledLine] = [],
        view: [StyledLine],
        prompt: String,
        _ editor: LineEditor,
        on size: TerminalSize
    ) -> String {
        // In the last column some terminals wrap.
        let columns = max(size.columns - 1, 1)
        let view = view.suffix(max(size.rows - 2, 0)).map { $0.clipped(to: columns) }
        let prompt = prompt.clipped(to: columns / 2)
        let typed = editor.visible(in: columns - DisplayWidth.of(prompt))
        var output = clear()
        for line in notices + view { output += line.encoded + "\r\n" }
        output += StyledLine(prompt, .strong).encoded + typed.text.printable
        output += "\u{1B}[\(DisplayWidth.of(prompt) + typed.cursor + 1)G"
        height = view.count
        return Synchronized.update(output)
    }

    /// Takes the region away.
    mutating func clear() -> String {
        defer { height = 0 }
        return "\r" + (height > 0 ? "\u{1B}[\(height)A" : "") + "\u{1B}[J"
    }
}
