/// The path of a request. What is put into a literal is percent-encoded, so a value stays in its place whatever is in it.
///
/// ```swift
/// let path: APIPath = "/orders/\(order.id)/items"
/// ```
public struct APIPath: Hashable, Sendable {
    /// The path as it is sent.
    public let rawValue: String

    /// Takes a path as it is sent.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Whether it can be sent and means what it says: servers take `.` and `..` for other places (RFC 3986 §5.2.4).
    var isValid: Bool {
        rawValue.hasPrefix("/") && rawValue.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            && !rawValue.split(separator: "/").contains { [".", ".."].contains($0) }
    }
}

extension APIPath: ExpressibleByStringInterpolation {
    /// A path without values.
    public init(stringLiteral value: String) { rawValue = value }

    /// A path with values.
    public init(stringInterpolation: StringInterpolation) { rawValue = stringInterpolation.text }

    /// Puts a path together.
    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        /// Begins one.
        public init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + 36 * interpolationCount)
        }

        /// Takes a part as it is.
        public mutating func appendLiteral(_ literal: String) { text += literal }

        /// Takes a value.
        public mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            text += value.description.percentEncoded
        }
    }
}

extension String {
    /// With everything encoded that is not unreserved ([RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#section-2.3)).
    var percentEncoded: String {
        var encoded = ""
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                encoded += byte < 16 ? "%0" : "%"
                encoded += String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }
}
