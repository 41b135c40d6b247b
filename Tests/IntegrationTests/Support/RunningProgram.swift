import Foundation
import SocketTestSupport
import Synchronization
import TestSupport

/// A program that a test started: its output line by line, and its end.
final class RunningProgram: Sendable {
    /// What it printed on standard output.
    let output = Inbox<String>()
    /// What it printed on standard error.
    let errors = Inbox<String>()
    private let process: ChildProcess
    private let ends = Inbox<Int32>()
    /// What it reads from; nil if there is nothing to read.
    private let input: Mutex<Pipe?>

    private init(_ process: ChildProcess, input: sending Pipe?) {
        self.process = process
        self.input = Mutex(input)
    }

    deinit {
        kill()
    }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - executable: Its path.
    ///   - arguments: Its arguments.
    ///   - temporaryFolder: Where it has its temporary files; nil: where this process has them.
    ///   - readsLines: Whether it is told what to do line by line.
    static func start(
        _ executable: String,
        _ arguments: [String],
        temporaryFolder: TemporaryFolder? = nil,
        readsLines: Bool = false
    ) throws -> RunningProgram {
        let (output, errors) = (Pipe(), Pipe())
        let input = readsLines ? Pipe() : nil
        let process = try ChildProcess(
            [executable] + arguments,
            environment: temporaryFolder.map { folder in
                ProcessInfo.processInfo.environment.merging(["TMPDIR": folder.path]) { _, new in new }
            },
            input: input?.fileHandleForReading.fileDescriptor,
            output: output.fileHandleForWriting.fileDescriptor,
            errors: errors.fileHandleForWriting.fileDescriptor
        )
        // The end of the output is that of the program.
        try output.fileHandleForWriting.close()
        try errors.fileHandleForWriting.close()
        try input?.fileHandleForReading.close()
        let program = RunningProgram(process, input: input)
        let ends = program.ends
        Task { ends.put(await process.exitStatus) }
        program.output.putLines(of: output)
        program.errors.putLines(of: errors)
        return program
    }

    /// The first line of standard output with a text in it. Fails after a while.
    @discardableResult
    func line(containing text: String, from inbox: Inbox<String>? = nil) async throws -> String {
        let deadline = ContinuousClock.now + .patience
        while let line = try await (inbox ?? output).next(by: deadline) {
            if line.contains(text) { return line }
        }
        throw TestFailure("the program ended without printing: \(text)")
    }

    /// Gives it a line to read.
    func type(_ line: String) {
        input.withLock { $0?.fileHandleForWriting.write(Data((line + "\n").utf8)) }
    }

    /// Asks it to end, as Ctrl-C does.
    func interrupt() {
        process.send(SIGINT)
    }

    /// Ends it at once: nothing of it runs any more.
    func kill() {
        process.send(SIGKILL)
    }

    /// Waits for its end. Fails after a while.
    ///
    /// - Returns: Its exit status.
    func exitStatus() async throws -> Int32 {
        guard let status = try await ends.next() else { throw TestFailure("the program has no exit status") }
        return status
    }
}
