import TidingsWire

/// Events on their way to one reader, bounded: a reader that falls behind finds one `stale` event for each of its
/// channels in place of what it did not read, so it knows that it has to refetch.
struct EventBuffer {
    private let capacity: Int
    private var events: [BroadcastEvent] = []
    private var first = 0
    /// The channels whose `stale` event waits: the only event of theirs that does.
    private var staleChannels: Set<ChannelName> = []

    init(capacity: Int) {
        self.capacity = max(capacity, 1)
    }

    var count: Int { events.count - first }

    mutating func append(_ event: BroadcastEvent) {
        if count >= capacity { collapse() }
        // A channel that waits to be refetched has nothing to add.
        guard !staleChannels.contains(event.channel) else { return }
        events.append(event)
    }

    mutating func popFirst() -> BroadcastEvent? {
        guard first < events.count else { return nil }
        let event = events[first]
        first += 1
        staleChannels.remove(event.channel)
        if first == events.count {
            events.removeAll(keepingCapacity: true)
            first = 0
        }
        return event
    }

    private mutating func collapse() {
        var seen: Set<ChannelName> = []
        let channels = events[first...].map(\.channel).filter { seen.insert($0).inserted }
        events = channels.map { .stale($0, reason: .lagged) }
        first = 0
        staleChannels = seen
    }
}
