/// A text of a vector. In the file it is a string, `{"repeat": "a", "count": 255}` for a long one, or an array of such
/// parts, which are joined.
public struct GeneratedText: Hashable, Sendable {
    /// The whole text.
    public let text: String

    /// The bytes that the text writes in hexadecimal; spaces between them are ignored.
    ///
    /// - Throws: ``HexError`` if it is something else.
    public func bytes() throws -> [UInt8] {
        try [UInt8](hex: text)
    }
}

extension GeneratedText: Decodable {
    /// Reads any of the three forms.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let string = try? container.decode(String.self) {
            text = string
        } else if let repetition = try? container.decode(Repetition.self) {
            text = String(repeating: repetition.repeat, count: repetition.count)
        } else {
            text = try container.decode([GeneratedText].self).map(\.text).joined()
        }
    }

    private struct Repetition: Decodable {
        let `repeat`: String
        let count: Int
    }
}

extension [UInt8] {
    /// Reads bytes that are written in hexadecimal.
    ///
    /// - Parameter hex: Two digits a byte; spaces between them are ignored.
    /// - Throws: ``HexError`` at anything else.
    public init(hex: String) throws {
        let digits = try hex.utf8.filter { $0 != UInt8(ascii: " ") }.map { byte in
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw HexError() }
            return UInt8(digit)
        }
        guard digits.count.isMultiple(of: 2) else { throw HexError() }
        self = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

/// A text is no whole number of bytes in hexadecimal.
public struct HexError: Error {}
