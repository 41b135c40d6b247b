/// Randomness that a seed repeats: a test that fails says its seed, and with it fails again.
///
/// SplitMix64: every seed is as good as any other, also 0, 1, 2.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Begins the sequence of a seed.
    ///
    /// - Parameter seed: Any number.
    public init(seed: UInt64) {
        state = seed
    }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension SeededGenerator {
    /// A number of a range.
    ///
    /// - Parameter range: What it is taken from, evenly.
    public mutating func number(in range: ClosedRange<Int>) -> Int {
        .random(in: range, using: &self)
    }

    /// Whether something happens that happens once in so many times.
    ///
    /// - Parameter times: How rare it is; 1 is always.
    public mutating func once(in times: Int) -> Bool {
        number(in: 1...times) == 1
    }

    /// Bytes of any value.
    ///
    /// - Parameter count: How many.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }

    /// A text of characters that take one to four bytes of UTF-8, control characters among them.
    ///
    /// - Parameter count: How many Unicode scalars.
    public mutating func text(_ count: Int) -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<count { text.append(scalar()) }
        return String(text)
    }

    private mutating func scalar() -> Unicode.Scalar {
        let ranges: [ClosedRange<UInt32>] = [
            0...0x7F, 0x80...0x7FF, 0x800...0xD7FF, 0xE000...0xFFFF, 0x10000...0x10FFFF,
        ]
        let range = ranges[number(in: 0...(ranges.count - 1))]
        return Unicode.Scalar(UInt32.random(in: range, using: &self)) ?? "?"
    }

    /// Cuts bytes into pieces.
    ///
    /// - Parameters:
    ///   - bytes: What is cut.
    ///   - sizes: How many bytes a piece has; the last one has what is left.
    public mutating func cut(_ bytes: [UInt8], sizes: ClosedRange<Int>) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(number(in: sizes))
            pieces.append(piece)
            rest = rest.dropFirst(piece.count)
        }
        return pieces
    }
}
