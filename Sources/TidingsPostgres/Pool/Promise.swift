#if PostgreSQL
import Synchronization

/// What one task waits for and a thread brings. The first result counts.
final class Promise<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case waiting(CheckedContinuation<Value, any Error>)
        case kept(Result<Value, any Error>)
        case over
    }

    private let state = Mutex(State.empty)

    /// The result. To be asked for once.
    var value: Value {
        get async throws {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { state in
                    if case .kept(let result) = state {
                        state = .over
                        continuation.resume(with: result)
                    } else {
                        state = .waiting(continuation)
                    }
                }
            }
        }
    }

    /// Brings the result.
    func fulfill(with result: Result<Value, any Error>) {
        state.withLock { state in
            switch state {
            case .empty:
                state = .kept(result)
            case .waiting(let continuation):
                state = .over
                continuation.resume(with: result)
            case .kept, .over:
                break
            }
        }
    }
}
#endif
