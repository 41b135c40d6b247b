import Synchronization

/// State that one thread at a time can reach.
///
/// It differs from a `Mutex` in what it asks of the functions that work on the state: they are `@Sendable`.
///
/// `@unchecked`: `state` is private and touched only between locking and unlocking. A function that touches it there cannot
/// take a part of it along. It may be stored nowhere (it does not escape); what it captures is `Sendable` and cannot be
/// assigned to, because it is `@Sendable`; what it returns is `Sendable`; and global variables are, in this language mode.
/// That leaves the state itself. What the state is made from is `sending`: nobody else has a reference to it.
final class Guarded<State>: @unchecked Sendable {
    private let mutex = Mutex(())
    private var state: State

    init(_ state: sending State) {
        self.state = state
    }

    func withLock<Result: Sendable>(_ body: @Sendable (inout State) -> Result) -> Result {
        mutex.withLock { _ in body(&state) }
    }
}
