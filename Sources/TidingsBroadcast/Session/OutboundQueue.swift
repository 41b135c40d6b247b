import NIOCore
import TidingsWire

/// What waits for a session that reads more slowly than its channels speak.
///
/// A *signal* about an entity says everything that an older one with the same channel and name said: the older one is
/// taken out when a newer one comes, and the newer one goes to the end. Signals about no single entity are kept one by
/// one. When a channel has more waiting than it may, its signals collapse into one `stale` event, and what happens on it
/// while that waits adds nothing: the reader will refetch after it. A *snapshot* takes the place of the one before. A
/// *stream*'s events are all kept, up to the limit of bytes. So memory is bounded whatever the reader does.
final class OutboundQueue {
    /// What a newer event takes the place of.
    enum Subject: Hashable {
        case entity(ChannelName, EventName, String)
        case channel(ChannelName)
    }

    struct Entry {
        let frame: ByteBuffer
        let channel: ChannelName
        let subject: Subject?
        let isSignal: Bool
        /// nil of what stands for events that were given up.
        var position: EventPosition?
    }

    private struct Signals {
        var count = 0
        var bytes = 0
        var isStale = false
    }

    private let writer: FrameWriter
    private let maximumBytes: Int
    private let maximumSignals: Int
    private let counters: ShardCounters?
    /// In the order of arrival; nil where an entry was superseded or collapsed.
    private var entries: [Entry?] = []
    private var first = 0
    private var live = 0
    private var places: [Subject: Int] = [:]
    /// What waits of each channel's signals.
    private var signals: [ChannelName: Signals] = [:]
    private(set) var bytes = 0

    init(
        writer: FrameWriter = FrameWriter(dialect: .plain),
        maximumBytes: Int,
        maximumSignals: Int,
        counters: ShardCounters? = nil
    ) {
        self.counters = counters
        self.writer = writer
        self.maximumBytes = maximumBytes
        self.maximumSignals = maximumSignals
    }

    var isEmpty: Bool { live == 0 }
    /// How many events wait.
    var count: Int { live }

    /// Adds an event.
    ///
    /// - Returns: Whether the reader can still catch up. If not, more waits than may, and none of it can be given up.
    func append(_ published: PublishedEvent) -> Bool {
        let channel = published.event.channel
        switch published.delivery.kind {
        case .signal:
            guard signals[channel]?.isStale != true else {
                counters?.collapsed += 1
                return true
            }
            let subject = published.entityID.map { Subject.entity(channel, published.event.name, $0) }
            replace(
                subject,
                with: Entry(published, by: writer, subject: subject, isSignal: true)
            )
            if signals[channel, default: Signals()].count > maximumSignals { collapse(channel, at: published) }
        case .snapshot:
            let subject = Subject.channel(channel)
            replace(subject, with: Entry(published, by: writer, subject: subject, isSignal: false))
        case .stream:
            insert(Entry(published, by: writer, subject: nil, isSignal: false))
        }
        while bytes > maximumBytes, let largest = largestChannel() { collapse(largest, at: published) }
        return bytes <= maximumBytes
    }

    func popFirst() -> ByteBuffer? { popEntry()?.frame }

    /// As many frames as make up a number of bytes, or all.
    func popPiece(of count: Int) -> ByteBuffer {
        var buffer = ByteBuffer()
        while buffer.readableBytes < count, let frame = popFirst() { buffer.writeImmutableBuffer(frame) }
        return buffer
    }

    /// What comes next; nil if nothing does.
    var firstEntry: Entry? { entries[first...].lazy.compactMap(\.self).first }

    func popEntry() -> Entry? {
        while first < entries.count {
            guard let entry = entries[first] else {
                first += 1
                continue
            }
            removeEntry(at: first)
            first += 1
            if first > 64, first * 2 > entries.count { compact() }
            return entry
        }
        entries = []
        first = 0
        return nil
    }

    /// Forgets what waits for a channel that was unsubscribed from.
    func removeAll(of channel: ChannelName) {
        for place in first..<entries.count where entries[place]?.channel == channel { removeEntry(at: place) }
    }

    // MARK: Parts

    private func replace(_ subject: Subject?, with entry: Entry) {
        if let subject, let place = places[subject] {
            removeEntry(at: place)
            counters?.superseded += 1
        }
        insert(entry)
    }

    /// - Parameter place: Where an entry was that is no more; nil: behind all others.
    private func insert(_ entry: Entry, at place: Int? = nil) {
        if let subject = entry.subject { places[subject] = entries.count }
        if let place { entries[place] = entry } else { entries.append(entry) }
        live += 1
        bytes += entry.frame.readableBytes
        if entry.isSignal {
            signals[entry.channel, default: Signals()].count += 1
            signals[entry.channel, default: Signals()].bytes += entry.frame.readableBytes
        }
        if entries.count > 2 * live + 64 { compact() }
    }

    private func removeEntry(at place: Int) {
        guard let entry = entries[place] else { return }
        entries[place] = nil
        live -= 1
        bytes -= entry.frame.readableBytes
        if let subject = entry.subject { places[subject] = nil }
        guard entry.isSignal, var waiting = signals[entry.channel] else { return }
        waiting.count -= 1
        waiting.bytes -= entry.frame.readableBytes
        signals[entry.channel] = waiting.count > 0 ? waiting : nil
    }

    /// The stale event takes the place of the first one that is given up. Behind what waits on other channels it would come
    /// too late for who is told one position for all of them: what stands there would be taken for all that there was.
    ///
    /// - Parameter published: The event for which there was no room: the channel is stale from its time on.
    private func collapse(_ channel: ChannelName, at published: PublishedEvent) {
        let before = live
        let place = (first..<entries.count).first { entries[$0]?.channel == channel }
        removeAll(of: channel)
        counters?.collapsed += before - live
        var stale = BroadcastEvent.stale(channel, reason: .lagged)
        stale.time = published.event.time
        insert(Entry(frame: writer.frame(stale), channel: channel, subject: nil, isSignal: true), at: place)
        signals[channel, default: Signals()].isStale = true
    }

    /// The channel whose signals take the most; nil if all are stale already, which takes next to nothing.
    private func largestChannel() -> ChannelName? {
        signals.filter { !$0.value.isStale }.max { $0.value.bytes < $1.value.bytes }?.key
    }

    /// Closes the holes, so that the queue is as long as what waits.
    private func compact() {
        entries = entries[first...].filter { $0 != nil }
        first = 0
        places = [:]
        for (place, entry) in entries.enumerated() {
            if let subject = entry?.subject { places[subject] = place }
        }
    }
}

extension OutboundQueue.Entry {
    fileprivate init(
        _ published: PublishedEvent,
        by writer: FrameWriter,
        subject: OutboundQueue.Subject?,
        isSignal: Bool
    ) {
        self.init(
            frame: published.frame(by: writer),
            channel: published.event.channel,
            subject: subject,
            isSignal: isSignal,
            position: published.position
        )
    }
}
