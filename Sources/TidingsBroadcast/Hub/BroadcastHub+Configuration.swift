public import FoundationEssentials
public import TidingsWire

extension BroadcastHub {
    /// What the hub allows, and how it talks.
    public struct Configuration: Sendable {
        /// Channels that one session may hold.
        public var channelsPerSession: Int
        /// Bytes in a client's frame, and in a message put together from several.
        public var clientMessageBytes: Int
        /// Bytes in the payload of an event, whoever publishes it. Clients of Tidings take messages of up to
        /// ``TidingsWire/WireLimits/serverMessageBytes``.
        public var payloadBytes: Int
        /// Bytes that may wait for one session before its signals collapse into `stale` events.
        public var pendingBytesPerSession: Int
        /// Different signals of one channel that may wait for one session before they collapse into a `stale` event.
        public var pendingSignalsPerChannel: Int
        /// Sessions that may be open at the same time; nil: as many as the system allows.
        public var connections: Int?
        /// Time over which the closes of a draining server are spread, so that its clients do not come back to the
        /// others in one moment.
        public var drainWindow: Duration
        /// Time that a peer has to answer a close frame before its socket is closed.
        public var closeTimeout: Duration
        /// Messages and pings that a client may send in a second, on average.
        public var clientMessagesPerSecond: Int
        /// Messages and pings that a client may send at once.
        public var clientMessageBurst: Int
        /// Time between two pings to a client; whole seconds.
        public var heartbeatInterval: Duration
        /// Time without a sign of life, or with a write that does not go on, until a client is cut off; whole seconds.
        public var heartbeatTimeout: Duration
        /// Time between two comments to the client of an event stream, which keep connections from being taken for idle;
        /// whole seconds.
        public var eventStreamInterval: Duration
        /// Events that wait for one event loop before a channel's events give way to one `stale` event.
        public var eventsAwaitingDelivery: Int
        /// Bytes in the payloads of events that wait for one event loop before the channel that has most of them gives way in
        /// the same manner.
        public var bytesAwaitingDelivery: Int
        /// Whether messages are compressed for clients that offer it (permessage-deflate, RFC 7692). Each message stands for
        /// itself, so an event is compressed once for everybody; a client's message is limited after it was inflated, too.
        ///
        /// Worth it for large payloads over slow networks. Off by default: the length of a compressed message tells
        /// something of its content to whoever can have a text of theirs put beside a secret.
        public var compressesMessages: Bool
        /// What the events of a channel mean to a reader that falls behind. Called for each event that is published, on
        /// any thread; the answer for a channel has to stay the same.
        public var delivery: @Sendable (ChannelName) -> ChannelDelivery
        /// Says who the bearer of a token is; nil: clients need not say who they are. With one, a client that did not
        /// come with a token has to send one before anything else.
        public var authenticator: (any Authenticator)?
        /// Who may hear and publish what.
        public var policy: ChannelPolicy
        /// Time that a client has to send a token; whole seconds.
        public var authenticationTimeout: Duration
        /// Time from a token's expiry to the end of its session, for sending a fresh one; whole seconds.
        public var expiryGrace: Duration
        /// Sessions that one subject may have at the same time; nil: any number.
        public var connectionsPerSubject: Int?
        /// Channels of the delivery ``ChannelDelivery/snapshot`` whose newest event is kept for those who subscribe
        /// later. Of more, those that were published on longest ago are forgotten.
        public var snapshotChannels: Int
        /// Events that are sent again to a client that comes back, for each channel; one that missed more, or more than
        /// ``pendingBytesPerSession``, refetches.
        public var replayedEvents: Int
        /// Time that a client's subscribe waits for a log that is kept elsewhere, for all of its channels together: until
        /// that has said what the client missed, or the relay has told as much as the client knows already. A channel that
        /// is not decided by then is not recovered; it is subscribed all the same.
        public var resumeTimeout: Duration
        /// Reads of logs that are kept elsewhere at the same time, for clients that come back. Others wait in order.
        public var logReads: Int
        /// Requests a second that the server behind the data takes when one event makes every subscriber of a channel
        /// refetch. Subscribers of more than a hundred are told to spread theirs over as long as that takes.
        public var refetchesPerSecond: Int
        /// What time it is, for events that do not say when they happened.
        public var now: @Sendable () -> Date
        /// Where the tasks run that ask logs which are kept elsewhere; nil: where tasks do.
        var executor: (any TaskExecutor)?

        /// Starts with the limits of the protocol.
        public init() {
            channelsPerSession = WireLimits.channelsPerConnection
            clientMessageBytes = WireLimits.clientMessageBytes
            payloadBytes = WireLimits.payloadBytes
            pendingBytesPerSession = WireLimits.pendingBytesPerConnection
            pendingSignalsPerChannel = WireLimits.pendingSignalsPerChannel
            drainWindow = WireLimits.drainWindow
            closeTimeout = .seconds(5)
            clientMessagesPerSecond = WireLimits.clientMessagesPerSecond
            clientMessageBurst = WireLimits.clientMessageBurst
            heartbeatInterval = WireLimits.heartbeatInterval
            heartbeatTimeout = WireLimits.heartbeatTimeout
            eventStreamInterval = WireLimits.eventStreamInterval
            eventsAwaitingDelivery = 65_536
            bytesAwaitingDelivery = 64 * 1024 * 1024
            compressesMessages = false
            delivery = { _ in .signal }
            policy = ChannelPolicy()
            authenticationTimeout = WireLimits.authenticationTimeout
            expiryGrace = WireLimits.expiryGrace
            snapshotChannels = 10_000
            replayedEvents = 1000
            resumeTimeout = .seconds(2)
            logReads = 4
            refetchesPerSecond = 2000
            now = { Date() }
        }

        /// Over what time subscribers spread their requests; nil if they are too few for that to matter.
        func spread(of subscribers: Int) -> Duration? {
            guard subscribers > 100 else { return nil }
            return .milliseconds(subscribers * 1000 / max(refetchesPerSecond, 1))
        }

        var rateLimits: RateLimit.Limits { .init(perSecond: clientMessagesPerSecond, burst: clientMessageBurst) }

        var heartbeatLimits: SessionHeartbeat.Limits {
            .init(interval: heartbeatInterval.components.seconds, timeout: heartbeatTimeout.components.seconds)
        }

        /// The client of an event stream has no way to show that it lives but to read.
        var eventStreamLimits: SessionHeartbeat.Limits {
            .init(
                interval: eventStreamInterval.components.seconds,
                timeout: heartbeatTimeout.components.seconds,
                expectsSigns: false
            )
        }
    }
}
