import Synchronization
public import TidingsWire

/// The events of some channels as they come, for one reader.
///
/// The channels are subscribed to for as long as this value, a copy of it or an iterator exists. What arrives before it
/// is read waits, up to the client's ``BroadcastClient/Configuration/bufferedEvents``; past that, what waits collapses
/// into one `stale` event for each channel.
///
/// Reading ends when the reading task is cancelled. Several readers share the events among each other: make a sequence
/// for each instead.
public struct BroadcastEvents: AsyncSequence, Sendable {
    /// What happened.
    public typealias Element = BroadcastEvent
    /// Reading does not fail: a connection that is lost comes back, and says that channels are stale.
    public typealias Failure = Never

    let mailbox: EventMailbox

    /// Starts to read.
    public func makeAsyncIterator() -> Iterator {
        Iterator(mailbox: mailbox)
    }

    /// Reads one event after the other.
    public struct Iterator: AsyncIteratorProtocol {
        let mailbox: EventMailbox

        /// The next event; waits until there is one. Nil when the task is cancelled.
        public mutating func next() async -> BroadcastEvent? {
            await mailbox.next()
        }

        /// The next event; waits until there is one. Nil when the task is cancelled.
        ///
        /// - Parameter actor: Where the reader runs.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> BroadcastEvent? {
            await mailbox.next()
        }
    }
}

/// Holds events between the event loop that receives them and the task that reads them.
final class EventMailbox: Sendable {
    private struct State {
        var buffer: EventBuffer
        var readers: [(identifier: UInt64, continuation: CheckedContinuation<BroadcastEvent?, Never>)] = []
        var lastReader: UInt64 = 0
    }

    private let state: Mutex<State>
    private let subscriptions = Mutex<[BroadcastClient.Subscription]>([])

    init(capacity: Int) {
        state = Mutex(State(buffer: EventBuffer(capacity: capacity)))
    }

    deinit {
        for subscription in subscriptions.withLock({ $0 }) { subscription.cancel() }
    }

    /// Keeps what feeds the mailbox, and ends it with the mailbox.
    func hold(_ subscription: BroadcastClient.Subscription) {
        subscriptions.withLock { $0.append(subscription) }
    }

    func deliver(_ event: BroadcastEvent) {
        let reader = state.withLock { state -> CheckedContinuation<BroadcastEvent?, Never>? in
            guard !state.readers.isEmpty else {
                state.buffer.append(event)
                return nil
            }
            return state.readers.removeFirst().continuation
        }
        reader?.resume(returning: event)
    }

    func next() async -> BroadcastEvent? {
        let identifier = state.withLock { state in
            state.lastReader += 1
            return state.lastReader
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let result = state.withLock { state -> BroadcastEvent?? in
                    if Task.isCancelled { return .some(nil) }
                    if let event = state.buffer.popFirst() { return event }
                    state.readers.append((identifier, continuation))
                    return nil
                }
                if let result { continuation.resume(returning: result) }
            }
        } onCancel: {
            cancel(identifier)
        }
    }

    /// Cancellation that comes before the reader waits is seen by the reader itself, under the same lock.
    private func cancel(_ identifier: UInt64) {
        let reader = state.withLock { state -> CheckedContinuation<BroadcastEvent?, Never>? in
            guard let index = state.readers.firstIndex(where: { $0.identifier == identifier }) else {
                return nil
            }
            return state.readers.remove(at: index).continuation
        }
        reader?.resume(returning: nil)
    }
}
