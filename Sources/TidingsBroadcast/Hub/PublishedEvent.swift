import NIOCore
import Synchronization
import TidingsWire

/// One event on its way to many sessions: encoded at most once, by the first loop that needs it.
final class PublishedEvent: Sendable {
    let event: BroadcastEvent
    let position: EventPosition
    private let encoded = Mutex<ByteBuffer?>(nil)
    private let entity = Mutex<String??>(nil)

    init(event: BroadcastEvent, position: EventPosition) {
        self.event = event
        self.position = position
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
}

extension ByteBuffer {
    /// A complete, unmasked text frame.
    init(textFrame text: [UInt8]) {
        self.init(bytes: WebSocketFrame.encode(.text, text))
    }
}
