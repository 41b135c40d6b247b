public import FoundationEssentials
public import Logging
public import NIOCore
import NIOPosix
public import NIOSSL
public import Observation
import Synchronization
public import TidingsWire

/// One connection to a broadcast server that comes back by itself, and everything that is heard on it.
///
/// ```swift
/// let client = try BroadcastClient(url: "wss://example.com/ws/broadcast")
/// client.connect()
/// for await event in client.events(on: "order") {
///     print(event.name, event.payload.entityID ?? "-")
/// }
/// ```
///
/// A client that lost its server tries again without end, after waits with full jitter, and asks for everything anew,
/// from where it was. What it missed is delivered first, in order. Where a server does not know that any more, or speaks
/// a dialect without positions, the channel gets the event ``TidingsWire/EventName/stale`` instead.
///
/// All methods can be called from any task or thread at any time and return without waiting. What one caller asks for
/// takes effect in the order in which it was asked for. Events of a channel arrive in the order in which the server sent
/// them.
public final class BroadcastClient: Observable, Sendable {
    /// Where the client stands with its server.
    public enum State: Hashable, Sendable {
        /// The first connection is being made.
        case connecting
        /// Events arrive.
        case connected
        /// The connection was lost, or was never made, and is tried again.
        case reconnecting
        /// Nobody asked for a connection, or somebody asked to end it. The client stays away until ``connect()``.
        case disconnected
        /// The client has given up, for the reason given. It stays away until ``connect()``.
        case failed(BroadcastClientError)

        /// Compares the reasons' codes and messages.
        public func hash(into hasher: inout Hasher) {
            switch self {
            case .connecting: hasher.combine(0)
            case .connected: hasher.combine(1)
            case .reconnecting: hasher.combine(2)
            case .disconnected: hasher.combine(3)
            case .failed(let error): hasher.combine(error.message)
            }
        }
    }

    /// How a client behaves.
    public struct Configuration: Sendable {
        /// Gives the token that says who the client is; nil: it does not say.
        ///
        /// Called before each connection, so also after the server has ended one because its token had expired, and again
        /// when a token has lived four fifths of its time, to be sent on the living connection. When it throws, that is a
        /// failed attempt. A client whose token was refused connects again only with another one. It may return nil to
        /// connect without one. The task is cancelled when the client disconnects.
        public var token: (@Sendable () async throws -> String?)?
        /// How long it waits between attempts, and how many it makes.
        public var backoff = Backoff()
        /// How long a connection has to last for the next waits to be short again.
        public var stableAfter: Duration = .seconds(5)
        /// How many events wait for a reader of ``BroadcastClient/events(on:)`` before they collapse into `stale`.
        public var bufferedEvents = 1024
        /// What the client offers to speak, in the order of preference. With ``TidingsWire/Dialect/extended`` a client that
        /// comes back is told what it missed, if the server still knows. A server that knows none of them speaks
        /// ``TidingsWire/Dialect/plain``.
        public var dialects: [Dialect] = [.extended, .plain]
        /// Whether to offer the server that messages are compressed (permessage-deflate, RFC 7692). Worth it for large
        /// payloads over slow networks.
        public var offersCompression = false
        /// How long the server may be silent before it is asked for a sign of life. A server that says how often it speaks
        /// is taken at its word.
        public var heartbeatInterval: Duration = WireLimits.heartbeatInterval
        /// How long it may be silent after that before the connection is given up.
        public var heartbeatGrace: Duration = .seconds(10)
        /// From the first packet to the end of the opening handshake.
        public var connectTimeout: Duration = .seconds(10)
        /// How TLS is spoken for `wss`.
        public var tls = TLSConfiguration.makeClientConfiguration()
        /// Where the randomness of the waits comes from. The generator is used on one thread at a time.
        public var makeRandomNumberGenerator: @Sendable () -> any RandomNumberGenerator = {
            SystemRandomNumberGenerator()
        }
        /// What time it is, for the life of tokens.
        public var now: @Sendable () -> Date = { Date() }
        /// Hears what the server did not accept, on the client's event loop.
        public var onServerError: (@Sendable (WireError) -> Void)?
        /// Hears about connections, and at the level `trace` about each message; never about payloads and tokens.
        public var logger = Logger(label: "tidings.client")
        /// Whose event loop the client lives on, and whose clock it waits by.
        public var eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton

        /// Starts with the protocol's times.
        public init() {}
    }

    /// How a channel stands with the server.
    public enum SubscriptionUpdate: Hashable, Sendable {
        /// The server tells of the channel from here on. With `isRecovered`, everything that happened after the position that
        /// was asked from follows; without, the channel's log is at the position. It is nil with a server that does not
        /// say: then what was asked of it was done as far as can be known.
        case subscribed(at: EventPosition?, isRecovered: Bool)
        /// The server does not tell of it, for the reason given, or no longer.
        case refused(WireError)
        /// The connection was lost: the server is asked again when there is another one.
        case interrupted
    }

    /// One user's hold of a channel. It ends with ``cancel()`` or when nobody keeps it any more.
    public final class Subscription: Sendable {
        /// What is heard.
        public let channel: ChannelName
        private let end: @Sendable () -> Void

        init(channel: ChannelName, end: @escaping @Sendable () -> Void) {
            self.channel = channel
            self.end = end
        }

        deinit {
            end()
        }

        /// Ends it: the handler is called at most for events that are being handed out at this moment. Ending it twice
        /// does nothing.
        public func cancel() {
            end()
        }
    }

    private let configuration: Configuration
    private let eventLoop: any EventLoop
    private let core: NIOLoopBoundBox<ClientCore>
    private let states = StateBroadcaster()
    private let lastIdentifier = Atomic<UInt64>(0)

    /// Makes a client that does not connect yet.
    ///
    /// - Parameters:
    ///   - url: `ws://host[:port]/path`, or `wss` for TLS.
    ///   - configuration: How it behaves.
    /// - Throws: ``BroadcastClientError/Code/badURL``.
    public convenience init(url: String, configuration: Configuration = Configuration()) throws(BroadcastClientError) {
        let endpoint = try WebSocketEndpoint(url)
        var connector = WebSocketConnector()
        connector.tls = configuration.tls
        connector.offersCompression = configuration.offersCompression
        connector.subprotocols = configuration.dialects.compactMap(\.subprotocol)
        connector.connectTimeout = TimeAmount(configuration.connectTimeout)
        self.init(configuration: configuration, connect: connector.connect(to: endpoint))
    }

    init(configuration: Configuration, connect: @escaping ClientCore.Connect) {
        self.configuration = configuration
        let eventLoop = configuration.eventLoopGroup.next()
        self.eventLoop = eventLoop
        core = NIOLoopBoundBox.makeBoxSendingValue(
            ClientCore(
                eventLoop: eventLoop,
                configuration: configuration,
                connect: connect,
                stateChanged: { [states] in states.send($0) }
            ),
            eventLoop: eventLoop
        )
    }

    deinit {
        disconnect()
    }
}

// MARK: - The connection

extension BroadcastClient {
    /// Makes a connection and keeps it, until ``disconnect()``. While one is wanted this does nothing, except that a
    /// wait before the next attempt is cut short.
    public func connect() {
        onCore { $0.startConnecting() }
    }

    /// Ends the connection and stays away. Subscriptions are kept for the next ``connect()``, and told then of what happened
    /// meanwhile, or that this is not known.
    public func disconnect() {
        onCore { $0.disconnect() }
    }

    /// Where the client stands now. Whoever reads it under `Observation` is told when it changes.
    public var state: State { states.current }

    /// Where the client stands now, and each change from then on. Somebody who does not read for long finds the newest
    /// changes only.
    public var stateChanges: some AsyncSequence<State, Never> & Sendable { states.changes() }

    private func onCore(_ body: @escaping @Sendable (ClientCore) -> Void) {
        // Always queued, also from the loop itself: what is asked for first happens first.
        eventLoop.execute { [core] in body(core.value) }
    }
}

// MARK: - Events

extension BroadcastClient {
    /// Calls a handler with every event of a channel.
    ///
    /// The channel is asked for once on the wire, for its first user, and released with its last.
    ///
    /// - Parameters:
    ///   - channel: What to hear.
    ///   - position: Up to where the caller knows the channel, if it loaded data that says so: what happened after it is
    ///     delivered first, or the channel is said to be stale. It counts for the first user of a channel.
    ///   - onUpdate: Called where the handler is, when it becomes known how the channel stands with the server, and each
    ///     time that this changes.
    ///   - handler: Called on the client's event loop, one event at a time, in the order of arrival. It must return soon
    ///     and not block.
    /// - Returns: Ends when it is cancelled or nobody keeps it.
    public func subscribe(
        to channel: ChannelName,
        since position: EventPosition? = nil,
        onUpdate: (@Sendable (SubscriptionUpdate) -> Void)? = nil,
        handler: @escaping @Sendable (BroadcastEvent) -> Void
    ) -> Subscription {
        let identifier = lastIdentifier.add(1, ordering: .relaxed).newValue
        let subscriber = ClientCore.Subscriber(identifier: identifier, onUpdate: onUpdate, handler: handler)
        onCore { $0.subscribe(to: channel, since: position, subscriber) }
        let (eventLoop, core) = (eventLoop, core)
        return Subscription(channel: channel) {
            eventLoop.execute { core.value.unsubscribe(from: channel, identifier: identifier) }
        }
    }

    /// The events of some channels, from now on, for one reader.
    ///
    /// - Parameter channels: What to hear.
    public func events(on channels: ChannelName...) -> BroadcastEvents {
        events(on: channels)
    }

    /// The events of some channels, from now on, for one reader.
    ///
    /// - Parameters:
    ///   - channels: What to hear.
    ///   - position: Up to where the caller knows them: what happened after it comes first, or a channel is said to be
    ///     stale. It counts for the first user of a channel.
    public func events(on channels: [ChannelName], since position: EventPosition? = nil) -> BroadcastEvents {
        let mailbox = EventMailbox(capacity: configuration.bufferedEvents)
        for channel in channels {
            mailbox.hold(subscribe(to: channel, since: position) { [weak mailbox] in mailbox?.deliver($0) })
        }
        return BroadcastEvents(mailbox: mailbox)
    }
}
