public import NIOSSL

/// Where Redis is, and how it is used.
public struct RedisConfiguration: Sendable {
    /// What becomes of an event that is published while Redis is away.
    public struct PublishingWhileAway: Hashable, Sendable {
        let patience: Duration

        /// The call throws at once. This is the default.
        public static let fails = PublishingWhileAway(patience: .zero)

        /// The call waits until Redis is back, and throws if it is not by then. No more calls wait than
        /// ``RedisConfiguration/pendingPublishes``; a further one throws at once.
        ///
        /// - Parameter patience: How long a call waits at most.
        public static func waits(upTo patience: Duration) -> PublishingWhileAway {
            PublishingWhileAway(patience: patience)
        }
    }

    /// The version of RESP that is spoken.
    public struct ProtocolVersion: Hashable, Sendable {
        let number: Int

        /// RESP2, which every server speaks.
        public static let resp2 = ProtocolVersion(number: 2)
        /// RESP3; RESP2 with a server that does not know it. This is the default.
        public static let resp3 = ProtocolVersion(number: 3)
    }

    /// Where Redis listens. Of several, those that are replicas or away are passed over: after a failover the next one that
    /// takes writes is used. They are to be one primary and its replicas.
    public var endpoints: [RedisEndpoint]
    /// The user of the access control list; nil: the default user.
    public var user: String?
    /// The password; nil: none is sent.
    public var password: String?
    /// The database. What is published is heard in all databases: give two services in one Redis two prefixes.
    public var database = 0
    /// How TLS is spoken; nil: it is not.
    public var tls: TLSConfiguration?
    /// The version of RESP that is spoken.
    public var protocolVersion = ProtocolVersion.resp3
    /// What the names of all keys and channels begin with. The events of `order` are published on `tidings:order`.
    public var prefix = "tidings:"
    /// Newest events of each channel that are kept for clients that come back; about as many.
    public var historyLength = 1000
    /// Requests to publish that are known again when they come again, on all nodes together. Of more, the oldest are forgotten.
    public var knownRequests = 100_000
    /// How far back clients that come back are told what they missed. Redis keeps events for a little more than twice as
    /// long, counted from the last one on their channel.
    public var historyAge: Duration = .seconds(300)
    /// Time for a connection to be made and to be taken into use.
    public var connectTimeout: Duration = .seconds(2)
    /// Time between two probes: something that is published to see whether it comes back.
    public var probeInterval: Duration = .seconds(2)
    /// Time that a probe has to come back before the connections are given up, and made anew.
    public var probeTimeout: Duration = .seconds(2)
    /// Longest wait before a second attempt at the same endpoint; the first is made at once. It doubles with each round that
    /// fails, and each wait is a random part of it.
    public var reconnectBase: Duration = .milliseconds(100)
    /// Longest wait before any attempt to connect.
    public var reconnectMaximum: Duration = .seconds(2)
    /// What becomes of an event that is published while Redis is away.
    public var whileAway = PublishingWhileAway.fails
    /// Events that are on their way to Redis, or wait for it, at the same time. More are refused at once.
    public var pendingPublishes = 10_000
    /// Bytes of those events.
    public var pendingBytes = 16 * 1024 * 1024
    /// Bytes in the payload of an event, the same on all nodes. A larger one is not published; one that another program
    /// publishes is set aside, and its channel told to refetch.
    public var payloadBytes = 64 * 1024
    /// What the connections call themselves in `CLIENT LIST`; no white space.
    public var clientName = "tidings"
    /// A number from 0 to 1, each as likely as the other: for waits and names.
    public var random: @Sendable () -> Double = { Double.random(in: 0...1) }

    /// Takes addresses; everything else is as most servers want it.
    ///
    /// - Parameter endpoints: Where Redis listens.
    public init(_ endpoints: RedisEndpoint...) {
        self.endpoints = endpoints
    }
}
