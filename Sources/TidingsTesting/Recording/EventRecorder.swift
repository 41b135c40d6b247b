import Synchronization
public import TidingsBroadcast
public import TidingsWire

/// Keeps the events that a subscription receives, for tests that wait for them.
///
/// ```swift
/// let recorder = EventRecorder()
/// let subscription = try await backend.subscribe(to: "order", handler: recorder.handler)
/// try await backend.broadcast("created", on: "order")
/// let events = try await recorder.events(atLeast: 1)
/// ```
public final class EventRecorder: Sendable {
    private struct State {
        var events: [BroadcastEvent] = []
        var waiting: [UInt64: (count: Int, continuation: CheckedContinuation<Void, Never>)] = [:]
        var lastWaiter: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Makes a recorder that has received nothing.
    public init() {}

    /// Give this to whoever delivers events. It can be called from any thread.
    public var handler: BroadcastHandler {
        { [self] event in record(event) }
    }

    /// What was received so far, in order.
    public var events: [BroadcastEvent] { state.withLock { $0.events } }

    /// Waits until a number of events was received.
    ///
    /// - Parameters:
    ///   - count: How many, counted from the beginning.
    ///   - timeout: How long to wait at most.
    /// - Returns: What was received by then, in order.
    /// - Throws: ``ConformanceFailure`` after the timeout.
    public func events(atLeast count: Int, within timeout: Duration = .seconds(10)) async throws -> [BroadcastEvent] {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(for: count) }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw ConformanceFailure("waited \(timeout) for \(count) events and received \(self.events.count)")
            }
            try await group.next()
            group.cancelAll()
        }
        return events
    }

    private func record(_ event: BroadcastEvent) {
        let ready = state.withLock { state in
            state.events.append(event)
            let count = state.events.count
            let ready = state.waiting.filter { $0.value.count <= count }
            for identifier in ready.keys { state.waiting[identifier] = nil }
            return ready.values.map(\.continuation)
        }
        for continuation in ready { continuation.resume() }
    }

    private func wait(for count: Int) async {
        let identifier = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.events.count >= count || Task.isCancelled { return true }
                    state.waiting[identifier] = (count, continuation)
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: identifier) }?.continuation.resume()
        }
    }
}
