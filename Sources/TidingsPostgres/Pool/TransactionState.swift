#if PostgreSQL
import Synchronization

/// How far a transaction is, and whether it was cancelled.
///
/// - waiting: its body has not begun. Cancelling ends it at once, and the body never runs.
/// - running: cancelling interrupts the statement that runs, and the transaction ends with a rollback.
/// - ending: it commits or rolls back. Nothing cancels that.
final class TransactionState: Sendable {
    private enum Phase {
        case waiting
        case running(CancelHandle)
        case ending
    }

    private struct State {
        var phase = Phase.waiting
        var isCancelled = false
    }

    private let state = Mutex(State())

    /// Whether it was cancelled before it ended.
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Begins to run on a connection.
    ///
    /// - Returns: Whether it may.
    func run(cancellingWith handle: CancelHandle) -> Bool {
        state.withLock { state in
            guard !state.isCancelled else { return false }
            state.phase = .running(handle)
            return true
        }
    }

    /// Ends running.
    ///
    /// - Returns: Whether it may commit.
    func end() -> Bool {
        state.withLock { state in
            state.phase = .ending
            return !state.isCancelled
        }
    }

    /// Cancels it.
    ///
    /// - Returns: Whether its body has not begun, and will not.
    func cancel() -> Bool {
        state.withLock { state in
            switch state.phase {
            case .waiting:
                state.isCancelled = true
                return true
            case .running(let handle):
                state.isCancelled = true
                // Within the lock, so that no request is sent after the transaction began to end. It only enqueues.
                handle.request()
                return false
            case .ending:
                return false
            }
        }
    }
}
#endif
