import Synchronization
public import TidingsWire

/// A backend within one process: handlers are called by whoever broadcasts, before ``broadcast(_:)`` returns.
public final class InMemoryBroadcastBackend: BroadcastBackend {
    /// One subscription. Its handler is called for one event at a time, however many broadcast at the same time.
    private final class Listener: Sendable {
        let subscription: BroadcastSubscription
        private let handler: Mutex<BroadcastHandler>

        init(_ subscription: BroadcastSubscription, _ handler: @escaping BroadcastHandler) {
            self.subscription = subscription
            self.handler = Mutex(handler)
        }

        func hear(_ event: BroadcastEvent) {
            handler.withLock { $0(event) }
        }
    }

    private struct State {
        var listeners: [ChannelName: [Listener]] = [:]
        var lastIdentifier: UInt64 = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Makes a backend that nobody is subscribed to.
    public init() {}

    /// False: it reaches handlers in this process only.
    public var supportsPush: Bool { false }

    /// Calls every handler of the event's channel, in the order of their subscriptions.
    ///
    /// - Parameter event: What happened.
    /// - Throws: ``BroadcastError/Code/closed`` after ``close()``.
    public func broadcast(_ event: BroadcastEvent) async throws {
        // Called outside the lock, so that a handler may have others broadcast, subscribe and unsubscribe.
        for listener in try openState({ $0.listeners[event.channel] ?? [] }) { listener.hear(event) }
    }

    /// Adds a handler.
    ///
    /// - Parameters:
    ///   - channel: What to listen to.
    ///   - handler: Called on the broadcaster's thread, one event at a time: a second broadcaster waits for it.
    /// - Throws: ``BroadcastError/Code/closed`` after ``close()``.
    public func subscribe(
        to channel: ChannelName,
        handler: @escaping BroadcastHandler
    ) async throws -> BroadcastSubscription {
        try openState { state in
            state.lastIdentifier += 1
            let subscription = BroadcastSubscription(channel: channel, identifier: state.lastIdentifier)
            state.listeners[channel, default: []].append(Listener(subscription, handler))
            return subscription
        }
    }

    /// Removes a handler.
    ///
    /// - Parameter subscription: What ``subscribe(to:handler:)`` returned.
    public func unsubscribe(_ subscription: BroadcastSubscription) async {
        state.withLock { state in
            state.listeners[subscription.channel]?.removeAll { $0.subscription == subscription }
            if state.listeners[subscription.channel]?.isEmpty == true { state.listeners[subscription.channel] = nil }
        }
    }

    /// Succeeds until ``close()``.
    public func checkHealth() async throws {
        try openState { _ in }
    }

    /// Removes every handler.
    public func close() async {
        state.withLock { state in
            state.isClosed = true
            state.listeners = [:]
        }
    }

    /// Whether somebody in this process listens to a channel.
    func hasHandlers(of channel: ChannelName) -> Bool {
        state.withLock { $0.listeners[channel] != nil }
    }

    private func openState<Result>(_ body: (inout State) throws -> sending Result) throws -> sending Result {
        try state.withLock { state in
            guard !state.isClosed else {
                throw BroadcastError(.closed, "The backend is closed. Broadcast before the server shuts down.")
            }
            return try body(&state)
        }
    }
}
