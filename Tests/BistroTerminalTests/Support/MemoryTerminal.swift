import Synchronization
import Testing

@testable import BistroTerminal

/// A terminal, or a pipe, without a system: tests type, and look at what is shown.
final class MemoryTerminal: Terminal {
    private struct State {
        var screen: VirtualScreen
        var output = ""
        var errors: [String] = []
        var typed: [[UInt8]] = []
        var isEnded = false
        var isClosed = false
        var readsKeys = false
        var reader: CheckedContinuation<[UInt8]?, Never>?
        var watchers: [(condition: @Sendable (MemoryTerminal.Look) -> Bool, found: CheckedContinuation<Void, Never>)] =
            []

        var look: Look { Look(screen: screen, output: output, errors: errors) }
    }

    /// What there is to see.
    struct Look: Sendable {
        let screen: VirtualScreen
        /// Everything that was written.
        let output: String
        let errors: [String]
    }

    let showsScreen: Bool
    let hasKeyboard: Bool
    private let state: Mutex<State>

    init(isTerminal: Bool = true, columns: Int = 80, rows: Int = 12) {
        (showsScreen, hasKeyboard) = (isTerminal, isTerminal)
        state = Mutex(State(screen: VirtualScreen(TerminalSize(columns: columns, rows: rows))))
    }

    var size: TerminalSize { state.withLock(\.screen.size) }
    var look: Look { state.withLock(\.look) }
    var readsKeys: Bool { state.withLock(\.readsKeys) }

    // MARK: - The program's side

    func write(_ text: String) throws(TerminalClosed) {
        let isClosed = state.withLock { state in
            guard !state.isClosed else { return true }
            state.output += text
            if showsScreen { state.screen.write(text) }
            return false
        }
        if isClosed { throw TerminalClosed() }
        tell()
    }

    func writeError(_ line: String) {
        state.withLock { $0.errors.append(line) }
        tell()
    }

    func read() async -> [UInt8]? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { state in
                    if !state.typed.isEmpty {
                        continuation.resume(returning: state.typed.removeFirst())
                    } else if state.isEnded || Task.isCancelled {
                        continuation.resume(returning: nil)
                    } else {
                        state.reader = continuation
                    }
                }
            }
        } onCancel: {
            state.withLock { $0.reader.take() }?.resume(returning: nil)
        }
    }

    func readKeys() { state.withLock { $0.readsKeys = true } }

    func restore() { state.withLock { $0.readsKeys = false } }

    // MARK: - The person's side

    func type(_ text: String) {
        let reader = state.withLock { state in
            if state.reader == nil { state.typed.append(Array(text.utf8)) }
            return state.reader.take()
        }
        reader?.resume(returning: Array(text.utf8))
    }

    /// Nothing more will be typed.
    func end() {
        let reader = state.withLock { state in
            state.isEnded = true
            return state.reader.take()
        }
        reader?.resume(returning: nil)
    }

    /// Nobody looks any more.
    func close() { state.withLock { $0.isClosed = true } }

    func resize(columns: Int, rows: Int) {
        state.withLock { $0.screen = VirtualScreen(TerminalSize(columns: columns, rows: rows)) }
    }

    /// Waits until something can be seen. If it never is, the test's time limit says what was seen instead.
    func until(_ condition: @escaping @Sendable (Look) -> Bool) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if condition(state.look) || Task.isCancelled { return true }
                    state.watchers.append((condition, continuation))
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            for watcher in state.withLock({ $0.watchers.takeAll() }) { watcher.found.resume() }
        }
        let look = look
        if !condition(look) {
            Issue.record(
                "Not seen. On the screen:\n\(look.screen.text)\nWritten:\n\(look.output.suffix(500).debugDescription)"
            )
        }
    }

    /// Waits until a text is on the screen.
    func shows(_ text: String) async { await until { $0.screen.text.contains(text) } }

    /// Waits until a text is not on the screen.
    func hides(_ text: String) async { await until { !$0.screen.text.contains(text) } }

    /// Waits until a text was written.
    func writes(_ text: String) async { await until { $0.output.contains(text) } }

    private func tell() {
        let found = state.withLock { state in
            let look = state.look
            let found = state.watchers.filter { $0.condition(look) }
            state.watchers.removeAll { $0.condition(look) }
            return found
        }
        for watcher in found { watcher.found.resume() }
    }
}

extension Array {
    fileprivate mutating func takeAll() -> [Element] {
        defer { self = [] }
        return self
    }
}

extension Optional {
    fileprivate mutating func take() -> Wrapped? {
        defer { self = nil }
        return self
    }
}
