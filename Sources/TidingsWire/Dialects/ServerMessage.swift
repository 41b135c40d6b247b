/// What a server tells a client, in any ``Dialect``.
public enum ServerMessage: Hashable, Sendable {
    /// Something happened on a channel.
    case event(BroadcastEvent)
    /// The answer to one message of the client.
    case reply(ServerReply)
    /// Something was refused. With the identifier of a request, this is its answer and none of it was done. With a channel,
    /// that channel is not heard, whether it was just asked for or had been granted before.
    case error(WireError, id: RequestIdentifier?)
    /// The connection is open. The first message, in the extended dialect.
    case welcome(Welcome)
    /// The server will close the connection: come back at a random moment within this time. Extended dialect; in the
    /// others the close code (``CloseCode/draining``) tells.
    case draining(reconnectWithin: Duration)
}

extension ServerMessage: CustomStringConvertible {
    /// What it is about. Payloads are left out: descriptions end up in logs.
    public var description: String {
        switch self {
        case .event(let event): "event \(event)"
        case .reply(let reply): "\(reply)"
        case .error(let error, let id?): "error to request \(id): \(error)"
        case .error(let error, nil): "error: \(error)"
        case .welcome(let welcome): "welcome \(welcome.connection) from \(welcome.server)"
        case .draining(let time): "draining within \(time)"
        }
    }
}

/// Who the client speaks with, and at what pace.
public struct Welcome: Hashable, Sendable {
    /// The server's name for the connection, to be found in its logs.
    public let connection: String
    /// The server's name and version, such as `tidings/0.1.0`.
    public let server: String
    /// How often the server sends something when it has nothing to say. A client that hears nothing for this long and ten
    /// seconds more takes the connection for lost.
    public let heartbeat: Duration
    /// Who the client is, if it came with a token; nil if it did not.
    public let authenticated: Authenticated?

    /// Makes a welcome.
    ///
    /// - Parameters:
    ///   - connection: The server's name for the connection.
    ///   - server: The server's name and version.
    ///   - heartbeat: How often the server sends something. Whole milliseconds survive the wire.
    ///   - authenticated: Who the client is, if it came with a token.
    public init(connection: String, server: String, heartbeat: Duration, authenticated: Authenticated? = nil) {
        self.connection = connection
        self.server = server
        self.heartbeat = heartbeat
        self.authenticated = authenticated
    }
}
