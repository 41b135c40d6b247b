import CZlib
public import TidingsWire

/// Compresses messages (RFC 7692 §7.2.1), each by itself: none refers back to another, so the bytes of one are good for
/// every receiver.
///
/// One instance can be used for any number of messages and connections, on one thread at a time. It holds less than 64 KiB.
public final class MessageDeflater {
    /// The window as a power of two. With 4 KiB, and a table of hashes to match, what has the size of an event becomes
    /// as small as with 32 KiB, as fast, and in an eighth of the memory.
    static let windowBits: Int32 = 12
    private static let memoryLevel: Int32 = 5
    private static let roomBytes = 16 * 1024

    private let stream: ZlibStream

    /// Makes a compressor.
    public init() {
        stream = ZlibStream(roomBytes: Self.roomBytes) { stream in
            deflateInit2_(
                stream,
                Z_DEFAULT_COMPRESSION,
                Z_DEFLATED,
                // Negative: deflate without zlib's header and checksum.
                -Self.windowBits,
                Self.memoryLevel,
                Z_DEFAULT_STRATEGY,
                ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)
            )
        } end: { stream in
            deflateEnd(stream)
        }
    }

    /// Compresses a whole message.
    ///
    /// - Parameter message: What it says.
    /// - Returns: The payload of a compressed frame. It can be longer than the message, by a few bytes for each 8 KiB.
    public func deflate(_ message: [UInt8]) -> [UInt8] {
        // §7.2.3.6; zlib has nothing to flush when there was nothing.
        guard !message.isEmpty else { return [0x00] }
        deflateReset(stream.pointer)
        var deflated: [UInt8] = []
        message.withUnsafeBytes { bytes in
            stream.feed(bytes)
            repeat {
                let (_, output) = stream.step { CZlib.deflate($0, Z_SYNC_FLUSH) }
                deflated.append(contentsOf: output)
            } while stream.isFull
        }
        // A flush ends with the empty block 00 00 FF FF, which the receiver puts back.
        deflated.removeLast(4)
        return deflated
    }

    /// Writes one frame, compressed if that makes it smaller: each message may be sent either way (§6).
    ///
    /// - Parameters:
    ///   - opcode: What it carries. Control frames are never compressed.
    ///   - payload: What it says. Of a control frame: at most 125 bytes.
    ///   - mask: A key that nobody can foresee, for what a client sends; nil for what a server sends.
    /// - Returns: The whole frame.
    public func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8], mask: UInt32? = nil) -> [UInt8] {
        guard opcode == .text || opcode == .binary else { return WebSocketFrame.encode(opcode, payload, mask: mask) }
        let deflated = deflate(payload)
        guard deflated.count < payload.count else { return WebSocketFrame.encode(opcode, payload, mask: mask) }
        return WebSocketFrame.encode(opcode, deflated, isCompressed: true, mask: mask)
    }
}
