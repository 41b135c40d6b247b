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
    let onRefused: (@Sendable (ChannelName, WireError) -> Void)?
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
        onRefused: (@Sendable (ChannelName, WireError) -> Void)?,
        subscribe: @escaping Subscribe
    ) {
        self.queries = queries
        self.inbox = inbox
        self.throttle = throttle
        failures = FailedFetches(backoff: backoff)
        self.logger = logger
        self.onRefused = onRefused
        self.subscribe = subscribe
    }

    /// When it has to work next, whatever happens.
    var nextDeadline: TidingsQuery.Timestamp? { schedule.next }

    /// Looks at everything that has come, and does what the time has come for.
    mutating func work() {
        // Who leaves goes last: somebody else of the same turn may take over, and what happens in between is heard.
        let news = inbox.takeAll()
        for item in news { take(item) }
        settle()
        for case .removed(let identifier) in news { remove(identifier) }
        for heard in echoes.takeSettled(in: queries) { act(on: heard) }
        for arrival in arrivals.takeArrived(in: queries) {
            stale.insert(arrival.info, asOf: arrival.epoch, isFetched: isFetched(arrival.info.key))
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
            settle()
            add(use)
        case .removed: break
        case .enabled(let identifier, let isEnabled):
            settle()
            setEnabled(identifier, isEnabled)
        case .settled(let key):
            failures.forget(key)
        case .restored(let key):
            failures.forget(key)
            checkRestored(key)
        case .failed(let key, let error):
            settle()
            failed(key, error)
        }
    }
}

// MARK: - Who hears what

extension SyncEngine {
    private mutating func add(_ use: ChannelUse) {
        channelsOfUsers[use.identifier] = use.channel
        let known = channels[use.channel] ?? SyncedChannel()
        channels[use.channel, default: known].add(use)
        if known.phase == .subscribed { use.onChange?(true) }
        guard let rule = use.rule else { return }
        if use.isEnabled, known.rules[rule].map({ $0.enabled == 0 }) ?? true { fetchMissed(by: rule) }
        // The server has told of the channel before, but not by this rule.
        guard known.rules[rule] == nil, !known.awaitsAnswer else { return }
        check([rule], on: use.channel, since: known.position, asOf: use.epoch)
    }

    /// What went stale while nobody had it fetched is fetched once.
    private mutating func fetchMissed(by rule: InvalidationRule) {
        var missed = QueryFilter(key: rule.prefix, activity: .live, isStale: true)
        missed.predicate = { [schedule] in $0.isInvalidated && !schedule.isWaiting($0.key) }
        queries.refetch(missed, isRestarting: false)
    }

    private mutating func remove(_ identifier: UInt64) {
        guard let name = channelsOfUsers.removeValue(forKey: identifier), let channel = channels[name] else { return }
        if let rule = channel.users[identifier]?.rule, channel.rules[rule]?.all == 1 { leave(rule, name) }
        let use = channels[name]?.remove(identifier)
        if channel.phase == .subscribed { use?.onChange?(false) }
        if channels[name]?.isUnused == true { channels[name] = nil }
    }

    /// A rule's last user leaves a channel.
    private mutating func leave(_ rule: InvalidationRule, _ name: ChannelName) {
        // Nobody would hear of it later.
        for heard in echoes.takeAll(on: name) { act(on: heard) }
        settle()
        guard let channel = channels[name] else { return }
        if let position = channel.position, !channel.awaitsAnswer {
            memory.remember(.init(channel: name, rule: rule), .init(position: position, epoch: queries.epoch))
        }
        let isElsewhere = channels.contains { $0.key != name && $0.value.rules[rule] != nil }
        if !isElsewhere { seen[rule] = nil }
    }

    private mutating func setEnabled(_ identifier: UInt64, _ isEnabled: Bool) {
        guard let name = channelsOfUsers[identifier],
            let rule = channels[name]?.setEnabled(identifier, isEnabled)
        else { return }
        fetchMissed(by: rule)
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

    /// From where on the server has to tell so that nothing of what is on screens is missed, in the log that most of it is of.
    /// The others are stale when the server tells.
    private func oldestPosition(
        of entries: [(rule: InvalidationRule, info: QueryInfo)],
        on channel: ChannelName
    ) -> EventPosition? {
        let positions = entries.filter { $0.info.hasData && !$0.info.isInvalidated }.compactMap { entry in
            memory.position(of: entry.info, by: entry.rule, on: channel)
                .map { (position: $0, isObserved: entry.info.observerCount > 0) }
        }
        let logs = Dictionary(grouping: positions, by: \.position.epoch)
        let log = logs.max { ($0.value.count, $0.key) < ($1.value.count, $1.key) }?.value ?? []
        let observed = log.filter(\.isObserved)
        return (observed.isEmpty ? log : observed).map(\.position).min { $0.offset < $1.offset }
    }
}

// MARK: - What the server says of a channel

extension SyncEngine {
    private mutating func update(_ name: ChannelName, _ update: BroadcastClient.SubscriptionUpdate) {
        // One that nobody has asked for is told to somebody who has left.
        guard let channel = channels[name], channel.phase != .waiting else { return }
        switch update {
        case .subscribed(let position, let isRecovered):
            channels[name]?.phase = .subscribed
            answered(name, position, isRecovered: isRecovered)
        case .refused(let error):
            channels[name]?.phase = .refused
            logger.warning("a channel is refused", metadata: ["channel": "\(name)", "error": "\(error)"])
            onRefused?(name, error)
        case .interrupted:
            channels[name]?.phase = .asked
            // A server without positions cannot say what was missed.
            if channel.position == nil { channels[name]?.awaitsAnswer = true }
        }
        let isSubscribed = channels[name]?.phase == .subscribed
        guard isSubscribed != (channel.phase == .subscribed) else { return }
        for listener in channel.listeners { listener.onChange?(isSubscribed) }
    }

    private mutating func answered(_ name: ChannelName, _ position: EventPosition?, isRecovered: Bool) {
        guard let channel = channels[name] else { return }
        if !isRecovered {
            if let position { checkLog(of: name, at: position) }
            channels[name]?.position = position
        }
        if channel.awaitsAnswer {
            channels[name]?.awaitsAnswer = false
            channels[name]?.since = nil
            let known = isRecovered ? channel.since : position
            // Where something was asked for that is not recovered, the channel is said to be stale, and how soon to fetch. A
            // server without positions was asked for nothing, or was by a connection before this one.
            let isSaid = channel.since != nil && !isRecovered && position != nil
            check(Array(channel.rules.keys), on: name, since: known, asOf: queries.epoch, isSaid: isSaid)
        }
        retryFailed(of: channel)
    }

    /// Whether somebody wants what is stale of an entry to be fetched.
    private func isFetched(_ key: QueryKey) -> Bool { channels.values.contains { $0.enables(key) } }

    /// What was asked for before the server told of the channel may have missed something, unless its answer says that it
    /// is as new as the channel.
    ///
    /// - Parameters:
    ///   - known: What follows the position is told; nil if the server does not say.
    ///   - epoch: What was asked for after it has missed nothing.
    ///   - isSaid: Whether everything that is there will be said to be stale.
    private mutating func check(
        _ rules: [InvalidationRule],
        on name: ChannelName,
        since known: EventPosition?,
        asOf epoch: QueryEpoch,
        isSaid: Bool = false
    ) {
        for rule in rules {
            let isFetched = channels[name]?.rules[rule].map { $0.enabled > 0 } ?? false
            for info in queries.entries(.under(rule.prefix)) {
                let isFetching = info.fetchStatus != .idle
                let wasAskedBefore = info.fetchEpoch.map { $0 <= epoch } ?? true
                if isFetching, wasAskedBefore { arrivals.add(.init(info: info, epoch: epoch, known: known)) }
                // What is there counts also while something newer is fetched: that may be cancelled.
                guard isFetching || wasAskedBefore, info.hasData, !info.isInvalidated, !isSaid else { continue }
                let position = memory.position(of: info, by: rule, on: name)
                if let known, let position, position.covers(known) { continue }
                stale.insert(info, asOf: epoch, isFetched: isFetched)
            }
        }
    }

    /// What has come from storage is as old as it was when it was stored.
    private mutating func checkRestored(_ key: QueryKey) {
        guard let info = queries.entries(.exactly(key)).first, !info.isInvalidated else { return }
        for channel in channels.values where !channel.awaitsAnswer {
            for (rule, users) in channel.rules where key.starts(with: rule.prefix) {
                if let known = channel.position, let position = info.position, position.covers(known) { continue }
                stale.insert(info, asOf: queries.epoch, isFetched: users.enabled > 0)
            }
        }
    }

    /// A log that has fewer events than what was loaded from it has gone back, as from a backup: its positions mean other
    /// events now.
    private mutating func checkLog(of name: ChannelName, at position: EventPosition) {
        guard let channel = channels[name] else { return }
        let isAhead = { (other: EventPosition?) in other.map { $0 != position && $0.covers(position) } ?? false }
        let entries = entries(of: channel).filter { isAhead($0.info.position) }
        guard isAhead(channel.position) || !entries.isEmpty else { return }
        memory.forget(name)
        for rule in channel.rules.keys { seen[rule] = nil }
        for (rule, info) in self.entries(of: channel) {
            stale.insert(info, asOf: queries.epoch, isFetched: channel.rules[rule].map { $0.enabled > 0 } ?? false)
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
            let isFetched = users.enabled > 0
            if let identity = heard.identity, !heard.event.isStale,
                !seen[rule, default: SeenEvents()].insert(identity, isFetched: isFetched)
            {
                continue
            }
            stale.add(heard, by: rule, on: name, isFetched: isFetched)
        }
        for listener in channel.listeners { tell(listener, heard) }
    }

    /// Tells somebody who changes the cache itself. What is being fetched may not know it, and would undo it.
    private mutating func tell(_ listener: ChannelUse, _ heard: HeardEvent) {
        guard let onEvent = listener.onEvent else { return }
        guard let rule = listener.rule, !heard.event.isStale else { return onEvent(heard.event) }
        let entries = queries.entries(.under(rule.prefix))
        guard listener.isEnabled else {
            for info in entries { stale.insert(info, asOf: heard.epoch, isFetched: false) }
            return
        }
        let withData = entries.filter(\.hasData)
        let isKnown = withData.allSatisfy { info in
            guard let event = heard.event.position else { return false }
            return memory.position(of: info, by: rule, on: heard.event.channel)?.covers(event) ?? false
        }
        if isKnown, !withData.isEmpty { return }
        onEvent(heard.event)
        for info in entries {
            if info.fetchStatus != .idle {
                stale.insert(info, asOf: heard.epoch, isFetched: true)
            } else if info.isInvalidated {
                // It has what this event tells of, and still not what it missed before.
                stale.insert(info, asOf: queries.epoch, isFetched: false)
            }
        }
    }

    /// Says of everything that is stale by now that it is, in one pass.
    private mutating func settle() {
        guard !stale.isEmpty else { return }
        defer { stale = StaleEntries() }
        stale.find(in: queries, memory)
        let now = queries.time.now
        queries.batch {
            for (epoch, keys) in stale.keysByEpoch { queries.invalidate(.exactly(keys), refetch: .none, asOf: epoch) }
            queries.drop(.exactly(stale.deleted))
        }
        for (key, reason) in stale.fetched {
            let spread = reason.spread.map { $0 * queries.randomNumber() } ?? .zero
            schedule.add(key, at: now, .init(throttle: throttle, debounce: reason.debounce, spread: spread))
        }
    }

    /// What is heard of and could not be fetched is asked for again later, for as long as somebody looks at it.
    private mutating func failed(_ key: QueryKey, _ error: any Error) {
        // A further page that could not be had makes the others no older.
        guard queries.entries(.exactly(key)).first?.isInvalidated ?? false, isFetched(key),
            let wait = failures.failed(key, error, random: queries.randomNumber())
        else { return }
        schedule.add(key, at: queries.time.now, .init(throttle: throttle, spread: wait))
    }

    /// The server is back: there is no need to wait.
    private mutating func retryFailed(of channel: SyncedChannel) {
        let failed = failures.keys { channel.enables($0) }
        // Also what could not be had while nobody looked after it; not what waits for its turn among many.
        let waiting = entries(of: channel).map(\.info).filter { info in
            info.isLive && info.isInvalidated && info.fetchStatus == .idle && channel.enables(info.key)
                && !schedule.isWaiting(info.key)
        }
        for key in Set(failed + waiting.map(\.key)) {
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
