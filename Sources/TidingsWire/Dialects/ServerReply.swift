#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// What became of one message of a client.
///
/// In the extended dialect it is one message. In the others only parts of it can be said, each in a message of its own:
///
/// | | plain | extended | topic |
/// |---|---|---|---|
/// | ``id`` | | yes | |
/// | ``authenticated`` | | yes | without subject and expiry |
/// | ``subscribed`` | | yes | the channel |
/// | ``refused`` | an error for each | yes | an error for each |
/// | ``unsubscribed`` | | yes | yes |
/// | ``published`` | | yes | |
/// | ``pong`` | yes | yes | without the number, read as 0 |
public struct ServerReply: Hashable, Sendable {
    /// The identifier of the message that is answered.
    public var id: RequestIdentifier?
    /// The channels that are heard from here on, in the order in which they were asked for.
    public var subscribed: [SubscribedChannel]
    /// What was not done. Each error names its channel, unless the name is over-long. The rest of the message holds: a
    /// channel that is in `subscribed` too is heard, and what was refused is to publish on it.
    public var refused: [WireError]
    /// The channels that are no longer heard.
    public var unsubscribed: [ChannelName]
    /// The number of the ping that is answered.
    public var pong: Int?
    /// Who the client is from here on; nil if it sent no token.
    public var authenticated: Authenticated?
    /// Where the published event stands; nil if none was published.
    public var published: EventPosition?

    /// Makes a reply.
    ///
    /// - Parameters:
    ///   - id: The identifier of the message that is answered.
    ///   - subscribed: The channels that are heard from here on.
    ///   - refused: What was not done.
    ///   - unsubscribed: The channels that are no longer heard.
    ///   - pong: The number of the ping that is answered.
    ///   - authenticated: Who the client is from here on.
    ///   - published: Where the published event stands.
    public init(
        id: RequestIdentifier? = nil,
        subscribed: [SubscribedChannel] = [],
        refused: [WireError] = [],
        unsubscribed: [ChannelName] = [],
        pong: Int? = nil,
        authenticated: Authenticated? = nil,
        published: EventPosition? = nil
    ) {
        self.id = id
        self.subscribed = subscribed
        self.refused = refused
        self.unsubscribed = unsubscribed
        self.pong = pong
        self.authenticated = authenticated
        self.published = published
    }
}

extension ServerReply: CustomStringConvertible {
    /// What became of what.
    public var description: String {
        var parts = [id.map { "reply to request \($0)" } ?? "reply"]
        if authenticated != nil { parts.append("authenticated") }
        parts += subscribed.map { "\($0.channel) \($0.recovered ? "recovered" : "subscribed")" }
        parts += refused.map { "\($0.channel ?? "-") refused: \($0)" }
        parts += unsubscribed.map { "\($0) unsubscribed" }
        if let published { parts.append("published at \(published)") }
        if let pong { parts.append("pong \(pong)") }
        return parts.joined(separator: ", ")
    }
}

/// A channel that is heard from here on.
public struct SubscribedChannel: Hashable, Sendable {
    /// The channel.
    public let channel: ChannelName
    /// Where the log stood when the channel was subscribed; nil when the dialect does not tell. Live events come after it,
    /// the missed events of a recovered channel come up to it.
    ///
    /// A client whose channel was recovered keeps the position that it has and moves it with each event: it may lose the
    /// connection before all of them have come. One whose channel was not takes this position.
    public let position: EventPosition?
    /// Whether each event after the client's `since` follows. If there was a `since` and this is false, the client takes
    /// the channel for stale; if there was none, it means nothing.
    public let recovered: Bool
    /// A client that has to refetch waits a random part of this time first; nil when there is no need to.
    public let spread: Duration?

    /// Tells of a channel.
    ///
    /// - Parameters:
    ///   - channel: The channel.
    ///   - position: Where the log stands. A server always knows it, also of a channel without events.
    ///   - recovered: Whether each event after the client's `since` follows.
    ///   - spread: Within what time clients should spread their requests.
    public init(
        channel: ChannelName,
        position: EventPosition? = nil,
        recovered: Bool = false,
        spread: Duration? = nil
    ) {
        self.channel = channel
        self.position = position
        self.recovered = recovered
        self.spread = spread
    }
}

/// Who a client is.
public struct Authenticated: Hashable, Sendable {
    /// Whom the token names; nil when the dialect does not tell.
    public let subject: String?
    /// When the token expires; nil if it does not, or the dialect does not tell. Milliseconds survive the wire.
    public let expiresAt: Date?

    /// Tells who a client is.
    ///
    /// - Parameters:
    ///   - subject: Whom the token names.
    ///   - expiresAt: When the token expires.
    public init(subject: String? = nil, expiresAt: Date? = nil) {
        self.subject = subject
        self.expiresAt = expiresAt
    }
}
