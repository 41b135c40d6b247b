import NIOCore
import Synchronization
import TidingsWire

/// One event on its way to many sessions: encoded at most once in each format, by the first loop that needs it.
final class PublishedEvent: Sendable {
    /// What happened, with its position if it has one.
    let event: BroadcastEvent
    /// Where it stands, or what was newest when it came.
    let position: EventPosition
    /// Whether it has a position of its own. What was published past the log has none.
    let isPlaced: Bool
    let delivery: ChannelDelivery
    /// Whether this stands for events that were given up before they reached a session: a stream cannot go on after it.
    let isOverflow: Bool
    private let frames = Mutex(FrameCache())
    private let entity = Mutex<String??>(nil)

    init(
        event: BroadcastEvent,
        position: EventPosition,
        delivery: ChannelDelivery = .signal,
        isOverflow: Bool = false,
        isPlaced: Bool = true
    ) {
        var event = event
        event.position = isPlaced ? position : nil
        self.event = event
        self.position = position
        self.isPlaced = isPlaced
        self.delivery = delivery
        self.isOverflow = isOverflow
    }

    /// Whether it takes the place of what was told on its channel before. `stale` never does: it is about that.
    var isSnapshot: Bool { delivery == .snapshot && !event.isStale }

    /// The complete text frame, the same bytes for every session of the format.
    func frame(by writer: FrameWriter) -> ByteBuffer {
        frames.withLock { $0.frame(in: writer.format) { writer.frame(event) } }
    }

    /// The entity that the event is about. Only slow sessions ask, so it is looked for when the first one does.
    var entityID: String? {
        entity.withLock { entity in
            if let known = entity { return known }
            let found = event.payload.entityID
            entity = .some(found)
            return found
        }
    }

    /// What takes the place of this event and of those after it on its channel when there was no room for them.
    func overflow() -> PublishedEvent {
        var stale = BroadcastEvent.stale(event.channel, reason: .lagged)
        stale.time = event.time
        return PublishedEvent(
            event: stale,
            position: position,
            delivery: delivery,
            isOverflow: true
        )
    }
}

extension [PublishedEvent] {
    var payloadBytes: Int { reduce(0) { $0 + $1.event.payload.json.count } }
}

/// What one turn of a loop brought on one channel, as the bytes that go to each session: one buffer, made once.
final class ChannelTurn {
    let channel: ChannelName
    private(set) var events: [PublishedEvent]
    private var joined = FrameCache()

    init(channel: ChannelName, events: [PublishedEvent] = []) {
        self.channel = channel
        self.events = events
    }

    func append(_ published: PublishedEvent) {
        events.append(published)
    }

    /// Whether events of a stream were given up before this turn: its readers cannot go on.
    var breaksStream: Bool { events.contains { $0.isOverflow && $0.delivery == .stream } }

    /// Every event's frame, one behind the other.
    func frames(by writer: FrameWriter) -> ByteBuffer {
        joined.frame(in: writer.format) {
            var frames = events.first?.frame(by: writer) ?? ByteBuffer()
            for published in events.dropFirst() { frames.writeImmutableBuffer(published.frame(by: writer)) }
            return frames
        }
    }

    /// Events by channel, in the order of their first ones; within a channel in order.
    static func group(_ events: [PublishedEvent]) -> [ChannelTurn] {
        var turns: [ChannelTurn] = []
        var places: [ChannelName: Int] = [:]
        for published in events {
            let channel = published.event.channel
            if let last = turns.last, last.channel == channel {
                last.append(published)
            } else if let place = places[channel] {
                turns[place].append(published)
            } else {
                places[channel] = turns.count
                let turn = ChannelTurn(channel: channel)
                turn.append(published)
                turns.append(turn)
            }
        }
        return turns
    }
}

/// Bytes for each format that was asked for.
private struct FrameCache {
    private static let common = FrameWriter.Format(dialect: .plain, isCompressed: false)

    private var plain: ByteBuffer?
    private var others: [FrameWriter.Format: ByteBuffer] = [:]

    /// What is kept for a format, made now if nothing is.
    mutating func frame(in format: FrameWriter.Format, make: () -> ByteBuffer) -> ByteBuffer {
        if format == Self.common, let plain { return plain }
        if let frame = others[format] { return frame }
        let frame = make()
        if format == Self.common { plain = frame } else { others[format] = frame }
        return frame
    }
}
