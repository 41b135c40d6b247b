public import Logging
import Synchronization
public import TidingsWire

/// Everything that an application needs to show data that others change: made once, used everywhere.
///
/// ```swift
/// let sync = try SyncClient(baseURL: "https://example.com")
/// Task { await sync.run() }
///
/// for await orders in sync.queries.snapshots(of: sync.orders.list()) {
///     show(orders.data?.items ?? [])
/// }
/// ```
///
/// Whoever observes a query of an entity hears of what others change: the channel is subscribed with its first observer and
/// released with the last. A change makes stale what it is about, and what is on a screen is fetched again; a user's own
/// changes show at once, and settle when the server has answered.
///
/// All methods can be called from any task, thread or actor at any time. ``run()`` gives the client time: without it,
/// nothing is heard.
public final class SyncClient: Sendable {
    /// How a client behaves.
    public struct Configuration: Sendable {
        /// Where requests go: `http://host[:port]/path` or `https`.
        public var baseURL: String
        /// Where broadcasts come from; nil is `/ws/broadcast` at the host of the base URL, below its path.
        public var broadcastURL: String?
        /// Gives the token that says who the user is, for requests and for the broadcast connection; nil: nobody in
        /// particular. Called often, so it should remember a token for as long as that lasts.
        public var token: (@Sendable () async throws -> String?)?
        /// Who sends requests.
        public var transport: any HTTPTransport = AsyncHTTPClientTransport()
        /// How the cache behaves. Data counts as fresh for a minute unless its channel says otherwise, and a failed fetch
        /// is tried once more.
        public var queries = QueryClient.Configuration { configuration in
            configuration.defaults.staleTime = .after(.seconds(60))
            configuration.defaults.retry = .times(1)
        }
        /// How the broadcast connection behaves. Its token is that of the client, unless it has one of its own.
        public var broadcast = BroadcastClient.Configuration()
        /// How the changes of entities behave. Unless this says otherwise, one that fails is rolled back at once; with
        /// retries it stays pending while the server cannot be reached.
        public var mutations = MutationOptions()
        /// The shortest time between two fetches of one entry that events ask for.
        public var throttle: Duration = .milliseconds(100)
        /// How long to wait before what is stale is asked for again, when it could not be had and somebody still looks at it.
        /// When the server tells of its channel again, it is asked for at once.
        public var refetchBackoff = Backoff(base: .seconds(1), maximum: .seconds(30))
        /// How many events wait to be looked at before they collapse into one `stale` for each channel.
        public var bufferedEvents = 1_024
        /// Whether entities are kept in local collections, where nothing else is said. It has no effect yet.
        public var isLocalFirst = false
        /// The same for single entities, by name.
        public var localFirst: [String: Bool] = [:]
        /// Called when the server does not let the user hear a channel that is asked for: what is shown of it is right only
        /// for as long as it counts as fresh. On the task that runs the client; a warning is logged in any case.
        public var onRefused: (@Sendable (ChannelName, WireError) -> Void)?
        /// Hears about the client, never about data and tokens.
        public var logger = Logger(label: "tidings.sync")

        /// Starts with the defaults.
        ///
        /// - Parameter baseURL: Where requests go.
        public init(baseURL: String) {
            self.baseURL = baseURL
        }

        /// Whether an entity is kept in a local collection.
        ///
        /// - Parameter entity: Its name, such as `order`.
        public func isLocalFirst(_ entity: String) -> Bool { localFirst[entity] ?? isLocalFirst }
    }

    /// How it behaves.
    public let configuration: Configuration
    /// Asks the server.
    public let api: APIClient
    /// What is known.
    public let queries: QueryClient
    /// What is heard.
    public let broadcast: BroadcastClient
    let inbox: SyncInbox
    let versions = OwnVersions()
    let fallbacks = FallbackTable()
    let runners = Mutex(0)
    /// Nil while somebody works with it.
    private let engine: Mutex<SyncEngine?>
    private let connectivity: MonitorObservation

    /// Makes a client that is not connected yet.
    ///
    /// - Parameter configuration: How it behaves.
    /// - Throws: ``APIError`` or ``BroadcastClientError`` if a URL is none that can be connected to.
    public convenience init(_ configuration: Configuration) throws {
        try self.init(configuration) { broadcast, inbox in
            { channel, since in
                broadcast.subscribe(
                    to: channel,
                    since: since,
                    onUpdate: { inbox.put(.update(channel, $0)) },
                    handler: { inbox.put(.event($0)) }
                )
            }
        }
    }

    /// - Parameter subscribe: How channels are subscribed.
    init(
        _ configuration: Configuration,
        subscribe: (BroadcastClient, SyncInbox) -> SyncEngine.Subscribe
    ) throws {
        self.configuration = configuration
        api = try APIClient(
            baseURL: configuration.baseURL,
            token: configuration.token,
            transport: configuration.transport
        )
        let queries = QueryClient(configuration.queries)
        self.queries = queries
        var broadcasting = configuration.broadcast
        broadcasting.token = broadcasting.token ?? configuration.token
        let url = configuration.broadcastURL ?? Self.broadcastURL(of: configuration.baseURL)
        let broadcast = try BroadcastClient(url: url, configuration: broadcasting)
        self.broadcast = broadcast
        let inbox = SyncInbox(capacity: configuration.bufferedEvents) { [weak queries] in
            queries?.epoch ?? QueryEpoch.beginning
        }
        self.inbox = inbox
        engine = Mutex(
            SyncEngine(
                queries: queries,
                inbox: inbox,
                throttle: configuration.throttle,
                backoff: configuration.refetchBackoff,
                logger: configuration.logger,
                onRefused: configuration.onRefused,
                subscribe: subscribe(broadcast, inbox)
            )
        )
        // The network is back: no need to wait for the next attempt.
        connectivity = configuration.queries.connectivity.onChange { [weak broadcast] isOnline in
            if isOnline, broadcast?.state == .reconnecting { broadcast?.connect() }
        }
    }

    /// Makes a client with the defaults.
    ///
    /// - Parameters:
    ///   - baseURL: Where requests go: `http://host[:port]/path` or `https`.
    ///   - configure: Changes how it behaves.
    /// - Throws: ``APIError`` or ``BroadcastClientError`` if a URL is none that can be connected to.
    public convenience init(baseURL: String, _ configure: (inout Configuration) -> Void = { _ in }) throws {
        var configuration = Configuration(baseURL: baseURL)
        configure(&configuration)
        try self.init(configuration)
    }

    static func broadcastURL(of baseURL: String) -> String {
        let path = baseURL.hasSuffix("/") ? "ws/broadcast" : "/ws/broadcast"
        guard let colon = baseURL.firstIndex(of: ":") else { return baseURL }
        return (baseURL[..<colon].lowercased() == "https" ? "wss" : "ws") + baseURL[colon...] + path
    }
}

// MARK: - Giving it time

extension SyncClient {
    /// Looks at what has come, and does what the time has come for.
    ///
    /// - Returns: When to look again, whatever happens; nil if there is nothing to wait for. If somebody else is at it, that
    ///   one looks again.
    func work() -> TidingsQuery.Timestamp? {
        guard var engine = engine.withLock({ $0.take() }) else { return nil }
        engine.work()
        let next = engine.nextDeadline
        self.engine.withLock { $0 = engine }
        return next
    }
}

extension Optional {
    fileprivate mutating func take() -> Wrapped? {
        defer { self = nil }
        return self
    }
}
