import NIOCore
import TidingsWire

/// What waits for a session that reads more slowly than its channels speak.
///
/// Events are signals: a newer one about the same entity says everything that an older one said. So an older one that
/// has not been sent is taken out when a newer one with the same channel, name and entity comes, and the newer one goes
/// to the end. Events about no single entity are kept one by one. When a channel has more waiting than it may, its
/// signals collapse into one `stale` event, and what happens on it while that waits adds nothing: the reader will
/// refetch after it. So memory is bounded whatever the reader does, and nothing is lost.
struct SignalQueue {
    private struct Subject: Hashable {
        let channel: ChannelName
        let name: EventName
        let entity: String
    }

    private struct Entry {
        let frame: ByteBuffer
        let channel: ChannelName
        let subject: Subject?
    }

    private struct Channel {
        var count = 0
        var bytes = 0
        var isStale = false
    }

    private let maximumBytes: Int
    private let maximumSignals: Int
    /// In the order of arrival; nil where an entry was superseded or collapsed.
    private var entries: [Entry?] = []
    private var first = 0
    private var live = 0
    private var places: [Subject: Int] = [:]
    private var channels: [ChannelName: Channel] = [:]
    private(set) var bytes = 0

    init(maximumBytes: Int, maximumSignals: Int) {
        self.maximumBytes = maximumBytes
        self.maximumSignals = maximumSignals
    }

    var isEmpty: Bool { live == 0 }
    /// How many events wait.
    var count: Int { live }

    mutating func append(_ published: PublishedEvent) {
        let channel = published.event.channel
        guard channels[channel]?.isStale != true else { return }
        let subject = published.entityID.map {
            Subject(channel: channel, name: published.event.name, entity: $0)
        }
        if let subject, let place = places[subject] { removeEntry(at: place) }
        insert(Entry(frame: published.frame, channel: channel, subject: subject))
        if channels[channel, default: Channel()].count > maximumSignals { collapse(channel) }
        while bytes > maximumBytes, let largest = largestChannel() { collapse(largest) }
    }

    mutating func popFirst() -> ByteBuffer? {
        while first < entries.count {
            guard let entry = entries[first] else {
                first += 1
                continue
            }
            removeEntry(at: first)
            first += 1
            if first > 64, first * 2 > entries.count { compact() }
            return entry.frame
        }
        entries = []
        first = 0
        return nil
    }

    /// Forgets what waits for a channel that was unsubscribed from.
    mutating func removeAll(of channel: ChannelName) {
        guard channels[channel] != nil else { return }
        for place in first..<entries.count where entries[place]?.channel == channel { removeEntry(at: place) }
    }

    // MARK: Parts

    private mutating func insert(_ entry: Entry) {
        if let subject = entry.subject { places[subject] = entries.count }
        entries.append(entry)
        live += 1
        bytes += entry.frame.readableBytes
        channels[entry.channel, default: Channel()].count += 1
        channels[entry.channel, default: Channel()].bytes += entry.frame.readableBytes
        if entries.count > 2 * live + 64 { compact() }
    }

    private mutating func removeEntry(at place: Int) {
        guard let entry = entries[place] else { return }
        entries[place] = nil
        live -= 1
        bytes -= entry.frame.readableBytes
        if let subject = entry.subject { places[subject] = nil }
        guard var channel = channels[entry.channel] else { return }
        channel.count -= 1
        channel.bytes -= entry.frame.readableBytes
        channels[entry.channel] = channel.count > 0 ? channel : nil
    }

    private mutating func collapse(_ channel: ChannelName) {
        removeAll(of: channel)
        let stale = BroadcastEvent.stale(channel, reason: .lagged)
        let frame = ByteBuffer(textFrame: PlainDialect.encode(.event(stale)))
        insert(Entry(frame: frame, channel: channel, subject: nil))
        channels[channel, default: Channel()].isStale = true
    }

    /// The channel whose signals take the most; nil if all are stale already, which takes next to nothing.
    private func largestChannel() -> ChannelName? {
        channels.filter { !$0.value.isStale }.max { $0.value.bytes < $1.value.bytes }?.key
    }

    /// Closes the holes, so that the queue is as long as what waits.
    private mutating func compact() {
        entries = entries[first...].filter { $0 != nil }
        first = 0
        places = [:]
        for (place, entry) in entries.enumerated() {
            if let subject = entry?.subject { places[subject] = place }
        }
    }
}
