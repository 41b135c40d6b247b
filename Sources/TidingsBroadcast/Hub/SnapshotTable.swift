import TidingsWire

/// The newest event of every channel of which only the newest counts, for those who subscribe later.
struct SnapshotTable {
    private struct Snapshot {
        let event: PublishedEvent
        /// Counts what was kept: positions of two logs cannot be compared.
        let order: UInt64
        let isLasting: Bool
    }

    private var snapshots: [ChannelName: Snapshot] = [:]
    private var lastOrder: UInt64 = 0
    private var lasting = 0

    subscript(channel: ChannelName) -> PublishedEvent? { snapshots[channel]?.event }

    /// Keeps an event in the place of the one before it. When there are more channels than may be, the quarter that was
    /// published on longest ago is forgotten: so many at once, that looking for them costs next to nothing for each event.
    ///
    /// - Parameters:
    ///   - capacity: How many channels there may be, besides those that are lasting.
    ///   - isLasting: Whether the channel is one of a few that are not forgotten for others.
    mutating func keep(_ published: PublishedEvent, atMost capacity: Int, isLasting: Bool = false) {
        lastOrder += 1
        remove(published.event.channel)
        if isLasting { lasting += 1 }
        snapshots[published.event.channel] = Snapshot(event: published, order: lastOrder, isLasting: isLasting)
        guard snapshots.count - lasting > max(capacity, 1) else { return }
        let oldestFirst = snapshots.filter { !$0.value.isLasting }.sorted { $0.value.order < $1.value.order }
        for (channel, _) in oldestFirst.prefix(max(oldestFirst.count / 4, 1)) where channel != published.event.channel {
            snapshots[channel] = nil
        }
    }

    /// Forgets the event of a channel.
    mutating func remove(_ channel: ChannelName) {
        if snapshots.removeValue(forKey: channel)?.isLasting == true { lasting -= 1 }
    }

    /// Forgets the events of a log that was lost or replaced.
    mutating func removeAll(of epoch: String) {
        snapshots = snapshots.filter { $0.value.event.position.epoch != epoch }
        lasting = snapshots.values.count { $0.isLasting }
    }
}
