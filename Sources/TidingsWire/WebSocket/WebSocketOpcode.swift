/// What a frame carries (RFC 6455 §5.2).
public enum WebSocketOpcode: UInt8, Sendable {
    /// The next piece of a message.
    case continuation = 0x0
    /// The first piece of a text message.
    case text = 0x1
    /// The first piece of a binary message.
    case binary = 0x2
    /// The end of the conversation.
    case close = 0x8
    /// A question whether the peer is there.
    case ping = 0x9
    /// The answer to a ping.
    case pong = 0xA

    /// Whether frames of this kind may stand between the pieces of a message.
    var isControl: Bool { rawValue >= 0x8 }
}
