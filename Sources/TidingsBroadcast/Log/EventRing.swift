import TidingsWire

/// The newest events of every channel, bounded by count, age and bytes. A value without a clock or a lock: whoever
/// holds it says what time it is.
///
/// An event that leaves is remembered by its offset alone, so that a reader whose position is older than that is told
/// that something is missing. A channel whose last event left keeps that offset in common with all such channels: the
/// memory for channels that nobody uses any more is given back.
struct EventRing {
    let epoch: String
    let limits: InMemoryEventLog.Limits
    /// The newest offset.
    private(set) var head: UInt64
    private(set) var bytes = 0

    private struct Entry {
        /// Nil once the event has left.
        var published: PublishedEvent?
        let offset: UInt64
        let time: Duration
        /// What the entry costs, with the structures around it: its payload once as it came and once in each dialect, of
        /// which the one that only feeds have stands for event streams. Where messages are compressed there may be that
        /// much again, and mostly is much less.
        let bytes: Int

        init(published: PublishedEvent, time: Duration) {
            self.published = published
            self.time = time
            offset = published.position.offset
            bytes =
                (1 + Dialect.allCases.count) * published.event.payload.json.count
                + published.event.channel.rawValue.utf8.count + 256
        }
    }

    private struct Channel {
        /// Oldest first; those before `first` have left.
        var entries: [Entry] = []
        var first = 0
        /// The newest offset that may have left this channel, 0 if none has.
        var evicted: UInt64

        var isEmpty: Bool { first == entries.count }

        /// The place of the oldest entry after an offset, found by halving.
        func firstPlace(after offset: UInt64) -> Int {
            var (low, high) = (first, entries.count)
            while low < high {
                let middle = (low + high) / 2
                if entries[middle].offset <= offset { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    private var channels: [ChannelName: Channel] = [:]
    /// The newest offset that has left any channel which is no longer in the table.
    private var evictedElsewhere: UInt64
    /// Channel and offset of everything kept, oldest first, for eviction by age and bytes over all channels.
    private var order: [(channel: ChannelName, offset: UInt64)] = []
    private var orderFirst = 0
    /// How many events are kept.
    private var live = 0
    /// The channels that are told here, and the offset from which on; nil if all are, from the beginning.
    private var followed: [ChannelName: UInt64]?

    /// - Parameters:
    ///   - head: Up to where nothing is known; 0 at the beginning of a log.
    ///   - followed: The channels that are told here; nil if all are.
    init(
        epoch: String,
        head: UInt64 = 0,
        limits: InMemoryEventLog.Limits = .init(),
        followed: Set<ChannelName>? = nil
    ) {
        self.epoch = epoch
        self.head = head
        self.limits = limits
        self.followed = followed.map { channels in Dictionary(uniqueKeysWithValues: channels.map { ($0, head) }) }
        evictedElsewhere = head
    }

    /// The position of the newest event.
    var position: EventPosition { EventPosition(epoch: epoch, offset: head) }
    /// How many events are kept on all channels.
    var count: Int { live }
    /// How many channels take memory.
    var channelCount: Int { channels.count }

    /// Keeps an event under one position on each of its channels.
    ///
    /// - Parameters:
    ///   - offset: Where it stands, if the log is kept elsewhere: after the head. Otherwise it is the next one.
    ///   - time: What time it is.
    ///   - makeEvents: Makes the event of each channel, given the position.
    mutating func append(
        at offset: UInt64? = nil,
        time: Duration,
        _ makeEvents: (EventPosition) -> [PublishedEvent]
    ) -> [PublishedEvent] {
        // On another channel the same event may have come before.
        head = max(head, offset ?? head + 1)
        let events = makeEvents(EventPosition(epoch: epoch, offset: offset ?? head))
        for published in events { keep(published, at: time) }
        evict(before: time)
        if order.count - orderFirst > 2 * live + 1024 { forgetDeadOrder() }
        return events
    }

    /// Nothing else happened up to an offset.
    mutating func advance(to offset: UInt64) {
        head = max(head, offset)
    }

    private mutating func keep(_ published: PublishedEvent, at time: Duration) {
        let name = published.event.channel
        let entry = Entry(published: published, time: time)
        channels[name, default: Channel(evicted: evictedElsewhere)].entries.append(entry)
        bytes += entry.bytes
        live += 1
        order.append((name, entry.offset))
        if let channel = channels[name], channel.entries.count - channel.first > limits.eventsPerChannel {
            evictFirst(of: name)
        }
    }

    /// Every event of a channel after a position, oldest first; the reason if that is not known.
    mutating func events(
        on name: ChannelName,
        after position: EventPosition,
        at time: Duration
    ) -> Result<[PublishedEvent], NotRecoverable> {
        guard position.epoch == epoch else { return .failure(NotRecoverable(reason: .epoch)) }
        guard position.offset <= head, reaches(back: position.offset, on: name, at: time) else {
            return .failure(NotRecoverable(reason: .gap))
        }
        guard let channel = channels[name] else { return .success([]) }
        let missed = channel.entries[channel.firstPlace(after: position.offset)...]
        return .success(missed.compactMap(\.published))
    }

    /// Whether no event of a channel after an offset has left.
    mutating func reaches(back offset: UInt64, on name: ChannelName, at time: Duration) -> Bool {
        evict(before: time)
        if let followed {
            guard let first = followed[name], offset >= first else { return false }
        }
        return offset >= channels[name]?.evicted ?? evictedElsewhere
    }

    /// Why what happened after a position is not known.
    struct NotRecoverable: Error {
        let reason: StaleReason
    }

    // MARK: Following

    /// The channels that are told here; nil if all are.
    var followedChannels: Set<ChannelName>? { followed.map { Set($0.keys) } }

    func isFollowing(_ name: ChannelName) -> Bool { followed?[name] != nil }

    /// A channel is told here from the head on.
    mutating func follow(_ name: ChannelName) {
        drop(name)
        followed?[name] = head
    }

    /// A channel is not told here any more.
    mutating func unfollow(_ name: ChannelName) {
        drop(name)
        followed?[name] = nil
    }

    /// A channel is told here, and nothing is known from before some moment that has no offset.
    mutating func forget(_ name: ChannelName) {
        drop(name)
        if isFollowing(name) { followed?[name] = .max }
    }

    private mutating func drop(_ name: ChannelName) {
        guard let channel = channels.removeValue(forKey: name) else { return }
        for entry in channel.entries[channel.first...] {
            live -= 1
            bytes -= entry.bytes
        }
    }

    // MARK: Eviction

    private mutating func evict(before time: Duration) {
        while orderFirst < order.count {
            let (name, offset) = order[orderFirst]
            guard let entry = channels[name].flatMap({ $0.isEmpty ? nil : $0.entries[$0.first] }),
                entry.offset == offset
            else {
                // Left before, by its channel's count.
                dropFirstOfOrder()
                continue
            }
            guard bytes > limits.bytes || time - entry.time > limits.age else { return }
            evictFirst(of: name)
            dropFirstOfOrder()
        }
    }

    private mutating func evictFirst(of name: ChannelName) {
        guard var channel = channels.removeValue(forKey: name), !channel.isEmpty else { return }
        let entry = channel.entries[channel.first]
        channel.entries[channel.first].published = nil
        channel.first += 1
        live -= 1
        channel.evicted = entry.offset
        bytes -= entry.bytes
        if channel.isEmpty {
            evictedElsewhere = max(evictedElsewhere, entry.offset)
            return
        }
        if channel.first > 64, channel.first * 2 > channel.entries.count {
            channel.entries.removeFirst(channel.first)
            channel.first = 0
        }
        channels[name] = channel
    }

    /// An old event of a quiet channel keeps its place at the front, while those of a loud one behind it leave by count.
    private mutating func forgetDeadOrder() {
        order = channels.flatMap { name, channel in channel.entries[channel.first...].map { (name, $0.offset) } }
            .sorted { $0.offset < $1.offset }
        orderFirst = 0
    }

    private mutating func dropFirstOfOrder() {
        orderFirst += 1
        if orderFirst > 1024, orderFirst * 2 > order.count {
            order.removeFirst(orderFirst)
            orderFirst = 0
        }
    }
}
