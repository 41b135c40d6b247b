import Synchronization

/// Talks with somebody, line by line. On a terminal there is a view above the prompt that is always right; without one,
/// everything is a line.
final class Dialogue: Sendable {
    private struct State {
        var view: [StyledLine] = []
        var region = LiveRegion()
        var editor = LineEditor()
        var keys = KeyReader()
        var typed: [Key] = []
        var lines = LineSplitter()
        var isOpen = false
    }

    private let terminal: any Terminal
    private let prompt: String
    private let state = Mutex(State())
    /// Whether somebody types, and sees what is shown.
    let isInteractive: Bool

    init(_ terminal: any Terminal, prompt: String) {
        self.terminal = terminal
        self.prompt = prompt
        isInteractive = terminal.showsScreen && terminal.hasKeyboard
    }

    func open() {
        guard isInteractive else { return }
        terminal.readKeys()
        state.withLock { $0.isOpen = true }
        redraw()
    }

    /// Takes the prompt away, and leaves what was said.
    func close() {
        guard isInteractive else { return }
        state.withLock { state in
            if state.isOpen { write(state.region.clear()) }
            state.isOpen = false
        }
        terminal.restore()
    }

    /// Changes what stands above the prompt. Without a terminal nobody sees it.
    func show(_ view: [StyledLine]) {
        let isNew = state.withLock { state in
            defer { state.view = view }
            return state.view != view
        }
        if isNew { redraw() }
    }

    /// Shows it to everybody: without a terminal, as lines.
    func present(_ view: [StyledLine]) {
        show(view)
        if !isInteractive { for line in view { say(line) } }
    }

    /// Says something that stays.
    func say(_ line: StyledLine) {
        state.withLock { state in
            guard isInteractive else { return write(line.text + "\n") }
            guard state.isOpen else { return write(line.encoded + "\r\n") }
            draw([line], &state)
        }
    }

    /// Says what went wrong: on standard error, if nobody looks.
    func complain(_ sentence: String) {
        if isInteractive { say(StyledLine(sentence, .bad)) } else { terminal.writeError(sentence.printable) }
    }

    /// The terminal has another size.
    func redraw() {
        state.withLock { state in
            if state.isOpen { draw([], &state) }
        }
    }

    /// The next line; nil at the end, and when the task is cancelled.
    func nextLine() async -> String? {
        while true {
            switch state.withLock({ isInteractive ? typed(&$0) : $0.lines.next().map { .line($0) } ?? .edited }) {
            case .line(let line): return line
            case .end: return nil
            case .edited: break
            }
            guard let bytes = await terminal.read() else {
                return Task.isCancelled ? nil : state.withLock { $0.lines.rest() }
            }
            state.withLock { state in
                if isInteractive { state.typed += state.keys.read(bytes) } else { state.lines.append(bytes) }
            }
        }
    }

    /// Takes the keys that were typed, up to the end of a line.
    private func typed(_ state: inout State) -> LineEditor.Outcome {
        while !state.typed.isEmpty {
            let outcome = state.editor.press(state.typed.removeFirst())
            if case .line(let line) = outcome { draw([StyledLine(prompt + line, .quiet)], &state) }
            if outcome != .edited { return outcome }
        }
        draw([], &state)
        return .edited
    }

    private func draw(_ notices: [StyledLine], _ state: inout State) {
        write(state.region.draw(notices, view: state.view, prompt: prompt, state.editor, on: terminal.size))
    }

    /// Who does not listen any more has ended the conversation: reading tells.
    private func write(_ text: String) { try? terminal.write(text) }
}
