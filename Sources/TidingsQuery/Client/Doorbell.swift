import Synchronization

/// Wakes tasks that wait. A ring that nobody waits for is kept for those who do later.
final class Doorbell: Sendable {
    private struct State {
        var rings: UInt64 = 0
        /// How many of them ``Doorbell/wait()`` has ended with.
        var heard: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var lastWaiter: UInt64 = 0
    }

    private let state = Mutex(State())

    /// How often it has rung.
    var rings: UInt64 { state.withLock(\.rings) }

    func ring() {
        let waiters = state.withLock { state in
            state.rings += 1
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits for a ring that no wait has ended with yet, or until the task is cancelled. For a doorbell with one listener;
    /// several of them each remember what they know of: ``wait(after:)``.
    func wait() async {
        await wait(after: state.withLock(\.heard))
        state.withLock { $0.heard = $0.rings }
    }

    /// Waits until it has rung more often than the caller knows of, or the task is cancelled.
    func wait(after known: UInt64) async {
        let identifier = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state -> Bool in
                    if state.rings > known || Task.isCancelled { return true }
                    state.waiters[identifier] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: identifier) }?.resume()
        }
    }
}
