public import TidingsWire

/// The backend that a server broadcasts on: hands each event to a backend underneath and pushes it to the clients that
/// are connected here.
///
/// ```swift
/// let broadcast = WebSocketBroadcastBackend()
/// try await broadcast.broadcast("created", on: "order", ["entity_id": "42"])
/// ```
///
/// Clients receive the events of one caller in the order of its calls. An event that the backend underneath refuses is
/// not pushed: either everybody hears of it or nobody.
public final class WebSocketBroadcastBackend: BroadcastBackend {
    /// Holds the connected clients.
    public let hub: BroadcastHub
    private let underlying: any BroadcastBackend

    /// Makes a backend.
    ///
    /// - Parameters:
    ///   - underlying: Where events go besides the connected clients, and where handlers in this process subscribe.
    ///     A ``SharedBroadcastBackend`` becomes the log of the hub's channels, so hand it over before clients are let in.
    ///   - hub: Holds the connected clients.
    public init(underlying: any BroadcastBackend = InMemoryBroadcastBackend(), hub: BroadcastHub = BroadcastHub()) {
        self.underlying = underlying
        self.hub = hub
        if let shared = underlying as? any SharedBroadcastBackend {
            hub.share(shared)
        } else {
            hub.publishClients(through: underlying)
        }
    }

    /// True.
    public var supportsPush: Bool { true }

    /// Hands the event to the backend underneath, then to the hub.
    ///
    /// - Parameter event: What happened.
    /// - Throws: ``BroadcastError/Code/payloadTooLarge``, ``BroadcastError/Code/relayedChannel``, or what the backend
    ///   underneath throws.
    public func broadcast(_ event: BroadcastEvent) async throws {
        try await broadcast(event, alsoOn: [])
    }

    /// Tells of one event on several channels: a client that holds more than one of them can see, by the position, that
    /// it is one event. The backend underneath is handed one event for each channel.
    ///
    /// ```swift
    /// let event = BroadcastEvent(channel: "order", name: "updated", payload: ["entity_id": "42"])
    /// try await broadcast.broadcast(event, alsoOn: ["order:42", "table:7"])
    /// ```
    ///
    /// - Parameters:
    ///   - event: What happened.
    ///   - channels: Where it is told besides the event's own channel; on each once.
    /// - Throws: ``BroadcastError/Code/payloadTooLarge``, ``BroadcastError/Code/relayedChannel``, or what the backend
    ///   underneath throws.
    public func broadcast(_ event: BroadcastEvent, alsoOn channels: [ChannelName]) async throws {
        try await publish(event, alsoOn: channels)
    }

    /// The same as ``broadcast(_:alsoOn:)``, for who wants to know the event's position.
    ///
    /// - Parameters:
    ///   - event: What happened.
    ///   - channels: Where it is told besides the event's own channel.
    /// - Returns: The event's position.
    /// - Throws: What ``broadcast(_:alsoOn:)`` throws.
    @discardableResult
    public func publish(_ event: BroadcastEvent, alsoOn channels: [ChannelName] = []) async throws -> EventPosition {
        try await publish(event, alsoOn: channels, once: nil)
    }

    /// Whether the backend underneath knows what was published before: an ``IdempotentBroadcastBackend``.
    package var publishesOnce: Bool { underlying is any IdempotentBroadcastBackend }

    /// The same, for what may be asked for again.
    ///
    /// - Parameter key: By what the event is known again; nil: it is not. Ignored unless ``publishesOnce``.
    package func publish(
        _ event: BroadcastEvent,
        alsoOn channels: [ChannelName] = [],
        once key: PublishingKey?
    ) async throws -> EventPosition {
        do {
            return try await tell(event, alsoOn: channels, once: key)
        } catch {
            hub.failed(error, code: "broadcast_failed", "An event could not be broadcast.")
            throw error
        }
    }

    private func tell(
        _ event: BroadcastEvent,
        alsoOn channels: [ChannelName],
        once key: PublishingKey?
    ) async throws -> EventPosition {
        let event = event.traced
        try hub.checkPublishable(event)
        if let shared = try hub.sharedBackend(of: event.channel, and: channels) {
            // It comes back from there, to the clients of this node as to those of the others.
            let event = event.happened(at: hub.configuration.now())
            guard let key, let idempotent = shared as? any IdempotentBroadcastBackend else {
                return try await shared.publish(event, alsoOn: channels)
            }
            return try await idempotent.publish(event, alsoOn: channels, once: key)
        }
        var told: Set<ChannelName> = []
        for channel in [event.channel] + channels where told.insert(channel).inserted {
            try await underlying.broadcast(event.told(on: channel))
        }
        return try hub.publish(event, alsoOn: channels)
    }

    /// Subscribes at the backend underneath.
    ///
    /// - Parameters:
    ///   - channel: What to listen to.
    ///   - handler: Receives the events.
    /// - Throws: What the backend underneath throws.
    public func subscribe(
        to channel: ChannelName,
        handler: @escaping BroadcastHandler
    ) async throws -> BroadcastSubscription {
        try await underlying.subscribe(to: channel, handler: handler)
    }

    /// Unsubscribes at the backend underneath.
    ///
    /// - Parameter subscription: What ``subscribe(to:handler:)`` returned.
    public func unsubscribe(_ subscription: BroadcastSubscription) async {
        await underlying.unsubscribe(subscription)
    }

    /// Checks the backend underneath.
    public func checkHealth() async throws {
        try await underlying.checkHealth()
    }

    /// Closes the connected clients' sessions with 1001 and the backend underneath.
    public func close() async {
        await hub.close()
        await underlying.close()
    }
}
