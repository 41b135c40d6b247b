/// The header of one frame (RFC 6455 §5.2) as its bytes arrive: at most 14, held in place.
struct WebSocketHeaderBuffer: Sendable {
    private var first: UInt64 = 0
    private var second: UInt64 = 0
    private(set) var count = 0

    mutating func append(_ byte: UInt8) {
        if count < 8 {
            first |= UInt64(byte) << UInt64(56 - count * 8)
        } else {
            second |= UInt64(byte) << UInt64(56 - (count - 8) * 8)
        }
        count += 1
    }

    mutating func removeAll() {
        self = WebSocketHeaderBuffer()
    }

    /// How many bytes the header has, as far as that is known: two until both have arrived.
    var length: Int {
        count < 2 ? 2 : 2 + lengthBytes + (isMasked ? 4 : 0)
    }

    var isFinal: Bool { self[0] & 0x80 != 0 }
    var reservedBits: UInt8 { self[0] & 0x70 }
    var opcode: WebSocketOpcode? { WebSocketOpcode(rawValue: self[0] & 0x0F) }
    var isMasked: Bool { self[1] & 0x80 != 0 }
    /// The length, or 126 or 127 when it follows in two or eight bytes.
    var shortLength: UInt8 { self[1] & 0x7F }

    var payloadLength: UInt64 {
        lengthBytes == 0 ? UInt64(shortLength) : integer(at: 2, bytes: lengthBytes)
    }

    /// Whether the length is written in as few bytes as it can be, as §5.2 demands.
    var isMinimal: Bool {
        switch shortLength {
        case 126: payloadLength > 125
        case 127: payloadLength > 0xFFFF
        default: true
        }
    }

    var maskingKey: UInt32 {
        UInt32(truncatingIfNeeded: integer(at: 2 + lengthBytes, bytes: 4))
    }

    private var lengthBytes: Int {
        switch shortLength {
        case 126: 2
        case 127: 8
        default: 0
        }
    }

    private func integer(at position: Int, bytes: Int) -> UInt64 {
        (position..<(position + bytes)).reduce(0) { $0 << 8 | UInt64(self[$1]) }
    }

    private subscript(position: Int) -> UInt8 {
        position < 8
            ? UInt8(truncatingIfNeeded: first >> UInt64(56 - position * 8))
            : UInt8(truncatingIfNeeded: second >> UInt64(56 - (position - 8) * 8))
    }
}
