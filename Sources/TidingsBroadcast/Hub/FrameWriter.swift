import NIOCore
import TidingsCompression
import TidingsWire

/// Writes messages as frames in the way that a session understands. Those of one loop that understand the same share what
/// it writes with.
struct FrameWriter {
    /// How frames are written: what two sessions have in common can be written once for both.
    struct Format: Hashable {
        let dialect: Dialect
        let isCompressed: Bool
        var framing = Framing.webSocket
    }

    /// What messages stand in.
    enum Framing: Hashable {
        case webSocket
        /// Server-sent events without identifiers.
        case eventStream
        /// Server-sent events, each with its position.
        case numberedEventStream
    }

    let dialect: Dialect
    /// nil where compression was not agreed on.
    let deflater: MessageDeflater?
    /// Knows how feeds are told in their own dialect.
    let feeds: FeedTable?
    let framing: Framing

    init(
        dialect: Dialect,
        deflater: MessageDeflater? = nil,
        feeds: FeedTable? = nil,
        framing: Framing = .webSocket
    ) {
        self.dialect = dialect
        self.deflater = deflater
        self.feeds = feeds
        self.framing = framing
    }

    var format: Format { Format(dialect: dialect, isCompressed: deflater != nil, framing: framing) }

    /// A whole, unmasked frame; compressed if that makes it smaller. Or a message of an event stream, which has no opcodes.
    func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8]) -> ByteBuffer {
        guard framing == .webSocket else { return ByteBuffer(bytes: EventStreamText.message(payload)) }
        return ByteBuffer(bytes: deflater?.frame(opcode, payload) ?? WebSocketFrame.encode(opcode, payload))
    }

    func frame(_ event: BroadcastEvent) -> ByteBuffer {
        guard framing == .numberedEventStream, let position = event.position else { return frame(.text, text(event)) }
        return ByteBuffer(bytes: EventStreamText.message(text(event), id: position.description))
    }

    private func text(_ event: BroadcastEvent) -> [UInt8] {
        guard dialect == .feed, let feeds else { return dialect.encode(event) }
        return feeds.frame(of: event.channel).encode(event)
    }
}
