import Synchronization

/// State that one thread at a time can reach.
///
/// It differs from a `Mutex` in letting functions that capture things work on the state, as long as what they return can
/// be sent.
///
/// `@unchecked`: `state` is private and touched only between locking and unlocking, by functions that do not outlive the
/// call (they are not escaping), and what they return is `Sendable`. The compiler does not keep a function from storing a
/// reference to a part of the state in a variable that it captured: no function in this module does, and none may.
final class Guarded<State>: @unchecked Sendable {
    private let mutex = Mutex(())
    private var state: State

    init(_ state: sending State) {
        self.state = state
    }

    func withLock<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        mutex.withLock { _ in body(&state) }
    }
}
