import Synchronization

/// Lets tasks wait until something is so. What it is about is kept elsewhere, behind a lock of its own.
package final class AsyncCondition: Sendable {
    private struct State {
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var lastIdentifier: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Waits until something is so, or the task is cancelled.
    ///
    /// - Parameter isTrue: Whether it is. Called at the beginning and after each ``changed()``.
    package func wait(until isTrue: @Sendable () -> Bool) async {
        while !isTrue(), !Task.isCancelled {
            await waitForChange(unless: isTrue)
        }
    }

    /// Something may have become so.
    package func changed() {
        let waiting = state.withLock { state in
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Registers first and looks afterwards: a change in between finds somebody to wake.
    private func waitForChange(unless isTrue: @Sendable () -> Bool) async {
        let identifier = state.withLock { state in
            state.lastIdentifier += 1
            return state.lastIdentifier
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { $0.waiting[identifier] = continuation }
                if isTrue() || Task.isCancelled { wake(identifier) }
            }
        } onCancel: {
            wake(identifier)
        }
    }

    private func wake(_ identifier: UInt64) {
        state.withLock { $0.waiting.removeValue(forKey: identifier) }?.resume()
    }
}
