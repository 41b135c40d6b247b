public import FoundationEssentials
public import Logging
public import NIOCore
import Synchronization
public import TidingsWire

/// Holds the connected clients of this process and gives each event to those who subscribed to its channel.
///
/// Sessions live on the event loops of their sockets. Each loop has a shard with its own sessions and its own table of
/// channels, which nobody else touches: on the way out there are no locks. A published event gets its position and is
/// put before every shard with subscribers under one lock, so each client sees the events of a channel in the order of
/// their positions, whoever published them from wherever.
///
/// All public methods can be called from any task or thread at any time, and return without waiting.
public final class BroadcastHub: Sendable {
    struct State {
        var shards: [ObjectIdentifier: HubShard] = [:]
        /// Subscribers of each channel on each shard.
        var subscribers: [ChannelName: [ObjectIdentifier: Int]] = [:]
        /// All of them together.
        var subscriptions = 0
        /// Events that a shard has not yet delivered. A shard with an entry here is awake, or will be.
        var inboxes: [ObjectIdentifier: ShardInbox] = [:]
        /// The newest event of every snapshot channel.
        var snapshots = SnapshotTable()
        var subjects = SubjectTable()
        var connections = 0
        /// Events that were published, and those that were given up before a loop took them.
        var published = 0
        var collapsed = 0
        var admission = Admission.open
    }

    /// Whether new sessions are welcome.
    enum Admission {
        case open
        /// The server goes away in a while: sessions are closed one after the other.
        case draining
        /// The server is gone.
        case closed
    }

    /// The server's name and version, as clients are told.
    static let serverName = "tidings/0.1.0"

    let configuration: Configuration
    /// Hears about sessions, never about payloads.
    public let logger: Logger
    /// The log of every channel that has no other, unless nodes share one.
    public let log: InMemoryEventLog
    let gatekeeper: Gatekeeper
    /// The first of the logs that are kept elsewhere. One is added and none taken away, so looking takes no lock.
    let firstRelay = AtomicLazyReference<Relay>()
    /// The log of every channel that has no other, if nodes share one.
    let sharedLog = AtomicLazyReference<Relay>()
    /// Where what clients publish goes first, if nodes share no log.
    let localBackend = AtomicLazyReference<LocalBackend>()
    /// Whether there is one of either kind: what each event asks.
    let mayHaveRelays = Atomic(false)
    /// The last errors; nil while nobody looks at them.
    let keptErrors = AtomicLazyReference<RecentErrors>()
    /// Reads of logs that are kept elsewhere.
    let logReads: AsyncLimiter
    let state = Mutex(State())
    /// The feeds that are told here.
    package let feeds = FeedTable()
    /// That no session is left.
    private let emptiness = AsyncCondition()

    /// Makes a hub without clients.
    ///
    /// - Parameters:
    ///   - configuration: What it allows.
    ///   - log: Gives events their positions and keeps them.
    ///   - logger: Hears about sessions, never about payloads.
    public init(
        configuration: Configuration = Configuration(),
        log: InMemoryEventLog = InMemoryEventLog(),
        logger: Logger = Logger(label: "tidings.hub")
    ) {
        self.configuration = configuration.withFeeds()
        self.log = log
        self.logger = logger
        gatekeeper = Gatekeeper(authenticator: configuration.authenticator, policy: configuration.policy)
        logReads = AsyncLimiter(limit: configuration.logReads)
    }
}

// MARK: - Publishing

extension BroadcastHub {
    /// Gives an event to every session that holds its channel, or one of those that it is told on too.
    ///
    /// Returns before the event is written to any socket. Events reach each session in the order of their positions. A
    /// session that holds several of the channels gets the event on each of them, with the same position.
    ///
    /// - Parameters:
    ///   - event: What happened.
    ///   - channels: Where it is told besides the event's own channel; on each once.
    /// - Returns: The event's position.
    /// - Throws: ``BroadcastError/Code/relayedChannel`` if one of the channels has its log elsewhere; then nobody is told.
    @discardableResult
    public func publish(
        _ event: BroadcastEvent,
        alsoOn channels: [ChannelName] = []
    ) throws(BroadcastError) -> EventPosition {
        let (position, awaken) = try keep(event, alsoOn: channels)
        for shard in awaken { shard.wake() }
        return position
    }

    /// Publishes for a session. The loops wake at the end of the turn in which the session's loop reads: a client that
    /// publishes several events in one go has them delivered together, by the other loops as by its own.
    func publish(_ event: BroadcastEvent, from shard: HubShard) throws(BroadcastError) -> EventPosition {
        let (position, awaken) = try keep(event, alsoOn: [])
        shard.wakeLater(awaken)
        return position
    }

    /// Gives an event its position and puts it before every loop with subscribers.
    ///
    /// - Returns: The position, and who has to be woken.
    private func keep(
        _ event: BroadcastEvent,
        alsoOn channels: [ChannelName]
    ) throws(BroadcastError) -> (EventPosition, [HubShard]) {
        try checkLog(of: event.channel, and: channels)
        let told = tellings(of: event, alsoOn: channels)
        return state.withLock { state in
            var awaken: [HubShard] = []
            return (keep(told, in: log, &state, &awaken), awaken)
        }
    }

    /// An event on one of its channels.
    struct Telling {
        let event: BroadcastEvent
        let delivery: ChannelDelivery
    }

    func tellings(of event: BroadcastEvent, alsoOn channels: [ChannelName]) -> [Telling] {
        let event = event.happened(at: configuration.now())
        var told = [Telling(event: event, delivery: configuration.delivery(event.channel))]
        for channel in channels where !told.contains(where: { $0.event.channel == channel }) {
            told.append(Telling(event: event.told(on: channel), delivery: configuration.delivery(channel)))
        }
        return told
    }

    /// Keeps an event in a log and puts it before every loop with subscribers, in one moment.
    ///
    /// - Parameters:
    ///   - tellings: The event on each of its channels.
    ///   - offset: Where it stands, if the log is kept elsewhere.
    ///   - awaken: Who has to be woken is added here.
    func keep(
        _ tellings: [Telling],
        in log: InMemoryEventLog,
        at offset: UInt64? = nil,
        _ state: inout State,
        _ awaken: inout [HubShard]
    ) -> EventPosition {
        let (published, position) = log.keep(at: offset) { position in
            tellings.map { publishedEvent($0, at: position, in: state) }
        }
        for event in published { enqueue(event, in: &state, awaken: &awaken) }
        return position
    }

    func publishedEvent(
        _ telling: Telling,
        at position: EventPosition,
        in state: State,
        isPlaced: Bool = true
    ) -> PublishedEvent {
        var event = telling.event
        if telling.delivery == .signal {
            event.spread = configuration.spread(of: subscriberCount(of: event.channel, in: state))
        }
        return PublishedEvent(event: event, position: position, delivery: telling.delivery, isPlaced: isPlaced)
    }

    func enqueue(
        _ published: PublishedEvent,
        in state: inout State,
        awaken: inout [HubShard]
    ) {
        state.published += 1
        if published.isSnapshot { keepSnapshot(published, in: &state) }
        put(published, in: &state, awaken: &awaken)
    }

    /// Keeps an event for those who subscribe later. Those of feeds are as many as the program declares, and are never
    /// given up: of one that does not change, nobody would be told a value any more.
    func keepSnapshot(_ published: PublishedEvent, in state: inout State) {
        let isFeed = feeds.contains(published.event.channel)
        state.snapshots.keep(published, atMost: configuration.snapshotChannels, isLasting: isFeed)
    }

    /// Puts an event before every loop with subscribers.
    func put(_ published: PublishedEvent, in state: inout State, awaken: inout [HubShard]) {
        let channel = published.event.channel
        guard let subscribers = state.subscribers[channel] else { return }
        for identifier in subscribers.keys {
            if state.inboxes[identifier] == nil, let shard = state.shards[identifier] { awaken.append(shard) }
            state.collapsed += state.inboxes[identifier, default: emptyInbox].append(published)
        }
    }

    private func subscriberCount(of channel: ChannelName, in state: State) -> Int {
        state.subscribers[channel]?.values.reduce(0, +) ?? 0
    }

    /// Takes what was published for a shard and puts the shard to sleep.
    func takeInbox(of shard: HubShard) -> ShardInbox? {
        state.withLock { $0.inboxes.removeValue(forKey: shard.identifier) }
    }

    private var emptyInbox: ShardInbox {
        ShardInbox(
            capacity: configuration.eventsAwaitingDelivery,
            maximumBytes: configuration.bytesAwaitingDelivery
        )
    }
}

// MARK: - Counts

extension BroadcastHub {
    /// How many sessions hold a channel now.
    ///
    /// - Parameter channel: Any channel; one that nobody holds has 0.
    public func subscriberCount(of channel: ChannelName) -> Int {
        state.withLock { subscriberCount(of: channel, in: $0) }
    }

    /// Every channel that a session holds now, and how many do.
    public var channels: [ChannelName: Int] {
        // Counted outside of the lock: nobody who publishes waits for as long as there are channels.
        state.withLock(\.subscribers).mapValues { $0.values.reduce(0, +) }
    }

    /// How many sessions there are now.
    public var connectionCount: Int {
        state.withLock { $0.connections }
    }
}

// MARK: - Sessions

extension BroadcastHub {
    /// Makes the handler that speaks with one client over a WebSocket whose opening handshake is done.
    ///
    /// Add it to the end of the channel's pipeline, which has nothing left but the transport and TLS. The session
    /// counts from then on until the channel is closed, and answers the client until then.
    ///
    /// - Parameters:
    ///   - eventLoop: The channel's event loop. Call this on it.
    ///   - dialect: What the client speaks.
    ///   - credentials: Who the client is, or why the token that it came with is refused; nil if it came without one. A
    ///     client that is refused is closed with 4500 at once.
    ///   - isCompressed: Whether permessage-deflate was agreed on.
    ///   - writesDirectly: Whether bytes may go straight to the channel's socket. Only if no other handler, such as TLS,
    ///     changes them on the way.
    public func makeSessionHandler(
        on eventLoop: any EventLoop,
        speaking dialect: Dialect,
        credentials: Result<Identity, AuthenticationError>? = nil,
        isCompressed: Bool = false,
        writesDirectly: Bool
    ) -> any ChannelHandler {
        let shard = shard(on: eventLoop)
        return WebSocketSession(
            shard: shard,
            writesDirectly: writesDirectly,
            language: .dialect(dialect),
            authentication: authentication(credentials, at: shard.tick),
            isCompressed: isCompressed
        )
    }

    func authentication(
        _ credentials: Result<Identity, AuthenticationError>?,
        at tick: Int64
    ) -> SessionAuthentication {
        switch credentials {
        case .success(let identity): return .identified(identity)
        case .failure(let error): return .refused(error)
        case nil:
            guard gatekeeper.isAuthenticationRequired else { return .notRequired }
            return .awaited(until: tick + configuration.authenticationTimeout.components.seconds)
        }
    }

    /// Finds out who the bearer of a token is, for clients that come with one.
    ///
    /// - Parameter token: As the client sent it.
    /// - Returns: Who it is, or why the token is refused; nil if this server asks nobody who they are.
    public func credentials(of token: String) async -> Result<Identity, AuthenticationError>? {
        guard let authenticator = configuration.authenticator else { return nil }
        do throws(AuthenticationError) {
            return .success(try await authenticator.identity(of: token))
        } catch {
            return .failure(error)
        }
    }

    /// Makes a handler that sends back every message, on the same footing as a session: for suites that test the
    /// WebSocket protocol underneath.
    package func makeEchoHandler(
        on eventLoop: any EventLoop,
        isCompressed: Bool,
        writesDirectly: Bool
    ) -> any ChannelHandler {
        WebSocketSession(
            shard: shard(on: eventLoop),
            writesDirectly: writesDirectly,
            language: .echo,
            authentication: .notRequired,
            isCompressed: isCompressed
        )
    }

    /// Whether clients have to say who they are.
    public var asksWhoClientsAre: Bool { gatekeeper.isAuthenticationRequired }

    /// Whether messages are compressed for clients that offer it.
    public var compressesMessages: Bool { configuration.compressesMessages }

    func shard(on eventLoop: any EventLoop) -> HubShard {
        eventLoop.preconditionInEventLoop()
        return state.withLock { state in
            let identifier = ObjectIdentifier(eventLoop)
            if let shard = state.shards[identifier] { return shard }
            let shard = HubShard(hub: self, eventLoop: eventLoop)
            state.shards[identifier] = shard
            return shard
        }
    }

    /// Why a new session is not welcome now; nil if it is.
    public var refusal: BroadcastError? {
        state.withLock { refusal(in: $0, counting: 1) }
    }

    /// Counts a session in.
    ///
    /// - Parameter subject: Whose session it is, if that is known.
    /// - Returns: Why the session has to go at once; nil if it may stay. It counts in either case.
    func sessionOpened(of subject: String?) -> SessionRefusal? {
        state.withLock { state in
            state.connections += 1
            if let refusal = refusal(in: state, counting: 0) {
                if let subject { state.subjects.add(subject) }
                return SessionRefusal(code: .tryAgainLater, reason: refusal.message)
            }
            return subject.flatMap { identified($0, in: &state) }
        }
    }

    /// Counts a session to its subject, which was not known before.
    ///
    /// - Returns: Why the session has to go at once; nil if it may stay. It counts in either case.
    func sessionIdentified(as subject: String) -> SessionRefusal? {
        state.withLock { identified(subject, in: &$0) }
    }

    private func identified(_ subject: String, in state: inout State) -> SessionRefusal? {
        state.subjects.add(subject)
        return state.subjects.refusal(
            of: subject,
            atMost: configuration.connectionsPerSubject,
            now: configuration.now()
        )
    }

    func sessionClosed(of subject: String?) {
        let isLast = state.withLock { state in
            state.connections -= 1
            if let subject { state.subjects.remove(subject) }
            return state.connections == 0
        }
        if isLast { emptiness.changed() }
    }

    private func refusal(in state: State, counting further: Int) -> BroadcastError? {
        guard state.admission == .open else {
            return BroadcastError(.closed, "The server is going away. Connect again in a moment.")
        }
        guard let most = configuration.connections, state.connections + further > most else { return nil }
        return BroadcastError(.full, "The server has as many connections as it may. Try again later.")
    }

    /// Counts a subscriber in on channels that it did not hold, and finds out what it missed on those that it asks for.
    ///
    /// All of it in one moment: what was published before is either in the inbox, and has to be delivered first to those
    /// who subscribed earlier, or in the log; what is published from here on comes to the new subscriber too. So nothing
    /// is lost and nothing comes twice.
    func subscribe(
        to requests: [ChannelRequest],
        adding further: [ChannelName],
        on shard: HubShard
    ) -> (waiting: [PublishedEvent], outcomes: [ChannelOutcome]) {
        for channel in further { retain(channel) }
        return state.withLock { state in
            for channel in further {
                state.subscribers[channel, default: [:]][shard.identifier, default: 0] += 1
            }
            state.subscriptions += further.count
            let outcomes = requests.map { request in
                // A channel that is held already misses nothing: its `since` is not looked at.
                outcome(of: request, isNew: further.contains(request.channel), in: state)
            }
            return (state.inboxes[shard.identifier]?.takeAll() ?? [], outcomes)
        }
    }

    private func outcome(of request: ChannelRequest, isNew: Bool, in state: State) -> ChannelOutcome {
        let channel = request.channel
        let count = subscriberCount(of: channel, in: state)
        var (missed, recovered): ([PublishedEvent], Bool) = ([], false)
        var position = request.log.head()
        if isNew, let snapshot = state.snapshots[channel] {
            // One without a position of its own is not what the client knows there.
            let isKnown = snapshot.isPlaced && snapshot.position == request.since
            (missed, recovered) = (isKnown ? [] : [snapshot], request.since != nil)
            // The client begins right before the snapshot, or it would take it for one that it has seen.
            position = snapshot.isPlaced ? snapshot.position.predecessor : position
        } else if isNew, let events = request.missed(), isWorthReplaying(events) {
            (missed, recovered) = (events, true)
        }
        let subscribed = SubscribedChannel(
            channel: channel,
            position: position,
            recovered: recovered,
            spread: recovered ? nil : configuration.spread(of: count)
        )
        return ChannelOutcome(subscribed: subscribed, missed: missed)
    }

    private func isWorthReplaying(_ events: [PublishedEvent]) -> Bool {
        events.count <= configuration.replayedEvents && events.payloadBytes <= configuration.pendingBytesPerSession
    }

    func unsubscribed(from channel: ChannelName, on shard: HubShard) {
        let wasCounted = state.withLock { state in
            guard let count = state.subscribers[channel]?[shard.identifier] else { return false }
            state.subscribers[channel]?[shard.identifier] = count > 1 ? count - 1 : nil
            if state.subscribers[channel]?.isEmpty == true { state.subscribers[channel] = nil }
            state.subscriptions -= 1
            return true
        }
        if wasCounted { release(channel) }
    }
}

// MARK: - Operators

extension BroadcastHub {
    /// Closes every session of a subject with 4501, which tells its clients to stay away, and refuses new ones for a
    /// while.
    ///
    /// A session that is being opened meanwhile is either closed too or refused.
    ///
    /// - Parameters:
    ///   - subject: Whose sessions.
    ///   - end: Until when new sessions of the subject are closed at once; nil: they are welcome. A moment in the past
    ///     lets the subject in again.
    /// - Returns: How many sessions were closed, when their close frames are on their way.
    @discardableResult
    public func closeSessions(of subject: String, keepingOutUntil end: Date? = nil) async -> Int {
        let shards = state.withLock { state in
            if let end { state.subjects.keepOut(subject, until: end, now: configuration.now()) }
            return Array(state.shards.values)
        }
        var count = 0
        for shard in shards { count += await shard.closeSessions(of: subject) }
        return count
    }

    /// How many sessions a subject has now.
    ///
    /// - Parameter subject: Any subject; one that has no session has 0.
    public func connectionCount(of subject: String) -> Int {
        state.withLock { $0.subjects.count(of: subject) }
    }
}

// MARK: - Going away

extension BroadcastHub {
    /// Whether the server goes away: new sessions are refused.
    public var isDraining: Bool { state.withLock { $0.admission != .open } }

    /// Refuses new sessions from now on and closes those that are open with 4000, each at a random moment of
    /// ``Configuration/drainWindow``, after the events that were published before.
    ///
    /// Returns when the last session has gone; those that have not when the time is over, the closing handshake's
    /// included, are cut off. Draining twice does nothing more. When the task is cancelled everybody is cut off at once.
    public func drain() async {
        let shards = stopAdmitting(.draining)
        for shard in shards { await shard.drainSessions() }
        await waitUntilEmpty(within: configuration.drainWindow + configuration.closeTimeout)
        for shard in shards { await shard.abortSessions() }
    }

    /// Refuses new sessions from now on and closes those that are open with 1001; returns when their close frames are
    /// on their way.
    public func close() async {
        for shard in stopAdmitting(.closed) {
            await shard.closeSessions(.goingAway, reason: "the server is shutting down")
        }
    }

    /// Refuses new sessions, because the server was asked to stop.
    func quiesce() {
        _ = stopAdmitting(.draining)
    }

    private func stopAdmitting(_ admission: Admission) -> [HubShard] {
        state.withLock { state in
            if state.admission != .closed { state.admission = admission }
            return Array(state.shards.values)
        }
    }

    private func waitUntilEmpty(within timeout: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.emptiness.wait { self.connectionCount == 0 } }
            group.addTask { try? await Task.sleep(for: timeout) }
            await group.next()
            group.cancelAll()
        }
    }
}

extension BroadcastEvent {
    /// The event, with a time if it had none.
    func happened(at now: @autoclosure () -> Date) -> BroadcastEvent {
        guard time == nil else { return self }
        var event = self
        event.time = now()
        return event
    }
}

extension EventPosition {
    /// The position right before this one.
    var predecessor: EventPosition { EventPosition(epoch: epoch, offset: max(offset, 1) - 1) }
}
