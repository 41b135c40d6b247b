/// Cuts what is read into lines.
struct LineSplitter {
    private var pending: [UInt8] = []
    private let longest = 4_096

    mutating func append(_ bytes: [UInt8]) { pending += bytes }

    /// The next line; nil if it is not complete. One that is too long is cut.
    mutating func next() -> String? {
        if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
            defer { pending.removeFirst(end + 1) }
            return Self.text(pending[..<end])
        }
        return pending.count < longest ? nil : rest()
    }

    /// What comes after the last end of a line; nil for nothing.
    mutating func rest() -> String? {
        defer { pending = [] }
        return pending.isEmpty ? nil : Self.text(pending[...])
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes, as: UTF8.self)
    }
}
