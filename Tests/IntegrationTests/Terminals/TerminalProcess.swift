import Foundation
import SocketTestSupport
import Synchronization
import TestSupport

/// A program that a test started in a terminal of its own: what a person sees of it, and what they type.
final class TerminalProcess: Sendable {
    private struct Screen {
        /// This end of the terminal; nil when the program has ended.
        var terminal: Int32?
        var written: [UInt8] = []
    }

    private let process: ChildProcess
    private let screen: Mutex<Screen>

    private init(_ process: ChildProcess, _ terminal: Int32) {
        self.process = process
        screen = Mutex(Screen(terminal: terminal))
    }

    deinit {
        process.send(SIGKILL)
    }

    /// Starts a program in a terminal of 100 columns.
    static func start(_ executable: String, _ arguments: [String]) throws -> TerminalProcess {
        let (terminal, program) = try makeTerminal()
        // The end of what it writes is that of the program.
        defer { close(program) }
        let environment = ProcessInfo.processInfo.environment.merging(["TERM": "xterm-256color"]) { $1 }
        let process = try ChildProcess(
            [executable] + arguments,
            environment: environment,
            input: program,
            output: program,
            errors: program
        )
        let started = TerminalProcess(process, terminal)
        OutputThread.read(terminal) { [weak started] in started?.take($0) }
        return started
    }

    /// Types something, and enter.
    func type(_ line: String) { press(line + "\r") }

    /// Sends keys as a keyboard does.
    func press(_ keys: String) {
        let bytes = Array(keys.utf8)
        screen.withLock { screen in
            guard let terminal = screen.terminal else { return }
            _ = write(terminal, bytes, bytes.count)
        }
    }

    /// Everything that was written, without colours.
    var output: String { Self.plain(text) }

    /// What the program drew last, without colours.
    var frame: String {
        let text = text
        guard let end = text.range(of: "\u{1B}[?2026l", options: .backwards),
            let start = text.range(of: "\u{1B}[?2026h", options: .backwards, range: text.startIndex..<end.lowerBound)
        else { return "" }
        return Self.plain(String(text[start.upperBound..<end.lowerBound]))
    }

    /// Waits until what was drawn last is so.
    func shows(_ what: String, _ condition: (String) -> Bool) async throws {
        do {
            try await eventually("\(what) in the terminal") { condition(frame) }
        } catch {
            throw TestFailure("\(error), which shows: \(frame)")
        }
    }

    /// Waits until a text is in what was drawn last.
    func shows(_ text: String) async throws {
        try await shows(text) { $0.contains(text) }
    }

    /// Waits for its end.
    ///
    /// - Returns: Its exit status, when everything that it wrote is here.
    func exitStatus() async throws -> Int32 {
        try await eventually("the program's end") { screen.withLock { $0.terminal == nil } }
        return await process.exitStatus
    }

    private var text: String { String(decoding: screen.withLock(\.written), as: UTF8.self) }

    private static func makeTerminal() throws -> (ours: Int32, programs: Int32) {
        var ends: (Int32, Int32) = (-1, -1)
        var size = winsize(ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0)
        guard openpty(&ends.0, &ends.1, nil, nil, &size) == 0 else { throw TestFailure("there is no terminal") }
        return ends
    }

    private static func plain(_ text: String) -> String {
        text.replacing(#/\u{1B}\[[0-9;?]*[A-Za-z]/#, with: "").replacing("\r", with: "")
    }

    /// - Parameter bytes: What has come; nil at the end, when the file descriptor is another one's from now on.
    private func take(_ bytes: ArraySlice<UInt8>?) {
        screen.withLock { screen in
            if let bytes { screen.written += bytes } else { screen.terminal = nil }
        }
    }
}
