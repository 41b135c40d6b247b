import Logging
import TidingsWire

/// Binds what is heard on channels to what is in a cache: says what is stale, and has it fetched. It works on one task at a
/// time, and calls the callers' functions.
struct SyncEngine {
    /// Asks the server to tell of a channel from a position on, for as long as the result is kept.
    typealias Subscribe = @Sendable (ChannelName, EventPosition?) -> any Sendable

    let queries: QueryClient
    let inbox: SyncInbox
    let throttle: Duration
    let logger: Logger
    let subscribe: Subscribe
    private var channels: [ChannelName: SyncedChannel] = [:]
    private var channelsOfUsers: [UInt64: ChannelName] = [:]
    private var memory = ChannelMemory()
    private var seen: [InvalidationRule: SeenEvents] = [:]
    private var echoes = HeldEchoes()
    private var schedule = RefetchSchedule()
    private var failures: FailedFetches
    /// What was being fetched when the server began to tell of its channel.
    private var arrivals = AwaitedArrivals()
    /// What the events of this turn make stale.
    private var stale = StaleEntries()

    init(
        queries: QueryClient,
        inbox: SyncInbox,
        throttle: Duration,
        backoff: Backoff,
        logger: Logger,
        subscribe: @escaping Subscribe
    ) {
        self.queries = queries
        self.inbox = inbox
        self.throttle = throttle
        failures = FailedFetches(backoff: backoff)
        self.logger = logger
        self.subscribe = subscribe
    }

    /// When it has to work next, whatever happens.
    var nextDeadline: TidingsQuery.Timestamp? { schedule.next }

    /// Looks at everything that has come, and does what the time has come for.
    mutating func work() {
        for news in inbox.takeAll() { take(news) }
        for heard in echoes.takeSettled(in: queries) { act(on: heard) }
        for arrival in arrivals.takeArrived(in: queries) {
            stale.insert(arrival.info, asOf: arrival.epoch, isFetched: true)
        }
        settle()
        openChannels()
        fetchDue()
    }

    private mutating func take(_ news: SyncInbox.News) {
        switch news {
        case .event(let event):
            hear(HeardEvent(event, epoch: queries.epoch))
        case .update(let channel, let update):
            // What was heard before comes first.
            settle()
            self.update(channel, update)
        case .added(let use):
            add(use)
        case .removed(let identifier):
            settle()
            remove(identifier)
        case .enabled(let identifier, let isEnabled):
            setEnabled(identifier, isEnabled)
        case .settled(let key):
            failures.forget(key)
        case .failed(let key, let error):
            failed(key, error)
        }
    }
}

// MARK: - Who hears what

extension SyncEngine {
    private mutating func add(_ use: ChannelUse) {
        channelsOfUsers[use.identifier] = use.channel
        channels[use.channel, default: SyncedChannel()].add(use)
        if channels[use.channel]?.phase == .subscribed { use.onChange?(true) }
    }

    private mutating func remove(_ identifier: UInt64) {
        guard let name = channelsOfUsers.removeValue(forKey: identifier) else { return }
        if channels[name]?.users.count == 1 {
            // Nobody would hear of it later.
            for heard in echoes.takeAll(on: name) { act(on: heard) }
            settle()
        }
        guard var channel = channels[name] else { return }
        let rules = Set(channel.rules.keys)
        let use = channel.remove(identifier)
        channels[name] = channel.isUnused ? nil : channel
        if channel.phase == .subscribed { use?.onChange?(false) }
        guard channel.isUnused else { return }
        channel.subscription = nil
        if let position = channel.position {
            memory.remember(name, .init(position: position, epoch: queries.epoch, rules: rules))
        }
        for rule in rules where !channels.values.contains(where: { $0.rules[rule] != nil }) { seen[rule] = nil }
    }

    private mutating func setEnabled(_ identifier: UInt64, _ isEnabled: Bool) {
        guard let name = channelsOfUsers[identifier],
            let rule = channels[name]?.setEnabled(identifier, isEnabled)
        else { return }
        // What was missed is fetched once.
        var missed = QueryFilter(key: rule.prefix, activity: .live, isStale: true)
        missed.predicate = \.isInvalidated
        queries.refetch(missed, isRestarting: false)
    }

    /// Asks for the channels that somebody needs to hear by now.
    private mutating func openChannels() {
        for (name, channel) in channels where channel.phase == .waiting {
            let entries = entries(of: channel)
            guard channel.isNeeded || entries.contains(where: { $0.info.hasData || $0.info.status == .error }) else {
                continue
            }
            let since = oldestPosition(of: entries, on: name)
            channels[name]?.phase = .asked
            channels[name]?.since = since
            channels[name]?.position = since
            channels[name]?.subscription = subscribe(name, since)
        }
    }

    /// The entries that go stale by what is heard on a channel, with the rule by which they do.
    private func entries(of channel: SyncedChannel) -> [(rule: InvalidationRule, info: QueryInfo)] {
        channel.rules.keys.flatMap { rule in queries.entries(.under(rule.prefix)).map { (rule, $0) } }
    }

    /// From where on the server has to tell so that nothing is missed, in the log that most entries are of. The others are
    /// fetched anew when the server tells.
    private func oldestPosition(
        of entries: [(rule: InvalidationRule, info: QueryInfo)],
        on channel: ChannelName
    ) -> EventPosition? {
        let positions = entries.filter { $0.info.hasData && !$0.info.isInvalidated }
            .compactMap { memory.position(of: $0.info, by: $0.rule, on: channel) }
        let logs = Dictionary(grouping: positions, by: \.epoch)
        let most = logs.max { ($0.value.count, $0.key) < ($1.value.count, $1.key) }
        return most?.value.min { $0.offset < $1.offset }
    }
}

// MARK: - What the server says of a channel

extension SyncEngine {
    private mutating func update(_ name: ChannelName, _ update: BroadcastClient.SubscriptionUpdate) {
        guard let channel = channels[name] else { return }
        switch update {
        case .subscribed(let position, let isRecovered):
            channels[name]?.phase = .subscribed
            if !isRecovered { channels[name]?.position = position }
            checkEarlierFetches(for: name, since: isRecovered ? channel.since : position)
            retryFailed(of: channel)
        case .refused(let error):
            channels[name]?.phase = .refused
            logger.warning("a channel is refused", metadata: ["channel": "\(name)", "error": "\(error)"])
        case .interrupted:
            channels[name]?.phase = .asked
        }
        let isSubscribed = channels[name]?.phase == .subscribed
        guard isSubscribed != (channel.phase == .subscribed) else { return }
        for listener in channel.listeners { listener.onChange?(isSubscribed) }
    }

    /// What was asked for before the server told of the channel may have missed something, unless its answer says that it
    /// is as new as the channel. That counts for the first time: after that, the client knows what was missed.
    ///
    /// - Parameter known: What follows the position is told; nil if the server does not say.
    private mutating func checkEarlierFetches(for name: ChannelName, since known: EventPosition?) {
        guard let channel = channels[name], channel.awaitsFirstAnswer else { return }
        channels[name]?.awaitsFirstAnswer = false
        let epoch = queries.epoch
        for (rule, info) in entries(of: channel) {
            let isFetched = channel.rules[rule].map { $0.enabled > 0 } ?? false
            if info.fetchStatus != .idle {
                arrivals.add(.init(info: info, epoch: epoch, known: known))
            }
            guard info.hasData, !info.isInvalidated else { continue }
            let position = memory.position(of: info, by: rule, on: name)
            if let known, let position, position.covers(known) { continue }
            stale.insert(info, asOf: epoch, isFetched: isFetched)
        }
    }
}

// MARK: - What happens on a channel

extension SyncEngine {
    /// The echo of an own change waits until it is known what became of that.
    private mutating func hear(_ heard: HeardEvent) {
        guard let origin = heard.origin, let mutation = queries.mutation(origin) else { return act(on: heard) }
        if let confirmation = mutation.confirmation {
            act(on: heard.known(since: confirmation))
        } else if mutation.status.isPending {
            for heard in echoes.hold(heard, of: origin) { act(on: heard) }
        } else {
            act(on: heard)
        }
    }

    private mutating func act(on heard: HeardEvent) {
        let name = heard.event.channel
        guard let channel = channels[name] else { return }
        if let position = heard.event.position { channels[name]?.move(to: position) }
        for (rule, users) in channel.rules {
            if let identity = heard.identity, !heard.event.isStale,
                !seen[rule, default: SeenEvents()].insert(identity)
            {
                continue
            }
            stale.add(heard, by: rule, on: name, isFetched: users.enabled > 0)
        }
        for listener in channel.listeners { listener.onEvent?(heard.event) }
    }

    /// Says of everything that is stale by now that it is, in one pass.
    private mutating func settle() {
        guard !stale.isEmpty else { return }
        defer { stale = StaleEntries() }
        stale.find(in: queries, memory)
        let now = queries.time.now
        queries.batch {
            for (epoch, keys) in stale.keysByEpoch { queries.invalidate(.exactly(keys), refetch: .none, asOf: epoch) }
            for key in stale.deleted { drop(key) }
        }
        for (key, reason) in stale.fetched {
            let spread = reason.spread.map { $0 * queries.randomNumber() } ?? .zero
            schedule.add(key, at: now, .init(throttle: throttle, debounce: reason.debounce, spread: spread))
        }
    }

    /// Forgets what is about an entity that is gone. Who looks at it finds out; who works on it is not disturbed.
    private func drop(_ key: QueryKey) {
        for info in queries.entries(.exactly(key)) {
            if !info.isActive {
                queries.remove(.exactly(key))
            } else if info.isLive {
                queries.reset(.exactly(key))
            }
        }
    }

    /// What is heard of and could not be fetched is asked for again later, for as long as somebody looks at it.
    private mutating func failed(_ key: QueryKey, _ error: any Error) {
        guard channels.values.contains(where: { $0.enables(key) }),
            let wait = failures.failed(key, error, random: queries.randomNumber())
        else { return }
        schedule.add(key, at: queries.time.now, .init(throttle: throttle, spread: wait))
    }

    /// The server is back: there is no need to wait.
    private mutating func retryFailed(of channel: SyncedChannel) {
        for key in failures.keys(where: { channel.enables($0) }) {
            schedule.add(key, at: queries.time.now, .init(throttle: throttle))
        }
    }

    private mutating func fetchDue() {
        let due = schedule.takeDue(at: queries.time.now)
        guard !due.isEmpty else { return }
        var filter = QueryFilter.exactly(due)
        filter.activity = .live
        filter.predicate = { $0.isInvalidated || $0.status == .error }
        queries.refetch(filter, isRestarting: false)
    }
}
