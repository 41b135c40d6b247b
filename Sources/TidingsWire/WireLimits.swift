/// The limits of the wire, in one place: defaults that a server can change, and what a name may be at the most.
public enum WireLimits {
    /// Bytes of UTF-8 in a channel name and in an event name.
    public static let channelNameBytes = 255
    /// Channels that one connection may hold.
    public static let channelsPerConnection = 256
    /// Bytes of UTF-8 in the identifier of a request.
    public static let requestIdentifierBytes = 64
    /// Members of one message. Objects inside a message have as many as fit.
    public static let messageMembers = 256
    /// Bytes in one WebSocket frame's payload from a client, and in a message put together from several.
    public static let clientMessageBytes = 64 * 1024
    /// Bytes in the payload of one event.
    public static let payloadBytes = 64 * 1024
    /// Bytes that may wait to be sent to one connection.
    public static let pendingBytesPerConnection = 1024 * 1024
    /// Different signals of one channel that may wait to be sent to one connection.
    public static let pendingSignalsPerChannel = 1024
    /// Levels of arrays and objects inside each other in any JSON text.
    public static let jsonDepth = 128
    /// Levels of arrays and objects inside each other in the payload of one event: those of a JSON text, less the two that
    /// the envelope of a payload takes at the most.
    public static let payloadDepth = jsonDepth - 2
    /// Messages that a client may send in a second, on average.
    public static let clientMessagesPerSecond = 50
    /// Messages that a client may send at once.
    public static let clientMessageBurst = 100
    /// Time between two pings of the server.
    public static let heartbeatInterval: Duration = .seconds(25)
    /// Time without a sign of life until a connection is given up.
    public static let heartbeatTimeout: Duration = .seconds(35)
    /// Time between two comments of an event stream.
    public static let eventStreamInterval: Duration = .seconds(15)
    /// Time that a client has to say who it is.
    public static let authenticationTimeout: Duration = .seconds(10)
    /// Time from a token's expiry to the end of its session.
    public static let expiryGrace: Duration = .seconds(25)
    /// Time over which a draining server closes its connections.
    public static let drainWindow: Duration = .seconds(5)
    /// Bytes that a client accepts in one message from a server. An event has a full payload and its envelope. The reply
    /// to a request has each name of the request again, with a position or an error.
    public static let serverMessageBytes = 256 * 1024
}
