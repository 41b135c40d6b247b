import NIOCore
import Synchronization

/// Lets a number of tasks do something at the same time. The others wait, and go on in the order in which they came.
final class AsyncLimiter: Sendable {
    private typealias Turn = CheckedContinuation<Void, any Error>

    private struct State {
        var free: Int
        var waiting: [UInt64: Turn] = [:]
        /// Who waits, and those that were cancelled while they did.
        var order = CircularBuffer<UInt64>()
        var lastIdentifier: UInt64 = 0

        mutating func popFirst() -> Turn? {
            while let identifier = order.popFirst() {
                if let turn = waiting.removeValue(forKey: identifier) { return turn }
            }
            return nil
        }
    }

    private let state: Mutex<State>

    /// - Parameter limit: How many may do it at the same time; at least one may.
    init(limit: Int) {
        state = Mutex(State(free: max(limit, 1)))
    }

    /// Does something when it is this task's turn.
    ///
    /// - Throws: What the body throws; `CancellationError` if the task was cancelled before its turn.
    func run<Value>(_ body: () async throws -> Value) async throws -> Value {
        try await begin()
        defer { end() }
        return try await body()
    }

    private func begin() async throws {
        let identifier = state.withLock { state in
            state.lastIdentifier += 1
            return state.lastIdentifier
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { turn in
                let mayBegin = state.withLock { state in
                    guard state.free == 0 else {
                        state.free -= 1
                        return true
                    }
                    state.waiting[identifier] = turn
                    state.order.append(identifier)
                    return false
                }
                if mayBegin { return turn.resume() }
                // Cancelled before it was in the queue: nobody else takes it out again.
                if Task.isCancelled { cancel(identifier) }
            }
        } onCancel: {
            cancel(identifier)
        }
    }

    private func end() {
        let next = state.withLock { state in
            let next = state.popFirst()
            if next == nil { state.free += 1 }
            return next
        }
        next?.resume()
    }

    private func cancel(_ identifier: UInt64) {
        state.withLock { $0.waiting.removeValue(forKey: identifier) }?.resume(throwing: CancellationError())
    }
}
