public import TidingsWire

/// Carries events from whoever broadcasts them to whoever subscribed.
///
/// What every backend promises, and what the conformance suite in TidingsTesting checks:
/// - An event reaches every handler that was subscribed to its channel before ``broadcast(_:)`` was called, once.
/// - A handler receives the events of one caller, who awaits each broadcast, in the order in which they were made.
///   Between callers there is no order.
/// - Handlers are called one event at a time for each subscription, on any thread.
/// - Every call can be made from any task or thread at any time.
public protocol BroadcastBackend: Sendable {
    /// Whether events reach connected clients without their asking, as they do over a WebSocket.
    var supportsPush: Bool { get }

    /// Tells everyone who listens on the event's channel.
    ///
    /// - Parameter event: What happened. An event on a channel without subscribers is no error.
    /// - Throws: ``BroadcastError`` if it could not be handed over; then no subscriber has received it through this
    ///   call, except with the code ``BroadcastError/Code/unconfirmed``, where that is not known. Cancellation is no reason to stop half-way: once an event is handed over, it is delivered.
    func broadcast(_ event: BroadcastEvent) async throws

    /// Calls a handler with every later event of a channel.
    ///
    /// - Parameters:
    ///   - channel: What to listen to. Several subscriptions to one channel each receive every event.
    ///   - handler: Receives the events. It must return soon and not block: it may hold up the broadcaster.
    /// - Returns: What ``unsubscribe(_:)`` takes. Events broadcast after this method returned are received.
    /// - Throws: ``BroadcastError`` if the backend cannot be reached or is closed.
    func subscribe(to channel: ChannelName, handler: @escaping BroadcastHandler) async throws -> BroadcastSubscription

    /// Ends a subscription. Its handler is not called for events broadcast after this method returned.
    ///
    /// - Parameter subscription: What ``subscribe(to:handler:)`` returned. Ending it twice does nothing.
    func unsubscribe(_ subscription: BroadcastSubscription) async

    /// Whether the backend can do its work now.
    ///
    /// - Throws: ``BroadcastError`` that says what is wrong.
    func checkHealth() async throws

    /// Ends every subscription and releases what the backend holds. Closing twice does nothing.
    func close() async
}

/// Receives the events of one subscription.
public typealias BroadcastHandler = @Sendable (BroadcastEvent) -> Void

/// Names one subscription at one backend.
public struct BroadcastSubscription: Hashable, Sendable {
    /// What is listened to.
    public let channel: ChannelName
    /// Unique within the backend.
    package let number: UInt64

    /// Makes a name.
    ///
    /// - Parameters:
    ///   - channel: What is listened to.
    ///   - identifier: Unique within the backend.
    public init(channel: ChannelName, identifier: UInt64) {
        self.channel = channel
        number = identifier
    }
}

extension BroadcastBackend {
    /// Tells everyone who listens on a channel that something happened.
    ///
    /// ```swift
    /// try await broadcast.broadcast("item_added", on: "order", ["entity_id": "42", "item_id": "7"])
    /// ```
    ///
    /// - Parameters:
    ///   - name: What happened.
    ///   - channel: Where it is told.
    ///   - payload: What it is about.
    /// - Throws: What ``broadcast(_:)`` throws.
    public func broadcast(
        _ name: EventName,
        on channel: ChannelName,
        _ payload: EventPayload = EventPayload()
    ) async throws {
        try await broadcast(BroadcastEvent(channel: channel, name: name, payload: payload))
    }
}
