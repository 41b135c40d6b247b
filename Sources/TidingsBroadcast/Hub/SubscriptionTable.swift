import TidingsWire

/// Which subscriber holds which channel, with every operation on one subscription in constant time: a mass close of
/// thousands must not take the square of that.
///
/// A channel keeps its subscribers in an array, a subscriber keeps its channels in an array, and each entry knows its
/// place in the other's array. Removing swaps the last entry into the hole.
struct SubscriptionTable<Subscriber: ChannelSubscriber> {
    private var channels: [ChannelName: ChannelMembers<Subscriber>] = [:]

    /// Calls a body with each subscriber of a channel. The body must not change the table.
    func forEachSubscriber(of channel: ChannelName, _ body: (Subscriber) -> Void) {
        guard let channel = channels[channel] else { return }
        for member in channel.members { body(member.subscriber) }
    }

    func contains(_ subscriber: Subscriber, in channel: ChannelName) -> Bool {
        guard let channel = channels[channel] else { return false }
        return subscriber.subscriptions.contains { $0.channel === channel }
    }

    /// Adds a subscriber that does not hold the channel yet.
    mutating func insert(_ subscriber: Subscriber, into name: ChannelName) {
        let channel = channels[name] ?? ChannelMembers(name: name)
        channels[name] = channel
        subscriber.subscriptions.append(.init(channel: channel, place: channel.members.count))
        channel.members.append(.init(subscriber: subscriber, slot: subscriber.subscriptions.count - 1))
    }

    /// Whether the subscriber held the channel.
    mutating func remove(_ subscriber: Subscriber, from name: ChannelName) -> Bool {
        guard let channel = channels[name],
            let slot = subscriber.subscriptions.firstIndex(where: { $0.channel === channel })
        else { return false }
        remove(slot: slot, of: subscriber)
        return true
    }

    /// Removes a subscriber from every channel and returns their names.
    mutating func removeAll(of subscriber: Subscriber) -> [ChannelName] {
        var names: [ChannelName] = []
        while let last = subscriber.subscriptions.last {
            names.append(last.channel.name)
            remove(slot: subscriber.subscriptions.count - 1, of: subscriber)
        }
        return names
    }

    private mutating func remove(slot: Int, of subscriber: Subscriber) {
        let removed = subscriber.subscriptions[slot]
        let channel = removed.channel
        let lastMember = channel.members.count - 1
        if removed.place != lastMember {
            let moved = channel.members[lastMember]
            channel.members[removed.place] = moved
            moved.subscriber.subscriptions[moved.slot].place = removed.place
        }
        channel.members.removeLast()
        if channel.members.isEmpty { channels[channel.name] = nil }

        let lastSlot = subscriber.subscriptions.count - 1
        if slot != lastSlot {
            let moved = subscriber.subscriptions[lastSlot]
            subscriber.subscriptions[slot] = moved
            moved.channel.members[moved.place].slot = slot
        }
        subscriber.subscriptions.removeLast()
    }
}

/// Something that holds channels. The table keeps its list.
protocol ChannelSubscriber: AnyObject {
    /// The table's business.
    var subscriptions: [ChannelSubscription<Self>] { get set }
}

/// One subscriber's hold of one channel.
struct ChannelSubscription<Subscriber: ChannelSubscriber> {
    let channel: ChannelMembers<Subscriber>
    /// Where the subscriber stands among the channel's members.
    fileprivate(set) var place: Int
}

/// A channel that has subscribers.
final class ChannelMembers<Subscriber: ChannelSubscriber> {
    struct Member {
        let subscriber: Subscriber
        /// Where the channel stands among the subscriber's subscriptions.
        var slot: Int
    }

    let name: ChannelName
    fileprivate(set) var members: [Member] = []

    init(name: ChannelName) {
        self.name = name
    }
}
