import DatabaseTestSupport
import Foundation
import SocketTestSupport
import Synchronization

/// A program that a test started: its output line by line, and its end.
final class RunningProgram: Sendable {
    /// What it printed on standard output.
    let output = Inbox<String>()
    /// What it printed on standard error.
    let errors = Inbox<String>()
    private let process: Mutex<Process>
    private let ends: Inbox<Int32>

    private init(_ process: sending Process, ends: Inbox<Int32>) {
        self.process = Mutex(process)
        self.ends = ends
    }

    deinit {
        kill()
    }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - executable: Its path.
    ///   - arguments: Its arguments.
    static func start(_ executable: String, _ arguments: [String]) throws -> RunningProgram {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        let ends = Inbox<Int32>()
        process.terminationHandler = { process in
            ends.put(process.terminationStatus)
        }
        try ProcessStart.run(process)
        let program = RunningProgram(process, ends: ends)
        Self.read(output.fileHandleForReading, into: program.output)
        Self.read(errors.fileHandleForReading, into: program.errors)
        return program
    }

    /// The first line of standard output with a text in it. Fails after a while.
    @discardableResult
    func line(containing text: String, from inbox: Inbox<String>? = nil) async throws -> String {
        while let line = try await (inbox ?? output).next() {
            if line.contains(text) { return line }
        }
        throw TestFailure("the program ended without printing: \(text)")
    }

    /// Asks it to end, as Ctrl-C does.
    func interrupt() {
        process.withLock { if $0.isRunning { $0.interrupt() } }
    }

    /// Ends it at once: nothing of it runs any more.
    func kill() {
        process.withLock { if $0.isRunning { _ = Foundation.kill($0.processIdentifier, SIGKILL) } }
    }

    /// Waits for its end. Fails after a while.
    ///
    /// - Returns: Its exit status.
    func exitStatus() async throws -> Int32 {
        guard let status = try await ends.next() else { throw TestFailure("the program has no exit status") }
        return status
    }

    private static func read(_ handle: FileHandle, into inbox: Inbox<String>) {
        let rest = Mutex(Data())
        handle.readabilityHandler = { handle in
            let data = handle.availableData
            let lines = rest.withLock { rest -> [String] in
                rest.append(data)
                var lines: [String] = []
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    lines.append(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
                    rest = Data(rest[rest.index(after: end)...])
                }
                return lines
            }
            for line in lines { inbox.put(line) }
            if data.isEmpty {
                inbox.end()
                handle.readabilityHandler = nil
            }
        }
    }
}
