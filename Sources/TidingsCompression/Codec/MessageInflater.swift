import CZlib
public import TidingsWire

/// Inflates compressed messages (RFC 7692 §7.2.2), up to a limit.
///
/// Where messages do not refer back to each other, one instance can be used for any number of connections, on one
/// thread at a time, also after it found a violation. Where they do (`keepsContext`), each connection has its own, which
/// is of no use after a violation.
///
/// Memory: less than 64 KiB, and the message in progress. A message that would become larger than the limit is given up before it
/// is: what the limit is compared with is a piece of 16 KiB that is used again and again.
public final class MessageInflater {
    private static let roomBytes = 16 * 1024
    /// What the sender took off the end of the message (§7.2.1).
    private static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]

    private let maximumMessageBytes: Int
    private let keepsContext: Bool
    private let stream: ZlibStream

    /// Makes an inflater.
    ///
    /// - Parameters:
    ///   - maximumMessageBytes: The most bytes of a message after it was inflated.
    ///   - keepsContext: Whether messages may refer back to those before: see ``PerMessageDeflate/serverKeepsContext``.
    public convenience init(maximumMessageBytes: Int, keepsContext: Bool = false) {
        // The largest window: it reads what was made with any.
        self.init(maximumMessageBytes, keepsContext: keepsContext, windowBits: 15, roomBytes: Self.roomBytes)
    }

    init(_ maximumMessageBytes: Int, keepsContext: Bool, windowBits: Int32, roomBytes: Int) {
        self.maximumMessageBytes = maximumMessageBytes
        self.keepsContext = keepsContext
        stream = ZlibStream(roomBytes: roomBytes) { stream in
            // Negative: deflate without zlib's header and checksum.
            inflateInit2_(stream, -windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        } end: { stream in
            inflateEnd(stream)
        }
    }

    /// Inflates a whole message.
    ///
    /// - Parameter message: The payload of its frames, together.
    /// - Returns: What it says.
    /// - Throws: ``TidingsWire/WebSocketViolation``: 1009 if it is larger than the limit, 1007 if it is no compressed
    ///   message, or not all of one.
    public func inflate(_ message: [UInt8]) throws(WebSocketViolation) -> [UInt8] {
        try inflate(pieces: CollectionOfOne(message))
    }

    /// Inflates a whole message that lies in pieces, such as the payloads of its frames.
    ///
    /// - Parameter pieces: The pieces in order.
    /// - Returns: What it says.
    /// - Throws: As ``inflate(_:)`` does.
    public func inflate(pieces: some Sequence<[UInt8]>) throws(WebSocketViolation) -> [UInt8] {
        if !keepsContext { inflateReset(stream.pointer) }
        var inflated: [UInt8] = []
        for piece in pieces { try inflate(piece, into: &inflated) }
        try inflate(Self.tail, into: &inflated)
        guard isBetweenBlocks else { throw .init(.invalidText, "a compressed message is not complete") }
        return inflated
    }

    /// Gives a message that a reader received as it was before it was compressed. Others come back as they are.
    ///
    /// - Parameter message: Any message.
    /// - Throws: As ``inflate(_:)`` does, and 1007 for a text that is not UTF-8.
    public func restore(_ message: WebSocketMessage) throws(WebSocketViolation) -> WebSocketMessage {
        guard case .compressed(let bytes, let isText) = message else { return message }
        return try .data(inflate(bytes), isText: isText)
    }
}

// MARK: - Steps

extension MessageInflater {
    private func inflate(_ piece: [UInt8], into inflated: inout [UInt8]) throws(WebSocketViolation) {
        let violation = piece.withUnsafeBytes { bytes -> WebSocketViolation? in
            stream.feed(bytes)
            do throws(WebSocketViolation) {
                while try step(into: &inflated) {}
                return nil
            } catch {
                return error
            }
        }
        if let violation { throw violation }
    }

    /// Whether there is more to read in the piece. What zlib holds back when the room is full comes out with the next
    /// piece, at the latest with the tail, of which nothing is read before all else has come out.
    private func step(into inflated: inout [UInt8]) throws(WebSocketViolation) -> Bool {
        let (result, output) = stream.step { CZlib.inflate($0, Z_SYNC_FLUSH) }
        switch result {
        case Z_OK:
            try append(output, to: &inflated)
            return stream.hasInput
        case Z_STREAM_END:
            try append(output, to: &inflated)
            // A sender may flush with a block that calls itself the last (§7.2.3.4). More follows, and the window stays.
            inflateResetKeep(stream.pointer)
            stream.pointer.pointee.data_type = Self.betweenBlocks
            return stream.hasInput
        case Z_BUF_ERROR:
            // Nothing was left to do.
            return false
        default:
            throw .init(.invalidText, "a compressed message is broken")
        }
    }

    private func append(
        _ output: UnsafeMutableBufferPointer<UInt8>.SubSequence,
        to inflated: inout [UInt8]
    ) throws(WebSocketViolation) {
        let count = inflated.count + output.count
        guard count <= maximumMessageBytes else {
            throw .init(.messageTooBig, "a message has at most \(maximumMessageBytes) bytes")
        }
        if count > inflated.capacity {
            // Doubled, but never past the limit, as the array by itself would.
            inflated.reserveCapacity(min(max(count, 2 * inflated.capacity), maximumMessageBytes))
        }
        inflated.append(contentsOf: output)
    }

    /// What zlib says behind the end of a block, in `data_type`: bit 7, and that it holds no bits of the next one.
    private static let betweenBlocks: Int32 = 0x80

    private var isBetweenBlocks: Bool {
        stream.pointer.pointee.data_type & 0xFF == Self.betweenBlocks
    }
}
