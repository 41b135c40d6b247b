/// Turns the bytes of one direction of a WebSocket into messages: frames, fragments, masks and every check that
/// RFC 6455 asks for. A value without I/O, used by the server and by the client.
///
/// Faults are found as early as they can be: a forbidden opcode with the first byte, a forbidden length with the
/// header, a text's broken UTF-8 with the byte that breaks it, in whichever frame and read that is. A close frame is
/// judged when it is whole.
///
/// Where compression was negotiated (RFC 7692), a compressed message is put together and handed on as it is: whoever
/// receives it inflates it, and what it says is judged then.
///
/// Memory: what has arrived of the message in progress, at most the limit, and of one control frame, at most 125 bytes.
/// Between messages nothing is held.
public struct WebSocketReader: Sendable {
    /// Whose frames are read.
    public enum Peer: Sendable {
        /// Frames of a client, which are masked.
        case client
        /// Frames of a server, which are not.
        case server
    }

    private let peer: Peer
    private let maximumMessageBytes: Int
    private let allowsCompression: Bool
    private var header = WebSocketHeaderBuffer()
    private var frame: Frame?
    private var message: PartialMessage?
    private var isClosed = false

    private struct Frame {
        let opcode: WebSocketOpcode
        let isFinal: Bool
        var missing: Int
        var mask: WebSocketMask?
        /// What has arrived of a control frame. Data goes to the message.
        var control: [UInt8] = []
    }

    private struct PartialMessage {
        let isText: Bool
        let isCompressed: Bool
        var bytes: [UInt8] = []
        var text = UTF8Validator()
    }

    /// Makes a reader for a new connection.
    ///
    /// - Parameters:
    ///   - peer: Whose frames are read.
    ///   - maximumMessageBytes: The most bytes in one frame's payload and in one message, as they are sent: what a
    ///     compressed message inflates to is for its receiver to limit.
    ///   - allowsCompression: Whether messages may be compressed: only where it was negotiated (RFC 7692 §6).
    public init(from peer: Peer, maximumMessageBytes: Int, allowsCompression: Bool = false) {
        self.peer = peer
        self.maximumMessageBytes = maximumMessageBytes
        self.allowsCompression = allowsCompression
    }

    /// Whether no message is in progress: what has arrived ended with a whole message or frame.
    public var isIdle: Bool {
        header.count == 0 && frame == nil && message == nil
    }

    /// Takes the next bytes, of any number.
    ///
    /// - Parameters:
    ///   - bytes: What arrived, in order.
    ///   - receive: Called with each message as it ends. After a close frame nothing more is read, nor after a message
    ///     in which the receiver finds a violation.
    /// - Throws: ``WebSocketViolation``; the reader is of no use after that. Messages that ended before were received.
    public mutating func read(
        _ bytes: UnsafeRawBufferPointer,
        _ receive: (WebSocketMessage) throws(WebSocketViolation) -> Void
    ) throws(WebSocketViolation) {
        var rest = bytes[...]
        while !isClosed {
            if frame == nil, try !readHeader(&rest) { return }
            guard try readPayload(&rest, receive) else { return }
        }
    }
}

// MARK: - Headers

extension WebSocketReader {
    /// Whether a whole header was read; if not, the input is used up.
    private mutating func readHeader(_ rest: inout Slice<UnsafeRawBufferPointer>) throws(WebSocketViolation) -> Bool {
        while header.count < header.length {
            guard let byte = rest.popFirst() else { return false }
            header.append(byte)
            if header.count == 1 { try checkFirstByte() }
            if header.count == 2 { try checkSecondByte() }
        }
        frame = try startFrame()
        header.removeAll()
        return true
    }

    private func checkFirstByte() throws(WebSocketViolation) {
        guard header.reservedBits == 0 || startsCompressed else { throw .init(.protocolError, "a reserved bit is set") }
        guard let opcode = header.opcode else { throw .init(.protocolError, "the opcode is reserved") }
        if opcode.isControl {
            guard header.isFinal else { throw .init(.protocolError, "a control frame is fragmented") }
        } else {
            guard (opcode == .continuation) == (message != nil) else {
                throw .init(.protocolError, message == nil ? "nothing to continue" : "the last message is not finished")
            }
        }
    }

    /// Whether the header begins a compressed message: the bit RSV1, on a message's first frame only (RFC 7692 §6).
    private var startsCompressed: Bool {
        allowsCompression && header.reservedBits == 0x40 && (header.opcode == .text || header.opcode == .binary)
    }

    private func checkSecondByte() throws(WebSocketViolation) {
        guard header.opcode?.isControl != true || header.shortLength <= 125 else {
            throw .init(.protocolError, "a control frame is over 125 bytes")
        }
        guard header.isMasked == (peer == .client) else {
            throw .init(
                .protocolError,
                peer == .client ? "a client's frame is not masked" : "a server's frame is masked"
            )
        }
    }

    private mutating func startFrame() throws(WebSocketViolation) -> Frame {
        guard let opcode = header.opcode, header.isMinimal, header.payloadLength <= UInt64(Int64.max) else {
            throw .init(.protocolError, "the length is not in its shortest form")
        }
        if !opcode.isControl {
            let limit = UInt64(maximumMessageBytes - (message?.bytes.count ?? 0))
            guard header.payloadLength <= limit else {
                throw .init(.messageTooBig, "a message has at most \(maximumMessageBytes) bytes")
            }
            if opcode != .continuation {
                message = PartialMessage(isText: opcode == .text, isCompressed: header.reservedBits != 0)
            }
        }
        return Frame(
            opcode: opcode,
            isFinal: header.isFinal,
            missing: Int(header.payloadLength),
            mask: header.isMasked ? WebSocketMask(key: header.maskingKey) : nil
        )
    }
}

// MARK: - Payloads

extension WebSocketReader {
    /// Whether the frame ended; if not, the input is used up.
    private mutating func readPayload(
        _ rest: inout Slice<UnsafeRawBufferPointer>,
        _ receive: (WebSocketMessage) throws(WebSocketViolation) -> Void
    ) throws(WebSocketViolation) -> Bool {
        guard var frame = self.frame else { return false }
        let piece = rest.prefix(frame.missing)
        rest = rest.dropFirst(piece.count)
        frame.missing -= piece.count
        if frame.opcode.isControl {
            Self.append(piece, to: &frame.control, mask: &frame.mask)
        } else {
            try appendToMessage(piece, mask: &frame.mask)
        }
        guard frame.missing == 0 else {
            self.frame = frame
            return false
        }
        self.frame = nil
        if frame.opcode.isControl {
            try finishControl(frame, receive)
        } else if frame.isFinal {
            try finishMessage(receive)
        }
        return true
    }

    private mutating func appendToMessage(
        _ piece: Slice<UnsafeRawBufferPointer>,
        mask: inout WebSocketMask?
    ) throws(WebSocketViolation) {
        guard var message = self.message else { return }
        self.message = nil
        let start = message.bytes.count
        Self.append(piece, to: &message.bytes, mask: &mask)
        if message.isText, !message.isCompressed {
            var text = message.text
            let isValid = message.bytes.withUnsafeBytes {
                text.validate(UnsafeRawBufferPointer(rebasing: $0[start...]))
            }
            guard isValid else { throw .init(.invalidText, "a text is not UTF-8") }
            message.text = text
        }
        self.message = message
    }

    private mutating func finishMessage(
        _ receive: (WebSocketMessage) throws(WebSocketViolation) -> Void
    ) throws(WebSocketViolation) {
        guard let message else { return }
        self.message = nil
        guard message.text.isComplete else { throw .init(.invalidText, "a text ends within a character") }
        if message.isCompressed {
            try receive(.compressed(message.bytes, isText: message.isText))
        } else {
            try receive(message.isText ? .text(message.bytes) : .binary(message.bytes))
        }
    }

    private mutating func finishControl(
        _ frame: Frame,
        _ receive: (WebSocketMessage) throws(WebSocketViolation) -> Void
    ) throws(WebSocketViolation) {
        switch frame.opcode {
        case .ping: try receive(.ping(frame.control))
        case .pong: try receive(.pong(frame.control))
        default:
            isClosed = true
            try receive(Self.close(frame.control))
        }
    }

    private static func close(_ payload: [UInt8]) throws(WebSocketViolation) -> WebSocketMessage {
        guard !payload.isEmpty else { return .close(.noCode, reason: "") }
        guard payload.count >= 2 else { throw .init(.protocolError, "a close code has two bytes") }
        let code = CloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
        guard code.mayBeSent else { throw .init(.protocolError, "the close code may not be sent") }
        let reason = payload[2...]
        guard reason.withUnsafeBytes(UTF8Validator.isValid) else {
            throw .init(.invalidText, "the reason for closing is not UTF-8")
        }
        return .close(code, reason: String(decoding: reason, as: UTF8.self))
    }

    private static func append(
        _ piece: Slice<UnsafeRawBufferPointer>,
        to bytes: inout [UInt8],
        mask: inout WebSocketMask?
    ) {
        let start = bytes.count
        bytes.append(contentsOf: piece)
        guard var turning = mask else { return }
        bytes.withUnsafeMutableBytes { turning.advance(over: $0[start...]) }
        mask = turning
    }
}
