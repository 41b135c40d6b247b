import NIOCore
import TidingsWire

/// What was published for a shard and is not delivered yet. Bounded, so that publishers that are faster than a loop cost
/// no more memory than this: past the capacity the events of the channel that has most of it give way to one event that
/// says so.
struct ShardInbox {
    private let capacity: Int
    private var events: [PublishedEvent] = []
    /// The channels whose events gave way. What happens on them until the shard wakes adds nothing.
    private var overflowed: Set<ChannelName> = []
    /// When the first of what waits was published: one look at a clock for all of it.
    private(set) var begin = NIODeadline.distantPast

    init(capacity: Int) {
        self.capacity = capacity
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
            events.removeAll { $0.event.channel == published.event.channel }
        }
        events.append(published)
        if events.count > capacity { collapse() }
        return before - events.count
    }

    /// Everything, oldest first; the inbox is empty afterwards.
    mutating func takeAll() -> [PublishedEvent] {
        defer {
            events = []
            overflowed = []
        }
        return events
    }

    private mutating func collapse() {
        var counts: [ChannelName: Int] = [:]
        for published in events where !overflowed.contains(published.event.channel) {
            counts[published.event.channel, default: 0] += 1
        }
        guard let (channel, _) = counts.max(by: { $0.value < $1.value }),
            let first = events.firstIndex(where: { $0.event.channel == channel })
        else { return }
        overflowed.insert(channel)
        // Of a snapshot the newest is enough. Everything else is said to be missing from where the first one stood: a reader
        // who is told other channels' positions behind that would take it for known.
        let isSnapshot = events[first].delivery == .snapshot
        let newest = events.last { $0.event.channel == channel }
        let substitute = isSnapshot ? newest ?? events[first] : events[first].overflow()
        events.removeAll { $0.event.channel == channel }
        events.insert(substitute, at: isSnapshot ? events.endIndex : first)
    }
}
