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
    }

    let dialect: Dialect
    /// nil where compression was not agreed on.
    let deflater: MessageDeflater?
    /// Knows how feeds are told in their own dialect.
    let feeds: FeedTable?

    init(dialect: Dialect, deflater: MessageDeflater? = nil, feeds: FeedTable? = nil) {
        self.dialect = dialect
        self.deflater = deflater
        self.feeds = feeds
    }

    var format: Format { Format(dialect: dialect, isCompressed: deflater != nil) }

    /// A whole, unmasked frame; compressed if that makes it smaller.
    func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8]) -> ByteBuffer {
        ByteBuffer(bytes: deflater?.frame(opcode, payload) ?? WebSocketFrame.encode(opcode, payload))
    }

    func frame(_ event: BroadcastEvent) -> ByteBuffer {
        frame(.text, text(event))
    }

    private func text(_ event: BroadcastEvent) -> [UInt8] {
        guard dialect == .feed, let feeds else { return dialect.encode(event) }
        return feeds.frame(of: event.channel).encode(event)
    }
}
