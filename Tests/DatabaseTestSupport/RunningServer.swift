import Foundation
import Synchronization
import TestSupport

/// The process of a server.
final class RunningServer: Sendable {
    private let process: ChildProcess

    private init(_ process: ChildProcess) {
        self.process = process
    }

    /// Starts a server, and waits until it lets clients in.
    static func start(_ command: [String]) async throws -> RunningServer {
        // After a kill the old one's memory may be held for a moment by a process that is still ending.
        for _ in 0..<50 {
            if let server = try await attempt(command) { return server }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw TestFailure("PostgreSQL does not start: \(command.joined(separator: " "))")
    }

    /// Starts it; nil if it ends before it is ready.
    private static func attempt(_ command: [String]) async throws -> RunningServer? {
        let ready = Waiter<Bool>()
        let errors = Pipe()
        let text = Mutex("")
        OutputThread.read(dup(errors.fileHandleForReading.fileDescriptor)) { bytes in
            let isReady = text.withLock { text in
                text = String((text + String(decoding: bytes ?? [], as: UTF8.self)).suffix(4000))
                return text.contains("ready to accept connections")
            }
            if isReady { ready.put(true) }
        }
        let process = try Programs.start(command, errors: errors.fileHandleForWriting.fileDescriptor)
        try errors.fileHandleForWriting.close()
        Task {
            _ = await process.exitStatus
            ready.put(false)
        }
        let server = RunningServer(process)
        return await ready.value ? server : nil
    }

    func kill() async {
        // Its children first: none of them shall live on and finish something.
        let path = "/proc/\(process.identifier)/task/\(process.identifier)/children"
        let children = ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: " ").compactMap {
            pid_t($0)
        }
        process.send(SIGSTOP)
        for child in children { _ = Foundation.kill(child, SIGKILL) }
        process.send(SIGKILL)
        _ = await process.exitStatus
    }

    func stop() async {
        process.send(SIGINT)
        _ = await process.exitStatus
    }
}

/// A value that comes once, and that any number may wait for.
final class Waiter<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiting: [CheckedContinuation<Value, Never>] = []
    }

    private let state = Mutex(State())

    func put(_ value: Value) {
        let waiting = state.withLock { state in
            guard state.value == nil else { return [CheckedContinuation<Value, Never>]() }
            state.value = value
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: value) }
    }

    var value: Value {
        get async {
            await withCheckedContinuation { continuation in
                let value = state.withLock { state in
                    if state.value == nil { state.waiting.append(continuation) }
                    return state.value
                }
                if let value { continuation.resume(returning: value) }
            }
        }
    }
}
