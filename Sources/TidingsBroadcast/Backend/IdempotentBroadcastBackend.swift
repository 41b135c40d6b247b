public import TidingsWire

/// A shared backend that publishes an event once, however often and on whichever node it is asked to.
///
/// For requests that come again after a doubt: the first answer was lost, the node that gave it is gone, or the backend was
/// lost before it confirmed. ``TidingsTesting/IdempotentBackendConformance`` checks what is promised here.
public protocol IdempotentBroadcastBackend: SharedBroadcastBackend {
    /// Tells everyone on every node, unless that was done before. Finding that out, telling and remembering it are one step,
    /// also for two nodes that are asked at the same time.
    ///
    /// - Parameters:
    ///   - event: What happened.
    ///   - channels: Where it is told besides the event's own channel. None of them twice.
    ///   - key: By what it is known again.
    /// - Returns: The event's position: that of the first time, if it was published before.
    /// - Throws: ``BroadcastError/Code/keyReused`` if the key came with another request before, and nobody was told; or what
    ///   ``SharedBroadcastBackend/publish(_:alsoOn:)`` throws.
    func publish(
        _ event: BroadcastEvent,
        alsoOn channels: [ChannelName],
        once key: PublishingKey
    ) async throws -> EventPosition
}

/// By what an event is known again that may be published once.
public struct PublishingKey: Hashable, Sendable {
    /// Whose request it is, and what they call it.
    public let request: String
    /// The same for the same request, and another one for another: a key that comes with another request is refused.
    public let fingerprint: String
    /// Which one it is of the request's events, from 0.
    public let index: Int
    /// How long it is known, from the request's first event on.
    public let retention: Duration

    /// Names an event of a request.
    ///
    /// - Parameters:
    ///   - request: Whose request it is, and what they call it.
    ///   - fingerprint: The same for the same request, and another one for another.
    ///   - index: Which one it is of the request's events, from 0.
    ///   - retention: How long it is known, from the request's first event on.
    public init(request: String, fingerprint: String, index: Int = 0, retention: Duration) {
        self.request = request
        self.fingerprint = fingerprint
        self.index = index
        self.retention = retention
    }
}
