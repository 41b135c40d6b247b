public import Foundation
import Synchronization

/// A program that a test started, with `posix_spawn`: Foundation's `Process` reads beyond its memory in a process that has
/// more than a thousand files open, as tests with a thousand sockets have.
public final class ChildProcess: Sendable {
    private struct State {
        var status: Int32?
        var waiting: [@Sendable (Int32) -> Void] = []
    }

    /// The process's identifier; good until it has ended.
    public let identifier: pid_t
    private let state = Mutex(State())

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - command: Its path and its arguments.
    ///   - environment: Its environment; nil: this process's.
    ///   - folder: Where it runs; nil: where this process does.
    ///   - input: The file descriptor that it reads; nil: nothing to read.
    ///   - output: The file descriptor that it prints on; nil: nowhere.
    ///   - errors: The file descriptor that it prints errors on; nil: nowhere.
    public init(
        _ command: [String],
        environment: [String: String]? = nil,
        in folder: String? = nil,
        input: Int32? = nil,
        output: Int32? = nil,
        errors: Int32? = nil
    ) throws {
        let environment = environment ?? ProcessInfo.processInfo.environment
        identifier = try Self.spawn(command, environment.map { "\($0)=\($1)" }, in: folder, [input, output, errors])
        let thread = Thread { self.waitForEnd() }
        thread.stackSize = 256 * 1024
        thread.start()
    }

    /// Sends a signal, if it has not ended.
    public func send(_ signal: Int32) {
        // Held against its end: after that, the identifier may be another process's.
        state.withLock { if $0.status == nil { _ = kill(identifier, signal) } }
    }

    /// How it ended: its exit status, or the number of the signal that ended it. Waits for that.
    public var exitStatus: Int32 {
        get async {
            await withCheckedContinuation { continuation in
                whenEnded { continuation.resume(returning: $0) }
            }
        }
    }

    /// How it ended. Blocks the thread until it has.
    public func waitUntilExit() -> Int32 {
        let ended = DispatchSemaphore(value: 0)
        let status = Mutex<Int32>(0)
        whenEnded { end in
            status.withLock { $0 = end }
            ended.signal()
        }
        ended.wait()
        return status.withLock { $0 }
    }

    private func whenEnded(_ body: @escaping @Sendable (Int32) -> Void) {
        let status = state.withLock { state in
            if state.status == nil { state.waiting.append(body) }
            return state.status
        }
        if let status { body(status) }
    }

    private func waitForEnd() {
        var information = siginfo_t()
        // It stays a zombie until the lock is held, so that nobody signals another process.
        while waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        let (waiting, status) = state.withLock { state in
            var status: Int32 = 0
            while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7F
            let end = signal == 0 ? (status >> 8) & 0xFF : signal
            state.status = end
            defer { state.waiting = [] }
            return (state.waiting, end)
        }
        for body in waiting { body(status) }
    }

    /// No program gets what this process has open, but what it is given.
    private static func keepFilesFromChildren() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for file in names.compactMap({ Int32($0) }) where file > 2 { _ = fcntl(file, F_SETFD, FD_CLOEXEC) }
    }

    private static func spawn(
        _ command: [String],
        _ environment: [String],
        in folder: String?,
        _ files: [Int32?]
    ) throws -> pid_t {
        var command = command
        if let folder { command = ["/usr/bin/env", "--chdir", folder] + command }
        guard let program = command.first else { throw ChildProcessError(command: "", code: EINVAL) }
        keepFilesFromChildren()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, file) in zip(Int32(0)..., files) {
            if let file {
                posix_spawn_file_actions_adddup2(&actions, file, target)
            } else {
                posix_spawn_file_actions_addopen(&actions, target, "/dev/null", target == 0 ? O_RDONLY : O_WRONLY, 0)
            }
        }
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var identifier = pid_t()
        let code = posix_spawn(&identifier, program, &actions, nil, &arguments, &variables)
        guard code == 0 else { throw ChildProcessError(command: program, code: code) }
        return identifier
    }
}

/// A program that could not be started.
public struct ChildProcessError: Error, CustomStringConvertible {
    let command: String
    let code: Int32

    /// What could not be started, and why.
    public var description: String { "\(command) cannot be started: \(String(cString: strerror(code)))" }
}
