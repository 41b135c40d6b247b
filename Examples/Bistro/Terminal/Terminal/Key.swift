/// A key that was pressed.
enum Key: Hashable, Sendable {
    case character(Character)
    case enter
    case backspace
    case delete
    case escape
    case up
    case down
    case left
    case right
    case home
    case end
    /// With the control key: a small letter.
    case control(Character)
}

/// Reads keys from what a terminal sends. A value: it remembers what was sent in part.
struct KeyReader {
    private var pending: [UInt8] = []

    /// - Returns: The keys that are complete. A lone escape is one, since terminals send sequences as a whole.
    mutating func read(_ bytes: [UInt8]) -> [Key] {
        pending += bytes
        var keys: [Key] = []
        while let first = pending.first {
            guard let (key, length) = first == 0x1B ? sequence() : single(first) else { break }
            pending.removeFirst(length)
            if let key { keys.append(key) }
        }
        return keys
    }

    /// - Returns: The key, nil for none, and how many bytes it took; nil if more have to come.
    private func single(_ byte: UInt8) -> (Key?, Int)? {
        switch byte {
        case 0x0D, 0x0A: return (.enter, 1)
        case 0x7F, 0x08: return (.backspace, 1)
        case 0x01...0x1A: return (.control(Character(Unicode.Scalar(byte + 0x60))), 1)
        case 0..<0x20: return (nil, 1)
        case 0x20..<0x7F: return (.character(Character(Unicode.Scalar(byte))), 1)
        default: return character(byte)
        }
    }

    private func character(_ byte: UInt8) -> (Key?, Int)? {
        let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
        guard byte >= 0xC2, byte < 0xF5 else { return (nil, 1) }
        guard pending.count >= length else { return nil }
        guard let text = String(validating: pending.prefix(length), as: UTF8.self), let character = text.first else {
            return (nil, 1)
        }
        return (.character(character), length)
    }

    /// A sequence that begins with escape: [ECMA-48](https://ecma-international.org/publications-and-standards/standards/ecma-48/),
    /// 5.4, and what terminals have instead of it for the arrows.
    private func sequence() -> (Key?, Int)? {
        guard pending.count > 1 else { return (.escape, 1) }
        switch pending[1] {
        case UInt8(ascii: "O"): return pending.count > 2 ? (Self.key(pending[2]), 3) : nil
        case UInt8(ascii: "["): break
        default: return (.escape, 1)
        }
        guard let end = pending.dropFirst(2).firstIndex(where: { (0x40...0x7E).contains($0) }) else {
            // Nothing that a keyboard sends is as long.
            return pending.count > 32 ? (nil, pending.count) : nil
        }
        return (Self.key(pending[end], parameters: pending[2..<end]), end + 1)
    }

    private static func key(_ final: UInt8, parameters: ArraySlice<UInt8> = []) -> Key? {
        switch Character(Unicode.Scalar(final)) {
        case "A": .up
        case "B": .down
        case "C": .right
        case "D": .left
        case "H": .home
        case "F": .end
        case "~":
            switch Array(parameters) {
            case [UInt8(ascii: "1")], [UInt8(ascii: "7")]: .home
            case [UInt8(ascii: "3")]: .delete
            case [UInt8(ascii: "4")], [UInt8(ascii: "8")]: .end
            default: nil
            }
        default: nil
        }
    }
}
