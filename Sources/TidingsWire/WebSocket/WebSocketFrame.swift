/// Writes frames (RFC 6455 §5.2), each with its final bit set: Tidings never sends a message in pieces.
///
/// A server's frames are not masked, so one frame's bytes are the same for every subscriber and are made once.
public enum WebSocketFrame {
    /// Writes one frame.
    ///
    /// - Parameters:
    ///   - opcode: What it carries.
    ///   - payload: What it says. Of a control frame: at most 125 bytes.
    ///   - isCompressed: Whether the payload was compressed (RFC 7692 §6.1). A control frame's never is.
    ///   - mask: A key that nobody can foresee, for what a client sends (§5.3); nil for what a server sends.
    /// - Returns: The whole frame.
    public static func encode(
        _ opcode: WebSocketOpcode,
        _ payload: [UInt8],
        isCompressed: Bool = false,
        mask: UInt32? = nil
    ) -> [UInt8] {
        precondition(!opcode.isControl || payload.count <= 125, "A control frame carries at most 125 bytes.")
        precondition(!opcode.isControl || !isCompressed, "A control frame is not compressed.")
        var frame: [UInt8] = []
        frame.reserveCapacity(payload.count + 14)
        frame.append((isCompressed ? 0xC0 : 0x80) | opcode.rawValue)
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        switch payload.count {
        case ...125:
            frame.append(maskBit | UInt8(payload.count))
        case ...0xFFFF:
            frame.append(maskBit | 126)
            append(UInt64(payload.count), bytes: 2, to: &frame)
        default:
            frame.append(maskBit | 127)
            append(UInt64(payload.count), bytes: 8, to: &frame)
        }
        if let mask { append(UInt64(mask), bytes: 4, to: &frame) }
        let start = frame.count
        frame.append(contentsOf: payload)
        if let mask {
            frame.withUnsafeMutableBytes { WebSocketMask(key: mask).apply(to: $0[start...]) }
        }
        return frame
    }

    /// Writes a close frame.
    ///
    /// - Parameters:
    ///   - code: Why. A code that may not be sent (such as 1005) gives a frame without a code.
    ///   - reason: A few words for people; cut to what fits into a control frame.
    ///   - mask: As for ``encode(_:_:isCompressed:mask:)``.
    public static func close(_ code: CloseCode, reason: String = "", mask: UInt32? = nil) -> [UInt8] {
        guard code.mayBeSent else { return encode(.close, [], mask: mask) }
        var payload: [UInt8] = []
        append(UInt64(code.rawValue), bytes: 2, to: &payload)
        for character in reason {
            guard payload.count + character.utf8.count <= 125 else { break }
            payload.append(contentsOf: character.utf8)
        }
        return encode(.close, payload, mask: mask)
    }

    private static func append(_ value: UInt64, bytes: Int, to frame: inout [UInt8]) {
        for position in (0..<bytes).reversed() {
            frame.append(UInt8(truncatingIfNeeded: value >> (UInt64(position) * 8)))
        }
    }
}

/// The mask of a client's frame (RFC 6455 §5.3): its four bytes over and over, laid on the payload.
struct WebSocketMask: Equatable {
    /// The key for the next byte on, most significant byte first. It turns as payload arrives in pieces.
    private(set) var key: UInt32

    /// Lays the mask on the next piece of the payload and turns the key past it.
    mutating func advance(over bytes: Slice<UnsafeMutableRawBufferPointer>) {
        apply(to: bytes)
        let bits = UInt32(bytes.count & 3) * 8
        if bits > 0 { key = key << bits | key >> (32 - bits) }
    }

    /// Lays the mask on bytes that begin where the key stands.
    func apply(to bytes: Slice<UnsafeMutableRawBufferPointer>) {
        let target = UnsafeMutableRawBufferPointer(rebasing: bytes)
        let wide = (UInt64(key) << 32 | UInt64(key)).bigEndian
        var index = 0
        while index + 8 <= target.count {
            let value = target.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            target.storeBytes(of: value ^ wide, toByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < target.count {
            target[index] ^= UInt8(truncatingIfNeeded: key >> (24 - UInt32(index & 3) * 8))
            index += 1
        }
    }
}
