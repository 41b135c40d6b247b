import Synchronization

/// The outcome of a fetch, for everyone who awaits it. It may be passed on to the fetch that takes its place.
final class FetchTicket<Value: Sendable>: AnyFetchTicket {
    private enum State {
        case pending([UInt64: CheckedContinuation<Void, Never>])
        case done(Result<Value, any Error>)
    }

    private let state = Mutex(State.pending([:]))
    private let lastIdentifier = Atomic<UInt64>(0)

    /// Ends the wait of everyone. Only the first result counts.
    func resolve(_ result: Result<Value, any Error>) {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            guard case .pending(let continuations) = state else { return [] }
            state = .done(result)
            return Array(continuations.values)
        }
        for continuation in waiting { continuation.resume() }
    }

    /// The outcome; nil while there is none.
    var result: Result<Value, any Error>? {
        guard case .done(let result) = state.withLock({ $0 }) else { return nil }
        return result
    }

    /// Waits for the outcome.
    ///
    /// - Throws: What the fetch failed with; `CancellationError` when the waiting task is cancelled, which ends only its
    ///   own wait.
    func value() async throws -> Value {
        try await wait()
        guard let result else { throw CancellationError() }
        return try result.get()
    }

    func finished() async {
        try? await wait()
    }

    private func wait() async throws {
        let identifier = lastIdentifier.add(1, ordering: .relaxed).newValue
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isDone = state.withLock { state -> Bool in
                    guard case .pending(var continuations) = state, !Task.isCancelled else { return true }
                    continuations[identifier] = continuation
                    state = .pending(continuations)
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard case .pending(var continuations) = state else { return nil }
                let continuation = continuations.removeValue(forKey: identifier)
                state = .pending(continuations)
                return continuation
            }
            continuation?.resume()
        }
        try Task.checkCancellation()
    }
}

/// A fetch's end, whatever its value.
protocol AnyFetchTicket: Sendable {
    /// Waits until the fetch has ended in any way, or the waiting task is cancelled.
    func finished() async
}
