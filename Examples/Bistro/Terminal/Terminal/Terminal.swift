/// What a person or a program reads, and answers.
protocol Terminal: Sendable {
    /// Whether a person looks at what is written.
    var showsScreen: Bool { get }
    /// Whether a person types what is read.
    var hasKeyboard: Bool { get }
    var size: TerminalSize { get }

    /// Writes at once.
    ///
    /// - Throws: ``TerminalClosed`` when nobody reads any more.
    func write(_ text: String) throws(TerminalClosed)

    /// Writes a line beside what is shown or read by programs.
    func writeError(_ line: String)

    /// What was typed; nil at the end, and when the task is cancelled. One reader at a time.
    func read() async -> [UInt8]?

    /// Gives each key at once, and shows none of them, until ``restore()``.
    func readKeys()

    /// Leaves the terminal as it was found.
    func restore()
}

/// How much fits.
struct TerminalSize: Hashable, Sendable {
    var columns: Int
    var rows: Int
}

/// Nobody reads what is written any more, as behind `head`.
struct TerminalClosed: Error {}
