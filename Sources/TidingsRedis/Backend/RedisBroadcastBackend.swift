public import Logging
public import NIOCore
public import NIOPosix
public import ServiceLifecycle
import Synchronization
public import TidingsBroadcast
public import TidingsWire

/// Carries events between the nodes of a service over one Redis, and keeps the newest ones for clients that come back to
/// any of the nodes.
///
/// ```swift
/// let redis = try RedisBroadcastBackend(RedisConfiguration(url: "redis://127.0.0.1:6379"))
/// let broadcast = WebSocketBroadcastBackend(underlying: redis)
/// ```
///
/// Add it to the server's services, before the server itself: ``run()`` connects. A node subscribes to the channels that
/// its clients and handlers hold, and to no others. Handlers are called on one event loop, in the order of positions.
///
/// Something is published to this node alone every ``RedisConfiguration/probeInterval``. When it does not come back in time the connections
/// are made anew, even if they look well. After each loss of a connection every channel turns stale
/// (`backend_restored`), for clients and for handlers.
public final class RedisBroadcastBackend: IdempotentBroadcastBackend, Service {
    private let node: NIOLoopBoundBox<RedisNode>
    private let eventLoop: any EventLoop
    private let payloadBytes: Int
    private let sharedStatus = SharedStatus()
    private let lastIdentifier = Atomic<UInt64>(0)
    private let isClosed = Atomic(false)
    private let closing = AsyncCondition()

    /// Makes a backend that connects when it is run.
    ///
    /// - Parameters:
    ///   - configuration: Where Redis is, and how it is used.
    ///   - group: One of its event loops does all the work.
    ///   - logger: Hears about connections, never about payloads.
    /// - Throws: ``RedisError/Code/configuration`` if the configuration cannot be used.
    public init(
        _ configuration: RedisConfiguration,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger = Logger(label: "tidings.redis")
    ) throws(RedisError) {
        let eventLoop = group.next()
        self.eventLoop = eventLoop
        payloadBytes = configuration.payloadBytes
        node = NIOLoopBoundBox.makeBoxSendingValue(
            RedisNode(
                configuration,
                connector: try RedisConnector(configuration),
                status: sharedStatus,
                on: eventLoop,
                logger: logger
            ),
            eventLoop: eventLoop
        )
    }

    /// How this node fares with Redis now.
    public var status: RedisStatus { sharedStatus.withLock { $0 } }

    /// False: it reaches handlers. Clients are reached by ``TidingsBroadcast/WebSocketBroadcastBackend``.
    public var supportsPush: Bool { false }

    private func onLoop(_ body: @escaping @Sendable (RedisNode) -> Void) {
        eventLoop.execute { [node] in body(node.value) }
    }
}

// MARK: - Running

extension RedisBroadcastBackend {
    /// Connects, and stays connected until the task is cancelled, the service is shut down gracefully, or ``close()`` is
    /// called. It cannot be run again.
    public func run() async {
        onLoop { $0.start() }
        await cancelWhenGracefulShutdown { [closing] in
            await closing.wait { self.isClosed.load(ordering: .acquiring) }
        }
        await close()
    }

    /// Ends every subscription and both connections. What waits to be published fails.
    public func close() async {
        isClosed.store(true, ordering: .releasing)
        closing.changed()
        // Fails only when the loop is shut down, and then nothing is left.
        try? await eventLoop.submit { [node] in node.value.stop() }.get()
    }

    /// Succeeds while what is published comes here.
    ///
    /// - Throws: ``TidingsBroadcast/BroadcastError`` that says what is wrong.
    public func checkHealth() async throws {
        try await eventLoop.submit { [node] in
            if node.value.connected == nil { throw node.value.unavailable }
        }.get()
    }

    /// Shows how this node fares in the answer of `GET /readyz`, which fails while Redis is away.
    ///
    /// - Parameter checks: The server's checks.
    public func register(at checks: ReadinessChecks) {
        checks.register(
            "redis",
            details: { [self] in
                let status = status
                return [
                    "channels": status.channels, "connections": status.connections, "gaps": status.gaps,
                    "received": status.received, "unreadable": status.unreadable,
                ]
            },
            check: { [self] in try await checkHealth() }
        )
    }
}

// MARK: - Publishing

extension RedisBroadcastBackend {
    /// Tells everyone on every node.
    ///
    /// Returns when Redis has given the event its position and handed it out; the handlers of this node are called a
    /// moment later.
    ///
    /// - Parameter event: What happened.
    /// - Throws: ``TidingsBroadcast/BroadcastError``: `unavailable` if nobody was told, `unconfirmed` if the connection was
    ///   lost before Redis answered, `payloadTooLarge`, `closed`.
    public func broadcast(_ event: BroadcastEvent) async throws {
        _ = try await publish(event, alsoOn: [])
    }

    /// Tells everyone on every node, with one position on all channels.
    ///
    /// - Parameters:
    ///   - event: What happened.
    ///   - channels: Where it is told besides the event's own channel.
    /// - Returns: The event's position.
    /// - Throws: As ``broadcast(_:)``.
    public func publish(_ event: BroadcastEvent, alsoOn channels: [ChannelName]) async throws -> EventPosition {
        try await send(event, alsoOn: channels, once: nil)
    }

    /// Tells everyone on every node, unless that was done before, on this node or on another one.
    ///
    /// What was published is known as long as Redis keeps its data, and of no more requests than
    /// ``RedisConfiguration/knownRequests``. After `unconfirmed` the same call finds out what became of it.
    ///
    /// - Parameters:
    ///   - event: What happened.
    ///   - channels: Where it is told besides the event's own channel.
    ///   - key: By what it is known again.
    /// - Returns: The event's position: that of the first time, if it was published before.
    /// - Throws: As ``broadcast(_:)``, and `keyReused`.
    public func publish(
        _ event: BroadcastEvent,
        alsoOn channels: [ChannelName],
        once key: PublishingKey
    ) async throws -> EventPosition {
        try await send(event, alsoOn: channels, once: key)
    }

    private func send(
        _ event: BroadcastEvent,
        alsoOn channels: [ChannelName],
        once key: PublishingKey?
    ) async throws -> EventPosition {
        let size = event.payload.json.count
        guard size <= payloadBytes else {
            throw BroadcastError(
                .payloadTooLarge,
                "The payload of \(event) has \(size) bytes of at most \(payloadBytes). Send a hint and let clients refetch."
            )
        }
        var told = [event.channel]
        for channel in channels where !told.contains(channel) { told.append(channel) }
        let promise = eventLoop.makePromise(of: EventPosition.self)
        let publish = OutgoingPublish(body: NodeMessage.body(of: event), channels: told, key: key, promise: promise)
        onLoop { $0.publish(publish) }
        return try await promise.futureResult.get()
    }
}

// MARK: - Hearing

extension RedisBroadcastBackend {
    /// Calls a handler with every later event of a channel, whichever node it is published on.
    ///
    /// A `stale` event tells the handler that it may have missed something.
    ///
    /// - Parameters:
    ///   - channel: What to listen to.
    ///   - handler: Receives the events, on the backend's event loop: it must return soon.
    /// - Throws: ``TidingsBroadcast/BroadcastError`` if Redis is away for longer than it takes to connect and to probe;
    ///   `CancellationError` if the task is cancelled before.
    public func subscribe(
        to channel: ChannelName,
        handler: @escaping BroadcastHandler
    ) async throws -> BroadcastSubscription {
        let identifier = lastIdentifier.add(1, ordering: .relaxed).newValue
        let promise = eventLoop.makePromise(of: Void.self)
        onLoop { $0.subscribe(identifier, to: channel, handler, promise: promise) }
        try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            onLoop { node in
                guard node.joining[identifier] != nil else { return }
                node.unsubscribe(identifier, from: channel)
            }
        }
        return BroadcastSubscription(channel: channel, identifier: identifier)
    }

    /// Ends a subscription.
    ///
    /// - Parameter subscription: What ``subscribe(to:handler:)`` returned.
    public func unsubscribe(_ subscription: BroadcastSubscription) async {
        let (channel, identifier) = (subscription.channel, subscription.number)
        try? await eventLoop.submit { [node] in node.value.unsubscribe(identifier, from: channel) }.get()
    }
}

// MARK: - The log

extension RedisBroadcastBackend {
    /// Where the log stands. Everything up to there was heard here.
    ///
    /// - Throws: ``TidingsBroadcast/BroadcastError`` if Redis is away.
    public func head() async throws -> EventPosition {
        let promise = eventLoop.makePromise(of: EventPosition.self)
        onLoop { $0.askForHead(promise) }
        return try await promise.futureResult.get()
    }

    /// What happened on a channel after a position, as far as Redis keeps it.
    ///
    /// - Parameters:
    ///   - channel: Any channel.
    ///   - position: The last position that the reader knows of.
    ///   - limit: How many events the reader takes.
    /// - Throws: ``TidingsBroadcast/BroadcastError`` if Redis is away.
    public func events(
        on channel: ChannelName,
        after position: EventPosition,
        atMost limit: Int
    ) async throws -> EventReplay {
        let promise = eventLoop.makePromise(of: EventReplay.self)
        onLoop { $0.read(channel, after: position, atMost: limit, promise) }
        return try await promise.futureResult.get()
    }
}

extension RedisBroadcastBackend {
    /// The newest event of a channel, as far as Redis keeps it.
    ///
    /// - Parameter channel: Any channel.
    /// - Throws: ``TidingsBroadcast/BroadcastError`` if Redis is away.
    public func newest(on channel: ChannelName) async throws -> BroadcastEvent? {
        let promise = eventLoop.makePromise(of: BroadcastEvent?.self)
        onLoop { $0.readNewest(channel, promise) }
        return try await promise.futureResult.get()
    }
}

// MARK: - The hub

extension RedisBroadcastBackend {
    /// Takes on the hub of this node.
    ///
    /// - Parameter feed: Whom to tell.
    public func attach(to feed: SharedLogFeed) {
        onLoop { $0.feed = feed }
    }

    /// Subscribes to a channel for the hub.
    ///
    /// - Parameters:
    ///   - channel: The channel.
    ///   - generation: Comes back with the news.
    public func follow(_ channel: ChannelName, generation: UInt64) {
        onLoop { $0.follow(channel, generation: generation) }
    }

    /// Ends the subscription of the hub.
    ///
    /// - Parameters:
    ///   - channel: The channel.
    ///   - generation: As it was followed.
    public func unfollow(_ channel: ChannelName, generation: UInt64) {
        onLoop { $0.unfollow(channel, generation: generation) }
    }
}
