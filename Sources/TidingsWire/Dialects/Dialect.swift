/// Which language is spoken on a connection. Each says the same messages in its own way, and some of them not at all.
///
/// | dialect | for |
/// |---|---|
/// | ``plain`` | clients of a few lines: subscribe and hear |
/// | ``extended`` | clients that want an answer to each request, and after a reconnect what they missed |
/// | ``topic`` | clients that are written for `topic`, `event` and `data` |
/// | ``feed`` | clients that show the newest value of feeds, and ask for nothing |
///
/// Reading never traps, takes time and memory in proportion to the text, and looks at most ``WireLimits/jsonDepth``
/// levels deep.
public enum Dialect: CaseIterable, Sendable {
    /// `GET /ws/broadcast`: JSON objects of a few keys.
    case plain
    /// The same endpoint and a superset of ``plain``, with positions and a reply to each request.
    case extended
    /// `GET /ws`: `action` and `topic` from the client; `topic`, `event` and `data` from the server.
    case topic
    /// `GET /ws/feeds`: `type` and the value from the server.
    case feed
}

// MARK: - The choice

extension Dialect {
    /// The WebSocket subprotocol that stands for it (RFC 6455 §1.9); nil if it has none.
    public var subprotocol: String? {
        switch self {
        case .plain: "tidings.plain"
        case .extended: "tidings.v1"
        case .topic, .feed: nil
        }
    }

    /// The dialect that a subprotocol stands for; nil if it stands for none, as the one that carries a token does.
    ///
    /// - Parameter subprotocol: One name of the list that a client offers; upper and lower case are different.
    public init?(subprotocol: String) {
        guard let dialect = Self.allCases.first(where: { $0.subprotocol == subprotocol }) else { return nil }
        self = dialect
    }
}

// MARK: - The server's side

extension Dialect {
    /// Reads a client's message.
    ///
    /// - Parameter text: The message: valid UTF-8, as RFC 6455 §8.1 demands of a text message.
    /// - Throws: ``WireError``, and then nothing of the message holds: ``WireError/Code/badJSON``, or
    ///   ``WireError/Code/badRequest`` when it is no object, has more than ``WireLimits/messageMembers`` members, or a known
    ///   key has a value of the wrong type. Unknown keys are ignored. Single names that are no channel names do not throw:
    ///   they are ``ClientMessage/refused``.
    public func decodeClientMessage(_ text: [UInt8]) throws(WireError) -> ClientMessage {
        try codec.decodeClientMessage(text)
    }

    /// The identifier of a client's message that could not be read as a whole, for the error that answers it; nil if it
    /// has none that can be read, or the dialect has none.
    ///
    /// - Parameter text: The message, as ``decodeClientMessage(_:)`` takes it.
    public func requestIdentifier(of text: [UInt8]) -> RequestIdentifier? {
        codec.requestIdentifier(of: text)
    }

    /// Writes what the server says: JSON texts in the order in which they are to be sent, each of them one message. None
    /// if the dialect has no words for it.
    ///
    /// - Parameter message: An event is always one text, an error too.
    public func encode(_ message: ServerMessage) -> [[UInt8]] {
        codec.encode(message)
    }

    /// Writes an event: one JSON text, the same for everyone who hears it.
    ///
    /// - Parameter event: What happened.
    public func encode(_ event: BroadcastEvent) -> [UInt8] {
        codec.encode(event)
    }
}

// MARK: - The client's side

extension Dialect {
    /// Writes what a client says: JSON texts in the order in which they are to be sent, each of them one message. What the
    /// dialect has no words for is left out.
    ///
    /// - Parameter message: What it asks for. What is only read, such as `refused`, is not sent.
    public func encode(_ message: ClientMessage) -> [[UInt8]] {
        codec.encode(message)
    }

    /// Reads what a server said; nil if it is nothing that this version knows, which a client ignores.
    ///
    /// - Parameter text: The message: valid UTF-8.
    public func decodeServerMessage(_ text: [UInt8]) -> ServerMessage? {
        codec.decodeServerMessage(text)
    }
}

// MARK: - Codecs

/// What a dialect reads and writes; see ``Dialect``.
protocol DialectCodec {
    static func decodeClientMessage(_ text: [UInt8]) throws(WireError) -> ClientMessage
    static func requestIdentifier(of text: [UInt8]) -> RequestIdentifier?
    static func encode(_ message: ServerMessage) -> [[UInt8]]
    static func encode(_ event: BroadcastEvent) -> [UInt8]
    static func encode(_ message: ClientMessage) -> [[UInt8]]
    static func decodeServerMessage(_ text: [UInt8]) -> ServerMessage?
}

extension Dialect {
    private var codec: any DialectCodec.Type {
        switch self {
        case .plain: PlainDialect.self
        case .extended: ExtendedDialect.self
        case .topic: TopicDialect.self
        case .feed: FeedDialect.self
        }
    }
}
