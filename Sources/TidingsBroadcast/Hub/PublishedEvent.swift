import NIOCore
import Synchronization
import TidingsWire

/// One event on its way to many sessions: encoded at most once, by the first loop that needs it.
final class PublishedEvent: Sendable {
    let event: BroadcastEvent
    let position: EventPosition
    let delivery: ChannelDelivery
    /// Whether this stands for events that were given up before they reached a session: a stream cannot go on after it.
    let isOverflow: Bool
    private let encoded = Mutex<ByteBuffer?>(nil)
    private let entity = Mutex<String??>(nil)

    init(
        event: BroadcastEvent,
        position: EventPosition,
        delivery: ChannelDelivery = .signal,
        isOverflow: Bool = false
    ) {
        self.event = event
        self.position = position
        self.delivery = delivery
        self.isOverflow = isOverflow
    }

    /// The complete text frame, the same bytes for every session.
    var frame: ByteBuffer {
        encoded.withLock { encoded in
            if let frame = encoded { return frame }
            let frame = ByteBuffer(textFrame: PlainDialect.encode(.event(event)))
            encoded = frame
            return frame
        }
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

    /// What takes the place of this event and of those before it on its channel when there was no room for them. Of a
    /// snapshot the newest is enough.
    func overflow() -> PublishedEvent {
        guard delivery != .snapshot else { return self }
        return PublishedEvent(
            event: .stale(event.channel, reason: .lagged),
            position: position,
            delivery: delivery,
            isOverflow: true
        )
    }
}

/// What one turn of a loop brought on one channel, as the bytes that go to each session: one buffer, made once.
final class ChannelTurn {
    let channel: ChannelName
    private(set) var events: [PublishedEvent] = []
    private var joined: ByteBuffer?

    init(channel: ChannelName) {
        self.channel = channel
    }

    func append(_ published: PublishedEvent) {
        events.append(published)
    }

    /// Whether events of a stream were given up before this turn: its readers cannot go on.
    var breaksStream: Bool { events.contains { $0.isOverflow && $0.delivery == .stream } }

    /// Every event's frame, one behind the other.
    var frames: ByteBuffer {
        if let joined { return joined }
        var frames = events.first?.frame ?? ByteBuffer()
        for published in events.dropFirst() { frames.writeImmutableBuffer(published.frame) }
        joined = frames
        return frames
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

extension ByteBuffer {
    /// A complete, unmasked text frame.
    init(textFrame text: [UInt8]) {
        self.init(bytes: WebSocketFrame.encode(.text, text))
    }
}
