public import TidingsWire

/// A backend that several nodes share, and that gives each event a position which is the same on all of them: the log of
/// every channel of a hub that has no other.
///
/// Hand it to ``WebSocketBroadcastBackend/init(underlying:hub:)``. From then on
/// - what is published anywhere comes to the hub from here, in the order of positions, and the hub gives out no positions
///   of its own;
/// - the hub says which channels its sessions hold, and answers a subscribe when the channel is followed;
/// - a client that comes back is answered from the hub's memory or, for what happened before the channel was followed, from
///   the log.
public protocol SharedBroadcastBackend: BroadcastBackend, EventLog {
    /// Tells everyone on every node, with one position on all channels.
    ///
    /// - Parameters:
    ///   - event: What happened.
    ///   - channels: Where it is told besides the event's own channel. None of them twice.
    /// - Returns: The event's position.
    /// - Throws: What ``BroadcastBackend/broadcast(_:)`` throws.
    func publish(_ event: BroadcastEvent, alsoOn channels: [ChannelName]) async throws -> EventPosition

    /// The newest event of a channel of which only the newest counts, for who subscribes where the channel was not followed.
    ///
    /// - Parameter channel: Any channel.
    /// - Returns: The event with its position; nil if none is kept.
    /// - Throws: ``BroadcastError`` if that cannot be found out. It ends up in logs, so it has no payload in it.
    func newest(on channel: ChannelName) async throws -> BroadcastEvent?

    /// Takes on the hub that is to be told. Called once, before anything else.
    ///
    /// - Parameter feed: Whom to tell.
    func attach(to feed: SharedLogFeed)

    /// Begins to tell the hub what happens on a channel.
    ///
    /// Returns at once and tells nothing from within the call: it may be made under a lock. When everything from some
    /// position on comes to the hub, ``SharedLogNews/reached(_:following:)`` says so; after each loss of a connection again.
    ///
    /// - Parameters:
    ///   - channel: The channel.
    ///   - generation: Comes back with the news, so that news of a time before are known for what they are.
    func follow(_ channel: ChannelName, generation: UInt64)

    /// Ends what ``follow(_:generation:)`` began. Returns at once and tells nothing from within the call.
    ///
    /// - Parameters:
    ///   - channel: The channel.
    ///   - generation: As it was followed.
    func unfollow(_ channel: ChannelName, generation: UInt64)
}

/// A channel that is followed from some position on.
public struct FollowedChannel: Hashable, Sendable {
    /// The channel.
    public let channel: ChannelName
    /// As it was followed: ``SharedBroadcastBackend/follow(_:generation:)``.
    public let generation: UInt64
    /// Whether a client that knows the channel up to that position has missed nothing. If not, the log is asked whenever a
    /// client comes back: something may have been published past it.
    public let isCertain: Bool

    /// Names a channel.
    ///
    /// - Parameters:
    ///   - channel: The channel.
    ///   - generation: As it was followed.
    ///   - isCertain: Whether a client that knows the channel up to that position has missed nothing.
    public init(_ channel: ChannelName, generation: UInt64, isCertain: Bool = true) {
        self.channel = channel
        self.generation = generation
        self.isCertain = isCertain
    }
}

/// What a shared backend tells the hub of its node.
public struct SharedLogNews: Sendable {
    enum Kind {
        case event(BroadcastEvent)
        case reached(EventPosition, [FollowedChannel])
        case stale(ChannelName, StaleReason)
        case lost
    }

    let kind: Kind

    /// Something happened on a channel that is followed. On one channel, positions grow; on several, an event has one.
    ///
    /// An event without a position was published past the log. It is told, and whoever asks for what happened after an
    /// earlier position is answered by the log, not from memory.
    public static func event(_ event: BroadcastEvent) -> SharedLogNews { SharedLogNews(kind: .event(event)) }

    /// Everything up to a position was told, on all channels that are followed. A position of another epoch begins another
    /// log: whoever holds a channel is told to refetch.
    ///
    /// - Parameters:
    ///   - position: The position.
    ///   - channels: What is followed from there on and was not before. Those who hold one of them already are told to
    ///     refetch: nobody knows what happened meanwhile.
    public static func reached(
        _ position: EventPosition,
        following channels: [FollowedChannel] = []
    ) -> SharedLogNews {
        SharedLogNews(kind: .reached(position, channels))
    }

    /// Something happened on a channel that cannot be told. Whoever holds it is told to refetch.
    public static func stale(_ channel: ChannelName, reason: StaleReason) -> SharedLogNews {
        SharedLogNews(kind: .stale(channel, reason))
    }

    /// No channel is followed any more, until it is said again of each.
    public static let lost = SharedLogNews(kind: .lost)
}

/// The way from a shared backend to the hub of its node.
public struct SharedLogFeed: Sendable {
    let hub: BroadcastHub
    let relay: Relay

    /// Tells the hub what happened, in this order.
    ///
    /// Returns before anything is written to a socket. Call it from one thread at a time. News that are told together
    /// reach an event loop together.
    ///
    /// - Parameter news: What happened.
    public func tell(_ news: [SharedLogNews]) {
        hub.tell(news, of: relay)
    }
}
