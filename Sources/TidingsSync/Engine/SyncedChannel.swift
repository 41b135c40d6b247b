import TidingsWire

/// What the engine knows of one channel that somebody wants to hear.
struct SyncedChannel {
    enum Phase: Equatable {
        /// Nobody needs to hear it yet: the first data is being loaded, and says from where on to listen.
        /// → `asked`
        case waiting
        /// The server is asked, or will be when there is a connection. → `subscribed`, `refused`
        case asked
        /// The server tells of it. → `asked`
        case subscribed
        /// The server does not. → `asked`, `subscribed`
        case refused
    }

    /// How many use a rule, and for how many of them what is stale is fetched.
    struct RuleUsers {
        var all = 0
        var enabled = 0
    }

    var phase = Phase.waiting
    /// Up to where the channel is known.
    var position: EventPosition?
    /// From where on the server was asked to tell, until it has answered.
    var since: EventPosition?
    /// Ends when nobody keeps it.
    var subscription: (any Sendable)?
    /// Whether the server has yet to say that it tells of it, since the channel was taken or since nobody could say what was
    /// missed. What was fetched before that is checked then.
    var awaitsAnswer = true
    private(set) var users: [UInt64: ChannelUse] = [:]
    private(set) var rules: [InvalidationRule: RuleUsers] = [:]

    var isUnused: Bool { users.isEmpty }

    /// Whether somebody wants to hear it whatever there is.
    var isNeeded: Bool { users.values.contains { !$0.isLazy } }

    /// Whether an entry is fetched when it goes stale by what is heard here.
    func enables(_ key: QueryKey) -> Bool {
        rules.contains { rule, users in users.enabled > 0 && key.starts(with: rule.prefix) }
    }

    /// Those who want to hear more than that data is stale, in the order in which they came.
    var listeners: [ChannelUse] {
        users.values.filter { $0.onEvent != nil || $0.onChange != nil }.sorted { $0.identifier < $1.identifier }
    }

    /// Something was heard that stands at a position. What was held back comes later than what followed it.
    mutating func move(to position: EventPosition) {
        if self.position?.covers(position) != true { self.position = position }
    }

    mutating func add(_ use: ChannelUse) {
        users[use.identifier] = use
        count(use, by: 1)
    }

    mutating func remove(_ identifier: UInt64) -> ChannelUse? {
        guard let use = users.removeValue(forKey: identifier) else { return nil }
        count(use, by: -1)
        return use
    }

    /// - Returns: The rule by which entries are fetched from here on; nil if nobody wanted to wait, or nobody fetches.
    mutating func setEnabled(_ identifier: UInt64, _ isEnabled: Bool) -> InvalidationRule? {
        guard var use = remove(identifier) else { return nil }
        let wasEnabled = use.isEnabled
        use.isEnabled = isEnabled
        add(use)
        return isEnabled && !wasEnabled ? use.rule : nil
    }

    private mutating func count(_ use: ChannelUse, by change: Int) {
        guard let rule = use.rule else { return }
        var users = rules[rule] ?? RuleUsers()
        users.all += change
        if use.isEnabled { users.enabled += change }
        rules[rule] = users.all > 0 ? users : nil
    }
}

/// Up to where channels were known when the last users of a rule left them. What was in the cache by then, and went stale by
/// that rule, is as new as that.
struct ChannelMemory {
    struct Place: Hashable {
        let channel: ChannelName
        let rule: InvalidationRule
    }

    struct Moment {
        let position: EventPosition
        let epoch: QueryEpoch
    }

    private let capacity: Int
    private var moments: [Place: Moment] = [:]
    private var order: [Place] = []

    init(capacity: Int = 1_024) {
        self.capacity = capacity
    }

    mutating func remember(_ place: Place, _ moment: Moment) {
        if moments.updateValue(moment, forKey: place) != nil { order.removeAll { $0 == place } }
        order.append(place)
        if order.count > capacity { moments[order.removeFirst()] = nil }
    }

    /// The channel's log is not what it was.
    mutating func forget(_ channel: ChannelName) {
        order.removeAll { $0.channel == channel }
        moments = moments.filter { $0.key.channel != channel }
    }

    /// Up to where a channel is in an entry's data: as its answer said, or as was heard since, if somebody listened by the
    /// same rule.
    func position(of entry: QueryInfo, by rule: InvalidationRule, on channel: ChannelName) -> EventPosition? {
        let own = entry.position
        guard let moment = moments[Place(channel: channel, rule: rule)], let epoch = entry.fetchEpoch,
            epoch <= moment.epoch, !entry.isInvalidated
        else { return own }
        guard let own, own.covers(moment.position) else { return moment.position }
        return own
    }
}
