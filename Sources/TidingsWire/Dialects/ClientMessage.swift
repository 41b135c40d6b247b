/// What a client asks for in one message, in any ``Dialect``.
///
/// A server does it in this order: it takes the token, subscribes, unsubscribes, publishes, and answers the ping. A pong
/// therefore says that everything beside the ping is done.
public struct ClientMessage: Hashable, Sendable {
    /// What the reply is to be known by; nil if the client does not need to know. Extended dialect.
    public var id: RequestIdentifier?
    /// A token that says who the client is.
    public var authentication: String?
    /// Channels to hear. One may be named twice, which is the same as once.
    public var subscribe: [ChannelName]
    /// Up to where the client knows a channel of `subscribe`: what came after it is to be sent again. Extended dialect.
    public var since: [ChannelName: EventPosition]
    /// Channels of `subscribe` with a `since` that is no position. They are recovered from nowhere; a server subscribes
    /// them and answers that they are not recovered. Read from the wire, never written.
    public var unreadableSince: Set<ChannelName>
    /// Channels to hear no longer.
    public var unsubscribe: [ChannelName]
    /// A number that the server sends back. The topic dialect has pings without a number, which are 0 here.
    public var ping: Int?
    /// An event to publish; nil for none. Plain and extended dialect.
    public var publish: PublishRequest?
    /// What was wrong with single channels, when the message was read from the wire: names in `subscribe`, `unsubscribe`
    /// and `publish` that are no channel names. The rest of the message still holds. Never written.
    public var refused: [WireError]

    /// Makes a message.
    ///
    /// - Parameters:
    ///   - id: What the reply is to be known by.
    ///   - authentication: A token that says who the client is.
    ///   - subscribe: Channels to hear.
    ///   - since: Up to where the client knows them. Channels that are not in `subscribe` are not sent.
    ///   - unreadableSince: Channels whose `since` could not be read.
    ///   - unsubscribe: Channels to hear no longer.
    ///   - ping: A number that the server sends back.
    ///   - publish: An event to publish.
    ///   - refused: What was wrong with single channels.
    public init(
        id: RequestIdentifier? = nil,
        authentication: String? = nil,
        subscribe: [ChannelName] = [],
        since: [ChannelName: EventPosition] = [:],
        unreadableSince: Set<ChannelName> = [],
        unsubscribe: [ChannelName] = [],
        ping: Int? = nil,
        publish: PublishRequest? = nil,
        refused: [WireError] = []
    ) {
        self.id = id
        self.authentication = authentication
        self.subscribe = subscribe
        self.since = since
        self.unreadableSince = unreadableSince
        self.unsubscribe = unsubscribe
        self.ping = ping
        self.publish = publish
        self.refused = refused
    }
}

extension ClientMessage: CustomStringConvertible {
    /// What it asks for. Token and payload are left out: descriptions end up in logs.
    public var description: String {
        var parts: [String] = []
        if let id { parts.append("request \(id)") }
        if authentication != nil { parts.append("auth") }
        if !subscribe.isEmpty { parts.append("subscribe " + subscribe.map(describe).joined(separator: " ")) }
        if !unsubscribe.isEmpty { parts.append("unsubscribe " + unsubscribe.map(\.rawValue).joined(separator: " ")) }
        if let publish { parts.append("publish \(publish)") }
        if let ping { parts.append("ping \(ping)") }
        if !refused.isEmpty { parts.append("\(refused.count) refused") }
        return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
    }

    private func describe(_ channel: ChannelName) -> String {
        since[channel].map { "\(channel) since \($0)" } ?? channel.rawValue
    }
}

/// An event that a client asks a server to publish. Whether it may is up to the server.
public struct PublishRequest: Hashable, Sendable {
    /// Where it is to be told.
    public let channel: ChannelName
    /// What happened.
    public let name: EventName
    /// What it is about.
    public let payload: EventPayload

    /// Makes a request.
    ///
    /// - Parameters:
    ///   - channel: Where it is to be told.
    ///   - name: What happened.
    ///   - payload: What it is about.
    public init(channel: ChannelName, name: EventName = .updated, payload: EventPayload = EventPayload()) {
        self.channel = channel
        self.name = name
        self.payload = payload
    }

    /// The event that it asks for.
    public var event: BroadcastEvent {
        BroadcastEvent(channel: channel, name: name, payload: payload)
    }
}

extension PublishRequest: CustomStringConvertible {
    /// Channel and name. The payload is left out: descriptions end up in logs.
    public var description: String { "\(channel) \(name)" }
}
