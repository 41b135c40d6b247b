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
    private(set) var head: UInt64 = 0
    private(set) var bytes = 0

    private struct Entry {
        let event: BroadcastEvent
        let offset: UInt64
        let time: Duration

        /// A bound of what the entry costs: its payload and the structures around it.
        var bytes: Int { event.payload.json.count + event.channel.rawValue.utf8.count + 128 }
    }

    private struct Channel {
        /// Oldest first; those before `first` have left.
        var entries: [Entry] = []
        var first = 0
        /// The newest offset that may have left this channel, 0 if none has.
        var evicted: UInt64

        var isEmpty: Bool { first == entries.count }
    }

    private var channels: [ChannelName: Channel] = [:]
    /// The newest offset that has left any channel which is no longer in the table.
    private var evictedElsewhere: UInt64 = 0
    /// Channel and offset of everything kept, oldest first, for eviction by age and bytes over all channels.
    private var order: [(channel: ChannelName, offset: UInt64)] = []
    private var orderFirst = 0

    init(epoch: String, limits: InMemoryEventLog.Limits = .init()) {
        self.epoch = epoch
        self.limits = limits
    }

    /// How many events are kept on all channels.
    var count: Int { channels.values.reduce(0) { $0 + $1.entries.count - $1.first } }
    /// How many channels take memory.
    var channelCount: Int { channels.count }

    mutating func append(_ event: BroadcastEvent, at time: Duration) -> EventPosition {
        head += 1
        let entry = Entry(event: event, offset: head, time: time)
        channels[event.channel, default: Channel(evicted: evictedElsewhere)].entries.append(entry)
        bytes += entry.bytes
        order.append((event.channel, head))
        if let channel = channels[event.channel], channel.entries.count - channel.first > limits.eventsPerChannel {
            evictFirst(of: event.channel)
        }
        evict(before: time)
        return EventPosition(epoch: epoch, offset: head)
    }

    mutating func events(on name: ChannelName, after position: EventPosition, at time: Duration) -> EventReplay {
        evict(before: time)
        guard position.epoch == epoch else { return .notRecoverable(.epoch) }
        guard position.offset <= head else { return .notRecoverable(.gap) }
        guard let channel = channels[name] else {
            return position.offset >= evictedElsewhere ? .events([]) : .notRecoverable(.gap)
        }
        guard position.offset >= channel.evicted else { return .notRecoverable(.gap) }
        let kept = channel.entries[channel.first...]
        return .events(
            kept.drop { $0.offset <= position.offset }
                .map { PositionedEvent(event: $0.event, position: EventPosition(epoch: epoch, offset: $0.offset)) }
        )
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
        channel.first += 1
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

    private mutating func dropFirstOfOrder() {
        orderFirst += 1
        if orderFirst > 1024, orderFirst * 2 > order.count {
            order.removeFirst(orderFirst)
            orderFirst = 0
        }
    }
}
