import NIOCore
import TidingsWire

/// What was published for a shard and is not delivered yet. Bounded, so that publishers that are faster than a loop cost
/// no more memory than this: past the capacity the events of the channel that has most of it give way to one event that
/// says so.
struct ShardInbox {
    /// How much of something there is, and how much there may be.
    private struct Measure {
        let capacity: Int
        /// At how much somebody looks for what could give way.
        private(set) var limit: Int
        var value = 0

        init(capacity: Int) {
            self.capacity = capacity
            limit = capacity
        }

        var isExceeded: Bool { value > limit }

        /// Nothing gives way: there is one event for each channel. It is looked again at twice as much, so that looking
        /// costs next to nothing for each event.
        mutating func putUpWithIt() { limit = 2 * value }
    }

    private var events: [PublishedEvent] = []
    private var count: Measure
    private var bytes: Measure
    /// The channels whose events gave way. What happens on them until the shard wakes adds nothing.
    private var overflowed: Set<ChannelName> = []
    /// When the first of what waits was published: one look at a clock for all of it.
    private(set) var begin = NIODeadline.distantPast

    /// - Parameters:
    ///   - capacity: How many events may wait, besides the last one of each channel.
    ///   - maximumBytes: How many bytes of payloads.
    init(capacity: Int, maximumBytes: Int = .max / 4) {
        count = Measure(capacity: capacity)
        bytes = Measure(capacity: maximumBytes)
    }

    /// Adds an event.
    ///
    /// - Returns: How many events were given up for it.
    @discardableResult
    mutating func append(_ published: PublishedEvent) -> Int {
        if events.isEmpty { begin = .now() }
        let before = events.count + 1
        if overflowed.contains(published.event.channel) {
            // Of a snapshot the newest counts; of everything else what follows adds nothing.
            guard published.delivery == .snapshot else { return 1 }
            remove(published.event.channel)
        }
        insert(published, at: events.endIndex)
        if count.isExceeded { giveWay(by: \.count, of: \.count) }
        if bytes.isExceeded { giveWay(by: \.bytes, of: \.bytes) }
        return before - events.count
    }

    /// Everything, oldest first; the inbox is empty afterwards.
    mutating func takeAll() -> [PublishedEvent] {
        defer { self = ShardInbox(capacity: count.capacity, maximumBytes: bytes.capacity) }
        return events
    }

    // MARK: Parts

    private struct Weight {
        var count = 0
        var bytes = 0
    }

    /// Lets the channel that has most of something give way, until there is no more of it than may be.
    private mutating func giveWay(by weight: KeyPath<Weight, Int>, of measure: WritableKeyPath<ShardInbox, Measure>) {
        while self[keyPath: measure].isExceeded {
            let before = self[keyPath: measure].value
            if let channel = heaviestChannel(by: weight) { collapse(channel) }
            if self[keyPath: measure].value == before { return self[keyPath: measure].putUpWithIt() }
        }
    }

    private func heaviestChannel(by weight: KeyPath<Weight, Int>) -> ChannelName? {
        var weights: [ChannelName: Weight] = [:]
        for published in events where !overflowed.contains(published.event.channel) {
            weights[published.event.channel, default: Weight()].count += 1
            weights[published.event.channel, default: Weight()].bytes += published.bytes
        }
        let heaviest = weights.max { $0.value[keyPath: weight] < $1.value[keyPath: weight] }
        return heaviest.flatMap { $0.value[keyPath: weight] > 1 ? $0.key : nil }
    }

    private mutating func collapse(_ channel: ChannelName) {
        guard let first = events.firstIndex(where: { $0.event.channel == channel }) else { return }
        overflowed.insert(channel)
        // Of a snapshot the newest is enough. Everything else is said to be missing from where the first one stood: a reader
        // who is told other channels' positions behind that would take it for known.
        let isSnapshot = events[first].delivery == .snapshot
        let newest = events.last { $0.event.channel == channel }
        let substitute = isSnapshot ? newest ?? events[first] : events[first].overflow()
        remove(channel)
        insert(substitute, at: isSnapshot ? events.endIndex : first)
    }

    private mutating func insert(_ published: PublishedEvent, at place: Int) {
        events.insert(published, at: place)
        count.value += 1
        bytes.value += published.bytes
    }

    private mutating func remove(_ channel: ChannelName) {
        events.removeAll { published in
            guard published.event.channel == channel else { return false }
            bytes.value -= published.bytes
            return true
        }
        count.value = events.count
    }
}

extension PublishedEvent {
    fileprivate var bytes: Int { event.payload.json.count }
}
