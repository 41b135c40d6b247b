import TestSupport

extension SeededGenerator {
    /// A message as compressors find it easy, hard, or in between.
    ///
    /// - Parameter count: How many bytes.
    mutating func message(_ count: Int) -> [UInt8] {
        switch number(in: 0...3) {
        case 0: return bytes(count)
        case 1: return Array(repeating: UInt8.random(in: 0...255, using: &self), count: count)
        case 2: return (0..<count).map { _ in UInt8.random(in: 0x61...0x64, using: &self) }
        default: return events(count)
        }
    }

    /// What a server sends: much the same again and again, here and there something new.
    private mutating func events(_ count: Int) -> [UInt8] {
        var events: [UInt8] = []
        while events.count < count {
            let (order, version) = (number(in: 1...500), number(in: 1...100_000))
            events += #"{"channel":"order:\#(order)","event":"updated","data":{"version":\#(version)}}"#.utf8
        }
        return Array(events.prefix(count))
    }

    /// How long a message is: mostly short, now and then up to 64 KiB.
    mutating func messageLength() -> Int {
        switch number(in: 0...9) {
        case 0: number(in: 0...65_536)
        case 1...3: number(in: 0...5_000)
        default: number(in: 0...300)
        }
    }
}
