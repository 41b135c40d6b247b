import TidingsBroadcast
import TidingsWire

/// Which channels a node hears: the one set from which the subscriptions at Redis are made, and made again on each new
/// connection.
///
/// A channel is subscribed while it has members: the handlers in this process, and the hub. A member is *live* when what
/// is published reaches it. That is known after a barrier: something that is published once Redis has confirmed the
/// subscription, and came back. Everything that was published after the barrier's position comes to the member, and
/// nothing that was published before.
///
/// A value without I/O: it is told what happened, and asked what to send. Per channel at most one command is on its way, so
/// a confirmation is never mistaken for another's.
struct SubscriptionSet {
    /// Who hears a channel.
    enum Member: Hashable, Sendable {
        case handler(UInt64)
        /// The hub, each time it begins to follow the channel with another number.
        case hub(generation: UInt64)
    }

    /// A member that has become live.
    struct Arrival: Hashable, Sendable {
        let channel: ChannelName
        let member: Member
        /// Whether it was live before, and has missed what happened since.
        let isReturn: Bool
        /// Whether nothing is said to have been published past the log.
        let isCertain: Bool
    }

    fileprivate enum MemberState {
        /// Until the next barrier.
        case waiting(isReturn: Bool)
        /// Until this barrier comes back.
        case synchronizing(UInt64, isReturn: Bool)
        case live
    }

    /// What Redis was told of a channel, and has confirmed.
    fileprivate enum Subscription {
        case none
        case subscribing
        case subscribed
        case unsubscribing
    }

    fileprivate struct Entry {
        var subscription = Subscription.none
        var members: [(id: Member, state: MemberState)] = []
        /// The offset of the newest event that is known here.
        var last: UInt64 = 0
    }

    private var entries: [ChannelName: Entry] = [:]
    /// Channels about which there may be something to send.
    private var changed: Set<ChannelName> = []
    /// Channels with members that wait for a barrier which may begin.
    private var unsettled: Set<ChannelName> = []
    private var barrier: (token: UInt64, channels: [ChannelName])?
    private var epoch: String?

    /// How many channels have members.
    var count: Int { entries.values.count { !$0.members.isEmpty } }

    // MARK: Members

    mutating func join(_ member: Member, _ channel: ChannelName) {
        entries[channel, default: Entry()].members.append((member, .waiting(isReturn: false)))
        if entries[channel]?.subscription == .subscribed { unsettled.insert(channel) }
        changed.insert(channel)
    }

    mutating func leave(_ member: Member, _ channel: ChannelName) {
        guard let place = entries[channel]?.members.firstIndex(where: { $0.id == member }) else { return }
        entries[channel]?.members.remove(at: place)
        changed.insert(channel)
        if entries[channel]?.members.isEmpty == true { unsettled.remove(channel) }
    }

    // MARK: Commands

    /// What Redis has to be told now.
    mutating func commands() -> (subscribe: [ChannelName], unsubscribe: [ChannelName]) {
        var (subscribe, unsubscribe): ([ChannelName], [ChannelName]) = ([], [])
        for channel in changed {
            guard let entry = entries[channel] else { continue }
            switch (entry.subscription, entry.members.isEmpty) {
            case (.none, true):
                entries[channel] = nil
            case (.none, false):
                entries[channel]?.subscription = .subscribing
                subscribe.append(channel)
            case (.subscribed, true):
                entries[channel]?.subscription = .unsubscribing
                unsubscribe.append(channel)
            default:
                // What is on its way is waited for: its confirmation leads here again.
                break
            }
        }
        changed = []
        return (subscribe, unsubscribe)
    }

    /// Redis has confirmed a subscription.
    mutating func subscribed(_ channel: ChannelName) {
        guard entries[channel]?.subscription == .subscribing else { return }
        entries[channel]?.subscription = .subscribed
        changed.insert(channel)
        if entries[channel]?.members.isEmpty == false { unsettled.insert(channel) }
    }

    /// Redis has confirmed the end of a subscription.
    mutating func unsubscribed(_ channel: ChannelName) {
        guard entries[channel]?.subscription == .unsubscribing else { return }
        entries[channel]?.subscription = .none
        changed.insert(channel)
    }

    // MARK: Barriers

    /// Whether somebody waits for a barrier.
    var needsBarrier: Bool { !unsettled.isEmpty }

    /// A barrier is published. One is on its way at a time.
    ///
    /// - Returns: The channels that have members who wait for it.
    mutating func begin(barrier token: UInt64) -> [ChannelName] {
        let channels = Array(unsettled)
        for channel in unsettled {
            entries[channel]?.members.transform { state in
                if case .waiting(let isReturn) = state { state = .synchronizing(token, isReturn: isReturn) }
            }
        }
        barrier = (token, channels)
        unsettled = []
        return channels
    }

    /// A barrier has come back.
    ///
    /// - Parameter past: The places of channels of which it is said that something was published past the log.
    /// - Returns: Who is live from here on.
    mutating func reached(barrier token: UInt64, at position: EventPosition, past: Set<Int> = []) -> [Arrival] {
        enter(position)
        guard let channels = barrier?.channels, barrier?.token == token else { return [] }
        barrier = nil
        var arrivals: [Arrival] = []
        for (number, channel) in channels.enumerated() {
            guard var entry = entries[channel] else { continue }
            entry.last = max(entry.last, position.offset)
            for place in entry.members.indices {
                guard case .synchronizing(token, let isReturn) = entry.members[place].state else { continue }
                entry.members[place].state = .live
                arrivals.append(
                    Arrival(
                        channel: channel,
                        member: entry.members[place].id,
                        isReturn: isReturn,
                        isCertain: !past.contains(number)
                    )
                )
            }
            entries[channel] = entry
        }
        return arrivals
    }

    // MARK: What happens

    /// What an event on a channel means here.
    struct Hearing {
        /// Who is told.
        var members: [Member] = []
        /// Whether something before the event did not come here.
        var isGap = false
        /// Whether the event was told before, or the log has gone back behind it.
        var isRepeat = false
    }

    /// Something was published on a channel.
    ///
    /// - Parameters:
    ///   - position: Where it stands; nil if it has no position.
    ///   - before: The offset of the event before it on the channel, if that is told.
    mutating func heard(_ channel: ChannelName, at position: EventPosition?, before: UInt64?) -> Hearing {
        guard let entry = entries[channel] else { return Hearing() }
        var hearing = Hearing(members: entry.liveMembers)
        guard let position else { return hearing }
        if enter(position) {
            entries[channel]?.last = position.offset
            return hearing
        }
        hearing.isRepeat = position.offset <= entry.last
        // Before anybody is live it is not known what came before.
        hearing.isGap = !hearing.members.isEmpty && before.map { $0 > entry.last } ?? false
        if !hearing.isRepeat { entries[channel]?.last = position.offset }
        return hearing
    }

    /// Who is live on a channel.
    func liveMembers(of channel: ChannelName) -> [Member] { entries[channel]?.liveMembers ?? [] }

    /// Every channel with a live member.
    var liveChannels: [ChannelName] { entries.filter { !$0.value.liveMembers.isEmpty }.map(\.key) }

    /// Whether the log is not the one that was known. What was counted in the other says nothing.
    @discardableResult
    private mutating func enter(_ position: EventPosition) -> Bool {
        guard epoch != position.epoch else { return false }
        let isFirst = epoch == nil
        epoch = position.epoch
        guard !isFirst else { return false }
        for channel in entries.keys { entries[channel]?.last = position.offset }
        return true
    }

    /// The connection is gone: nobody is live, and everything is subscribed again on the next one.
    mutating func disconnected() {
        for (channel, var entry) in entries {
            entry.subscription = .none
            entry.members.transform { state in
                switch state {
                case .live: state = .waiting(isReturn: true)
                case .synchronizing(_, let isReturn): state = .waiting(isReturn: isReturn)
                case .waiting: break
                }
            }
            entries[channel] = entry
            changed.insert(channel)
        }
        (unsettled, barrier) = ([], nil)
    }
}

extension SubscriptionSet.Entry {
    fileprivate var liveMembers: [SubscriptionSet.Member] {
        members.compactMap { member in
            if case .live = member.state { member.id } else { nil }
        }
    }
}

extension [(id: SubscriptionSet.Member, state: SubscriptionSet.MemberState)] {
    fileprivate mutating func transform(_ body: (inout SubscriptionSet.MemberState) -> Void) {
        for place in indices { body(&self[place].state) }
    }
}
