/// What arrived on a WebSocket: whole messages and control frames, in the order of their ends.
public enum WebSocketMessage: Hashable, Sendable {
    /// A text message: valid UTF-8.
    case text([UInt8])
    /// A binary message.
    case binary([UInt8])
    /// A text or binary message as it was compressed (RFC 7692 §6.2), only from a reader that allows it. Whoever inflates
    /// it makes the message with ``data(_:isText:)``.
    case compressed([UInt8], isText: Bool)
    /// A question whether this side is there, to be answered with the same bytes.
    case ping([UInt8])
    /// An answer to a ping.
    case pong([UInt8])
    /// The peer's close frame. Nothing follows it.
    case close(CloseCode, reason: String)

    /// The message of bytes that were compressed on the wire.
    ///
    /// - Parameters:
    ///   - bytes: All of them, inflated.
    ///   - isText: Whether they were sent as a text.
    /// - Throws: ``WebSocketViolation`` if a text is not UTF-8 (RFC 6455 §8.1).
    public static func data(_ bytes: [UInt8], isText: Bool) throws(WebSocketViolation) -> WebSocketMessage {
        guard isText else { return .binary(bytes) }
        guard bytes.withUnsafeBytes(UTF8Validator.isValid) else { throw .init(.invalidText, "a text is not UTF-8") }
        return .text(bytes)
    }
}

extension WebSocketMessage: CustomStringConvertible {
    /// The kind and the size, or why it was closed. Never the content: descriptions end up in logs.
    public var description: String {
        switch self {
        case .text(let bytes): "text, \(bytes.count) bytes"
        case .binary(let bytes): "binary, \(bytes.count) bytes"
        case .compressed(let bytes, let isText): "compressed \(isText ? "text" : "binary"), \(bytes.count) bytes"
        case .ping(let bytes): "ping, \(bytes.count) bytes"
        case .pong(let bytes): "pong, \(bytes.count) bytes"
        case .close(let code, let reason): reason.isEmpty ? "close \(code)" : "close \(code): \(reason)"
        }
    }
}

/// A rule of RFC 6455, or of an extension, that the peer broke. The connection has to be failed with the code (§7.1.7).
public struct WebSocketViolation: Error, Hashable, Sendable {
    /// The code to close with.
    public let code: CloseCode
    /// The rule, in a few words that fit into a close frame.
    public let reason: String

    package init(_ code: CloseCode, _ reason: String) {
        self.code = code
        self.reason = reason
    }
}
