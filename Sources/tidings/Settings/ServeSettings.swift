import TidingsBroadcast
import TidingsHummingbird

/// What `tidings serve` can be told. The one table from which options, variables, the file, the messages and the guide's
/// table come.
enum ServeSettings {
    enum BackendKind: String, CaseIterable, Sendable { case memory, redis }
    enum LogLevel: String, CaseIterable, Sendable { case trace, debug, info, notice, warning, error, critical }
    enum KeyAlgorithm: String, CaseIterable, Sendable {
        case rs256 = "RS256"
        case es256 = "ES256"
        case edDSA = "EdDSA"
    }

    static let host = Setting(
        "host",
        .text("a name or an address; 0.0.0.0 and :: are all of this machine's"),
        "127.0.0.1",
        "The address to listen on."
    )
    static let port = Setting("port", .number(0...65_535), 8080, "The port to listen on; 0 takes a free one.")
    static let logLevel = Setting("log.level", .word, LogLevel.info, "What is logged to standard error.")
    static let certificate = Setting(
        "tls.certificate",
        .optional(.file),
        nil,
        "The server's certificate and those between it and its authority (PEM)."
    )
    static let privateKey = Setting("tls.key", .optional(.file), nil, "The certificate's private key (PEM).")

    static let tokenSecret = Setting(
        "authentication.secret",
        .optional(.secret),
        nil,
        "Tokens are signed with this secret (HS256).",
        isSecret: true
    )
    static let publicKey = Setting(
        "authentication.public_key",
        .optional(.file),
        nil,
        "Tokens are signed with the key to this public one (PEM)."
    )
    static let keyAlgorithm = Setting(
        "authentication.algorithm",
        .word,
        KeyAlgorithm.es256,
        "What the public key is for."
    )
    static let keySet = Setting(
        "authentication.key_set",
        .optional(.keySet),
        nil,
        "Tokens are signed with a key of this set (JWKS)."
    )
    static let issuer = Setting(
        "authentication.issuer",
        .optional(.text("any text")),
        nil,
        "Who has to have made the tokens (iss)."
    )
    static let audience = Setting(
        "authentication.audience",
        .optional(.text("any text")),
        nil,
        "For whom the tokens have to be (aud)."
    )
    static let cookie = Setting(
        "authentication.cookie",
        .optional(.text("a cookie's name")),
        nil,
        "The cookie that may have a client's token."
    )

    static let publicChannels = Setting(
        "channels.public",
        .list(of: .pattern),
        [],
        "Channels that everyone may hear, whatever their token says."
    )
    static let publishableChannels = Setting(
        "channels.publishable",
        .list(of: .pattern),
        [],
        "Channels that everyone who may connect may publish on."
    )
    static let streams = Setting(
        "channels.streams",
        .list(of: .pattern),
        [],
        "Channels on which each event counts: who is too slow is cut off."
    )
    static let snapshots = Setting(
        "channels.snapshots",
        .list(of: .pattern),
        [],
        "Channels whose newest event is told to who comes later."
    )
    static let origins = Setting(
        "origins",
        .origins,
        .sameHost,
        "Pages of which origins may connect."
    )

    static let backend = Setting("backend", .word, BackendKind.memory, "What carries events: this process, or Redis.")
    static let redisURL = Setting(
        "redis.url",
        .optional(.redisURL),
        nil,
        "Where Redis is, for the backend redis.",
        isSecret: true
    )
    static let redisPrefix = Setting(
        "redis.prefix",
        .text("any text; two services in one Redis need two"),
        "tidings:",
        "What the names of all keys and channels in Redis begin with."
    )
    static let redisPatience = Setting(
        "redis.while_away",
        .duration(.zero ... .seconds(60)),
        .zero,
        "How long a publish waits for Redis that is away; 0s: it fails at once."
    )

    static let historyEvents = Setting(
        "history.events",
        .optional(.number(0...1_000_000)),
        nil,
        "Newest events of a channel that are kept for clients that come back; without, 10000 in memory, 1000 in Redis."
    )
    static let historyAge = Setting(
        "history.age",
        .duration(.seconds(1) ... .seconds(86_400)),
        .seconds(300),
        "How long events are kept."
    )
    static let historyBytes = Setting(
        "history.bytes",
        .bytes(0...(64 << 30)),
        64 << 20,
        "Bytes of all kept events, for the backend memory."
    )

    static let connections = Setting(
        "limits.connections",
        .optional(.number(1...10_000_000)),
        nil,
        "Connections at the same time."
    )
    static let connectionsPerSubject = Setting(
        "limits.connections_per_subject",
        .optional(.number(1...1_000_000)),
        nil,
        "Connections of one subject at the same time."
    )
    static let channelsPerConnection = Setting(
        "limits.channels_per_connection",
        .number(1...100_000),
        hub.channelsPerSession,
        "Channels of a connection."
    )
    static let payloadBytes = Setting(
        "limits.payload_bytes",
        .bytes(1...(1 << 20)),
        hub.payloadBytes,
        "Bytes in an event's payload."
    )
    static let messageBytes = Setting(
        "limits.message_bytes",
        .bytes(1024...(16 << 20)),
        hub.clientMessageBytes,
        "Bytes in a client's message."
    )
    static let pendingBytes = Setting(
        "limits.pending_bytes",
        .bytes(65_536...(1 << 30)),
        hub.pendingBytesPerSession,
        "Bytes that may wait for one slow client."
    )
    static let messagesPerSecond = Setting(
        "limits.messages_per_second",
        .number(1...10_000_000),
        hub.clientMessagesPerSecond,
        "Messages of a client in a second, on average."
    )
    static let messageBurst = Setting(
        "limits.message_burst",
        .number(1...10_000_000),
        hub.clientMessageBurst,
        "Messages of a client at once."
    )

    static let publishesPerSecond = Setting(
        "limits.publishes_per_second",
        .number(1...10_000_000),
        publishing.eventsPerSecond,
        "Events of one subject at POST /broadcast in a second, on average."
    )
    static let publishBurst = Setting(
        "limits.publish_burst",
        .number(1...10_000_000),
        publishing.eventBurst,
        "Events of one subject at POST /broadcast at once."
    )

    static let heartbeatInterval = Setting(
        "heartbeat.interval",
        .seconds(.seconds(1) ... .seconds(3600)),
        hub.heartbeatInterval,
        "Time between two pings to a client."
    )
    static let heartbeatTimeout = Setting(
        "heartbeat.timeout",
        .seconds(.seconds(2) ... .seconds(7200)),
        hub.heartbeatTimeout,
        "Time without a sign of life until a client is cut off."
    )
    static let drainWindow = Setting(
        "drain.window",
        .duration(.zero ... .seconds(600)),
        hub.drainWindow,
        "Time over which clients are let go when the server stops."
    )
    static let compression = Setting("compression", .boolean, false, "Whether messages are compressed for who asks.")
    static let metrics = Setting("metrics", .boolean, false, "Whether GET /metrics is there, for Prometheus.")
    static let operatorSecret = Setting(
        "operators.secret",
        .optional(.secret),
        nil,
        "What operators prove themselves with at /broadcast/stats, /broadcast/sessions and /metrics.",
        isSecret: true
    )

    static let consoleSecret = Setting(
        "console.secret",
        .optional(.secret),
        nil,
        "What operators open the page /console with; without, there is none.",
        isSecret: true
    )

    private static let hub = BroadcastHub.Configuration()
    private static let publishing = PublishingLimits()

    /// All of them, in the order in which they are told.
    static let all: [any AnySetting] = [
        host, port, logLevel, certificate, privateKey, origins,
        tokenSecret, publicKey, keyAlgorithm, keySet, issuer, audience, cookie,
        publicChannels, publishableChannels, streams, snapshots,
        backend, redisURL, redisPrefix, redisPatience,
        historyEvents, historyAge, historyBytes,
        connections, connectionsPerSubject, channelsPerConnection, payloadBytes, messageBytes, pendingBytes,
        messagesPerSecond, messageBurst, publishesPerSecond, publishBurst,
        heartbeatInterval, heartbeatTimeout, drainWindow, compression, metrics, operatorSecret, consoleSecret,
    ]
}
