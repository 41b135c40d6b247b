import Logging
import NIOCore
import Synchronization
import TidingsBroadcast
import TidingsWire

/// What a backend does with Redis: connects, hears, publishes, and notices when something does not come.
///
/// Stays on one event loop for its whole life, across all connections, so there is an order to everything that happens.
/// Time is the loop's.
final class RedisNode {
    enum Phase {
        /// Not started.
        case idle
        /// A connection is being made, or its first probe is on its way.
        case connecting
        /// What is published comes here.
        case connected(RedisLink)
        /// Until the next attempt.
        case waiting
        /// For good.
        case stopped
    }

    let configuration: RedisConfiguration
    let connector: RedisConnector
    let eventLoop: any EventLoop
    let names: RedisNames
    let logger: Logger
    let metrics = RedisMetrics()
    /// Read by everybody.
    let status: SharedStatus

    var phase = Phase.idle
    /// The connections, from when they are made; nil while there are none.
    var link: RedisLink?
    /// Attempts to connect since it last went well.
    var attempts = 0
    var nextEndpoint = 0
    /// Called when the connection is in use, or has ended before.
    var onConnected: () -> Void = {}

    var subscriptions = SubscriptionSet()
    /// Channels by what is published on: of those that are subscribed.
    var channels: [ByteBuffer: ChannelName] = [:]
    var handlers: [UInt64: BroadcastHandler] = [:]
    /// Those who wait until their handler is live.
    var joining: [UInt64: EventLoopPromise<Void>] = [:]
    /// The hub of this node, if there is one.
    var feed: SharedLogFeed?
    var isUpdateDue = false
    var epoch: String?

    var lastToken: UInt64 = 0
    /// The barrier that is on its way.
    var barrier: (token: UInt64, deadline: Scheduled<Void>)?
    var nextProbe: Scheduled<Void>?
    /// Barriers that have come back on this connection.
    var barriersReached = 0
    /// Those who want to know where the log stands: from the next barrier, and from the one on its way.
    var askingForHead: [EventLoopPromise<EventPosition>] = []
    var awaitingHead: [EventLoopPromise<EventPosition>] = []

    /// What waits for a connection, in order.
    var parked: [UInt64: ParkedPublish] = [:]
    var lastPublish: UInt64 = 0
    var pendingPublishes = 0
    var pendingBytes = 0

    /// When it was last said that somebody publishes on a channel past the log.
    var marked: [ChannelName: NIODeadline] = [:]

    init(
        _ configuration: RedisConfiguration,
        connector: RedisConnector,
        status: SharedStatus,
        on eventLoop: any EventLoop,
        logger: Logger
    ) {
        self.configuration = configuration
        self.connector = connector
        self.status = status
        self.eventLoop = eventLoop
        self.logger = logger
        names = RedisNames(prefix: configuration.prefix, node: configuration.makeName())
    }

    /// Whether what is published comes here.
    var connected: RedisLink? {
        guard case .connected(let link) = phase else { return nil }
        return link
    }

    var isStopped: Bool {
        guard case .stopped = phase else { return false }
        return true
    }

    /// What becomes of calls while there is no connection.
    var unavailable: BroadcastError {
        guard !isStopped else {
            return BroadcastError(.closed, "The backend is closed. Broadcast before the server shuts down.")
        }
        let failure = status.withLock { $0.failure }
        if case .idle = phase {
            return BroadcastError(.unavailable, "The backend does not run. Add it to the server's services.")
        }
        return BroadcastError(.unavailable, "Redis is away. Try again later.", cause: failure)
    }
}

extension RedisConfiguration {
    /// A name that nobody else has.
    func makeName() -> String {
        let parts = (0..<4).map { _ in String(UInt32(max(0, min(1, random())) * Double(UInt32.max)), radix: 36) }
        return parts.joined()
    }
}
