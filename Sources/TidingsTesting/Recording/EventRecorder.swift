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
    private let received = Mutex<[BroadcastEvent]>([])
    private let arrival = AsyncCondition()

    /// Makes a recorder that has received nothing.
    public init() {}

    /// Give this to whoever delivers events. It can be called from any thread.
    public var handler: BroadcastHandler {
        { [self] event in record(event) }
    }

    /// What was received so far, in order.
    public var events: [BroadcastEvent] { received.withLock { $0 } }

    /// Waits until a number of events was received.
    ///
    /// - Parameters:
    ///   - count: How many, counted from the beginning.
    ///   - timeout: How long to wait at most.
    /// - Returns: What was received by then, in order.
    /// - Throws: ``ConformanceFailure`` after the timeout.
    public func events(atLeast count: Int, within timeout: Duration = .seconds(10)) async throws -> [BroadcastEvent] {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.arrival.wait { self.events.count >= count } }
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
        received.withLock { $0.append(event) }
        arrival.changed()
    }
}
