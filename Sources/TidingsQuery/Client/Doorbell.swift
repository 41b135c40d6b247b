import Synchronization

/// Wakes tasks that wait. A ring that nobody waits for is kept for those who do later.
package final class Doorbell: Sendable {
    private struct State {
        var rings: UInt64 = 0
        /// How many of them ``Doorbell/wait()`` has ended with.
        var heard: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var lastWaiter: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Makes one that has not rung.
    package init() {}

    /// How often it has rung.
    package var rings: UInt64 { state.withLock(\.rings) }

    package func ring() {
        let waiters = state.withLock { state in
            state.rings += 1
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits for a ring that no wait has ended with yet, or until the task is cancelled. For a doorbell with one listener;
    /// several of them each remember what they know of: ``wait(after:)``.
    package func wait() async {
        await wait(after: state.withLock(\.heard))
        state.withLock { $0.heard = $0.rings }
    }

    /// Waits until it has rung more often than the caller knows of, or the task is cancelled.
    package func wait(after known: UInt64) async {
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

extension Doorbell {
    /// Waits for a ring, for a moment, or until the task is cancelled, whichever comes first.
    package func wait(after known: UInt64, until moment: Timestamp?, _ time: TimeSource) async {
        guard let moment else { return await wait(after: known) }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(after: known) }
            group.addTask { try? await time.sleep(until: moment) }
            await group.next()
            group.cancelAll()
        }
    }
}
