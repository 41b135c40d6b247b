/// Where an event stands in its channel's log: `"<epoch>:<offset>"` on the wire.
///
/// Offsets of one epoch grow with every event of the log and have gaps on a single channel, because a log serves many
/// channels. A new epoch means that the log was lost or replaced: positions of two epochs say nothing about each other.
public struct EventPosition: Hashable, Sendable {
    /// The life of the log: 1–64 letters, digits, `-` and `_`.
    public let epoch: String
    /// Counts the log's events. The empty log's head is 0.
    public let offset: UInt64

    /// Makes a position.
    ///
    /// - Parameters:
    ///   - epoch: The life of the log.
    ///   - offset: The place in it.
    public init(epoch: String, offset: UInt64) {
        self.epoch = epoch
        self.offset = offset
    }

    /// Reads a position from the wire; nil if it is none.
    ///
    /// - Parameter text: `"<epoch>:<offset>"`.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count <= 96, let colon = text.lastIndex(of: ":") else { return nil }
        let epoch = text[..<colon]
        let digits = text[text.index(after: colon)...]
        guard (1...64).contains(epoch.utf8.count), epoch.utf8.allSatisfy(Self.isEpochByte),
            let offset = UInt64(digits), String(offset) == digits
        else { return nil }
        self.init(epoch: String(epoch), offset: offset)
    }

    private static func isEpochByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default:
            false
        }
    }
}

extension EventPosition: CustomStringConvertible {
    /// The position as it stands on the wire.
    public var description: String { "\(epoch):\(offset)" }
}
