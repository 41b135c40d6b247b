import TidingsWire

/// A frame written by hand, with everything that `WebSocketFrame` never writes: fragments and reserved opcodes.
struct RawFrame {
    var opcode: UInt8
    var payload: [UInt8] = []
    var isFinal = true
    var isCompressed = false
    var mask: [UInt8]?

    var bytes: [UInt8] {
        var bytes = [(isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode]
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        switch payload.count {
        case 0...125: bytes.append(maskBit | UInt8(payload.count))
        case 126...65535: bytes += [maskBit | 126] + Self.bigEndian(payload.count, bytes: 2)
        default: bytes += [maskBit | 127] + Self.bigEndian(payload.count, bytes: 8)
        }
        guard let mask else { return bytes + payload }
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
    }

    private static func bigEndian(_ value: Int, bytes: Int) -> [UInt8] {
        (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
}
