/// What a client calls a request, so that it knows its reply: a string or an integer, at most 64 bytes as text.
///
/// It comes back as it was sent: an integer as an integer, however large, a string as a string. `1` and `"1"` are two
/// identifiers.
public struct RequestIdentifier: Hashable, Sendable {
    private let exact: ExactText
    private let isInteger: Bool

    /// The most bytes of UTF-8 that an identifier has, an integer in decimal.
    public static let maximumBytes = WireLimits.requestIdentifierBytes

    private init(exact: ExactText, isInteger: Bool) {
        self.exact = exact
        self.isInteger = isInteger
    }

    /// Takes an integer.
    ///
    /// - Parameter number: Any number. One that JavaScript is to count with stays below 2^53.
    public init(_ number: Int) {
        self.init(exact: ExactText(String(number)), isInteger: true)
    }

    /// Takes a string; nil if it has more than ``maximumBytes``.
    ///
    /// - Parameter string: Any text.
    public init?(_ string: String) {
        guard string.utf8.count <= Self.maximumBytes else { return nil }
        self.init(exact: ExactText(string), isInteger: false)
    }

    /// The integer; nil if it is a string, or needs more than 64 bits.
    public var integer: Int? { isInteger ? Int(exact.text) : nil }

    /// The string; nil if it is an integer.
    public var string: String? { isInteger ? nil : exact.text }
}

extension RequestIdentifier {
    /// Reads the identifier of a message; nil if it is of another kind, no integer, or over-long.
    init?(_ member: JSONScanner.Member, of object: JSONObject) {
        if let string = object.string(of: member) {
            self.init(string)
        } else if let numeral = object.numeral(of: member), numeral.utf8.count <= Self.maximumBytes,
            numeral.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") })
        {
            self.init(exact: ExactText(numeral), isInteger: true)
        } else {
            return nil
        }
    }

    /// The identifier as it stands on the wire.
    var json: [UInt8] {
        if isInteger { return Array(exact.text.utf8) }
        var json: [UInt8] = []
        JSONWriter.append(exact.text, to: &json)
        return json
    }
}

extension RequestIdentifier: ExpressibleByIntegerLiteral {
    /// Takes an integer that is written in the source.
    public init(integerLiteral value: Int) {
        self.init(value)
    }
}

extension RequestIdentifier: ExpressibleByStringLiteral {
    /// Takes a string that is written in the source; a literal of more than ``maximumBytes`` stops the program.
    public init(stringLiteral value: String) {
        precondition(value.utf8.count <= Self.maximumBytes, "An identifier has at most \(Self.maximumBytes) bytes.")
        self.init(exact: ExactText(value), isInteger: false)
    }
}

extension RequestIdentifier: CustomStringConvertible {
    /// The identifier as text.
    public var description: String { exact.text }
}
