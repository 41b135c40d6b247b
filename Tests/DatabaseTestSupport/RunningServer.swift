import Foundation
import Synchronization

/// The process of a server.
final class RunningServer: Sendable {
    private let identifier: pid_t
    private let ended: Waiter<Void>

    private init(_ identifier: pid_t, ended: Waiter<Void>) {
        self.identifier = identifier
        self.ended = ended
    }

    /// Starts a server, and waits until it lets clients in.
    static func start(_ command: [String]) async throws -> RunningServer {
        // After a kill the old one's memory may be held for a moment by a process that is still ending.
        for _ in 0..<50 {
            if let server = try await attempt(command) { return server }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw DatabaseTestFailure("PostgreSQL does not start: \(command.joined(separator: " "))")
    }

    /// Starts it; nil if it ends before it is ready.
    private static func attempt(_ command: [String]) async throws -> RunningServer? {
        let (ended, ready) = (Waiter<Void>(), Waiter<Bool>())
        let process = try Programs.process(command)
        let errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        let text = Mutex("")
        errors.fileHandleForReading.readabilityHandler = { handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil }
            let isReady = text.withLock { text in
                text = String((text + String(decoding: data, as: UTF8.self)).suffix(4000))
                return text.contains("ready to accept connections")
            }
            if isReady { ready.put(true) }
        }
        process.terminationHandler = { _ in
            ready.put(false)
            ended.put(())
        }
        try ProcessStart.run(process)
        let server = RunningServer(process.processIdentifier, ended: ended)
        return await ready.value ? server : nil
    }

    func kill() async {
        // Its children first: none of them shall live on and finish something.
        let path = "/proc/\(identifier)/task/\(identifier)/children"
        let children = ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: " ").compactMap {
            pid_t($0)
        }
        send(SIGSTOP, to: identifier)
        for child in children { send(SIGKILL, to: child) }
        send(SIGKILL, to: identifier)
        await ended.value
    }

    func stop() async {
        send(SIGINT, to: identifier)
        await ended.value
    }

    private func send(_ signal: Int32, to process: pid_t) {
        _ = Foundation.kill(process, signal)
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
