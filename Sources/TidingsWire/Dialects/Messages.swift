/// What a client asks for in one message of the plain dialect. Its parts take effect in the order in which they stand
/// here.
public struct ClientMessage: Hashable, Sendable {
    /// A token that says who the client is.
    public var authentication: String?
    /// Channels to hear.
    public var subscribe: [ChannelName]
    /// Channels to hear no longer.
    public var unsubscribe: [ChannelName]
    /// A number that the server sends back.
    public var ping: Int?
    /// Names in `subscribe` and `unsubscribe` that are no channel names. The rest of the message still holds.
    public var refused: [WireError]

    /// Makes a message.
    ///
    /// - Parameters:
    ///   - authentication: A token that says who the client is.
    ///   - subscribe: Channels to hear.
    ///   - unsubscribe: Channels to hear no longer.
    ///   - ping: A number that the server sends back.
    ///   - refused: What was wrong with single channels, when the message was read from the wire.
    public init(
        authentication: String? = nil,
        subscribe: [ChannelName] = [],
        unsubscribe: [ChannelName] = [],
        ping: Int? = nil,
        refused: [WireError] = []
    ) {
        self.authentication = authentication
        self.subscribe = subscribe
        self.unsubscribe = unsubscribe
        self.ping = ping
        self.refused = refused
    }
}

extension ClientMessage: CustomStringConvertible {
    /// What it asks for. The token is left out: descriptions end up in logs.
    public var description: String {
        var parts: [String] = []
        if authentication != nil { parts.append("auth") }
        if !subscribe.isEmpty { parts.append("subscribe " + subscribe.map(\.rawValue).joined(separator: " ")) }
        if !unsubscribe.isEmpty { parts.append("unsubscribe " + unsubscribe.map(\.rawValue).joined(separator: " ")) }
        if let ping { parts.append("ping \(ping)") }
        if !refused.isEmpty { parts.append("\(refused.count) refused") }
        return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
    }
}

/// What a server tells a client.
public enum ServerMessage: Hashable, Sendable {
    /// Something happened on a channel.
    case event(BroadcastEvent)
    /// The client got something wrong.
    case error(WireError)
    /// The answer to a ping, with its number.
    case pong(Int)
}
