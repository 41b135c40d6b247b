import Synchronization

/// The outcome of a fetch, for everyone who awaits it. It may be passed on to the fetch that takes its place.
final class FetchTicket<Value: Sendable>: AnyFetchTicket {
    private typealias Continuation = CheckedContinuation<Void, Never>

    private struct Waiting {
        /// Who wants the outcome.
        var forOutcome: [UInt64: Continuation] = [:]
        /// Who does not wait for the network.
        var forRest: [UInt64: Continuation] = [:]
        var isPaused = false

        mutating func remove(_ identifier: UInt64) -> Continuation? {
            forOutcome.removeValue(forKey: identifier) ?? forRest.removeValue(forKey: identifier)
        }
    }

    private enum State {
        case pending(Waiting)
        case done(Result<Value, any Error>)
    }

    private let state = Mutex(State.pending(Waiting()))
    private let lastIdentifier = Atomic<UInt64>(0)

    /// Ends the wait of everyone. Only the first result counts.
    func resolve(_ result: Result<Value, any Error>) {
        let waiting = state.withLock { state -> Waiting? in
            guard case .pending(let waiting) = state else { return nil }
            state = .done(result)
            return waiting
        }
        guard let waiting else { return }
        for continuation in waiting.forOutcome.values { continuation.resume() }
        for continuation in waiting.forRest.values { continuation.resume() }
    }

    /// The fetch has to wait, or goes on.
    ///
    /// - Returns: What ends the wait of those who do not wait for that.
    func setPaused(_ isPaused: Bool) -> @Sendable () -> Void {
        let continuations = state.withLock { state -> [Continuation] in
            guard case .pending(var waiting) = state else { return [] }
            defer { state = .pending(waiting) }
            waiting.isPaused = isPaused
            guard isPaused else { return [] }
            defer { waiting.forRest = [:] }
            return Array(waiting.forRest.values)
        }
        return { for continuation in continuations { continuation.resume() } }
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
        await wait(isForOutcome: true)
        try Task.checkCancellation()
        guard let result else { throw CancellationError() }
        return try result.get()
    }

    func finished() async {
        await wait(isForOutcome: false)
    }

    private func wait(isForOutcome: Bool) async {
        let identifier = lastIdentifier.add(1, ordering: .relaxed).newValue
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: Continuation) in
                let isDone = state.withLock { state -> Bool in
                    guard case .pending(var waiting) = state, !Task.isCancelled else { return true }
                    if isForOutcome {
                        waiting.forOutcome[identifier] = continuation
                    } else {
                        if waiting.isPaused { return true }
                        waiting.forRest[identifier] = continuation
                    }
                    state = .pending(waiting)
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            let continuation = state.withLock { state -> Continuation? in
                guard case .pending(var waiting) = state else { return nil }
                defer { state = .pending(waiting) }
                return waiting.remove(identifier)
            }
            continuation?.resume()
        }
    }
}

/// A fetch's end, whatever its value.
protocol AnyFetchTicket: Sendable {
    /// Waits until the fetch has ended in any way or waits for the network, or until the waiting task is cancelled.
    func finished() async
}
