import TidingsWire

/// The newest event of every channel of which only the newest counts, for those who subscribe later.
struct SnapshotTable {
    private var events: [ChannelName: PublishedEvent] = [:]

    subscript(channel: ChannelName) -> PublishedEvent? { events[channel] }

    /// Keeps an event in the place of the one before it. When there are more channels than may be, the quarter that was
    /// published on longest ago is forgotten: so many at once, that looking for them costs next to nothing for each event.
    mutating func keep(_ published: PublishedEvent, atMost capacity: Int) {
        events[published.event.channel] = published
        guard events.count > max(capacity, 1) else { return }
        let oldestFirst = events.sorted { $0.value.position.offset < $1.value.position.offset }
        for (channel, _) in oldestFirst.prefix(max(events.count / 4, 1)) where channel != published.event.channel {
            events[channel] = nil
        }
    }
}
