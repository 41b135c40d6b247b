/// The name of a channel: 1–255 bytes of UTF-8 without control characters or white space.
///
/// `order` names every order, `order:123` one of them. A name of the form `type:id` is a *topic*.
///
/// Two names are equal when their bytes are, as they are for every other language that reads the wire: `é` as one
/// character and `e` with an accent are two names, although as a `String` they are one.
///
/// ```swift
/// let everyOrder: ChannelName = "order"
/// let oneOrder = try ChannelName("order:\(order.id)")
/// ```
public struct ChannelName: Sendable {
    /// The name as it stands on the wire.
    public let rawValue: String

    /// Checks and takes a name.
    ///
    /// - Parameter name: The name as it arrived or was configured.
    /// - Throws: ``WireError`` with the code ``WireError/Code/badChannel`` that says which rule is broken.
    public init(_ name: some StringProtocol) throws(WireError) {
        let name = String(name)
        if let fault = Self.fault(in: name) {
            throw WireError(.badChannel, fault, channel: name.utf8.count <= Self.maximumBytes ? name : nil)
        }
        rawValue = name
    }

    /// The most bytes of UTF-8 that a name has.
    public static let maximumBytes = WireLimits.channelNameBytes

    private static func fault(in name: String) -> String? {
        let count = name.utf8.count
        if count == 0 {
            return "A channel name is 1–\(maximumBytes) bytes; this one is empty."
        }
        if count > maximumBytes {
            return "A channel name is 1–\(maximumBytes) bytes; this one has \(count)."
        }
        if name.unicodeScalars.contains(where: { $0.isControlOrWhiteSpace }) {
            return "A channel name has no white space and no control characters."
        }
        return nil
    }
}

extension ChannelName: Hashable {
    /// Whether both names have the same bytes.
    public static func == (left: ChannelName, right: ChannelName) -> Bool {
        left.rawValue.utf8.elementsEqual(right.rawValue.utf8)
    }

    /// Feeds the bytes of the name, and one that no name has as its end.
    public func hash(into hasher: inout Hasher) {
        hasher.combineBytes(of: rawValue)
    }
}

extension ChannelName: ExpressibleByStringLiteral {
    /// Takes a name that is written in the source.
    ///
    /// A literal that is no channel name is a mistake of the programmer and stops the program; a name that comes from
    /// anywhere else goes through ``init(_:)``.
    public init(stringLiteral value: String) {
        do {
            try self.init(value)
        } catch {
            preconditionFailure("\"\(value)\" is not a channel name. \(error.message)")
        }
    }
}

extension ChannelName: CustomStringConvertible {
    /// The name as it stands on the wire.
    public var description: String { rawValue }
}

extension ChannelName: Comparable {
    /// Orders names by their bytes, which is the order of their Unicode scalar values.
    public static func < (left: ChannelName, right: ChannelName) -> Bool {
        left.rawValue.utf8.lexicographicallyPrecedes(right.rawValue.utf8)
    }
}

extension Unicode.Scalar {
    /// Whether the scalar is a control character (general category Cc) or white space, in any script.
    var isControlOrWhiteSpace: Bool {
        if isASCII { return value <= 0x20 || value == 0x7F }
        return properties.isWhitespace || properties.generalCategory == .control
    }
}

extension Hasher {
    /// Feeds the bytes of a text, and one that no text has as its end: `String` itself takes texts that look alike for
    /// equal, and the wire does not.
    mutating func combineBytes(of text: String) {
        var text = text
        text.withUTF8 { combine(bytes: UnsafeRawBufferPointer($0)) }
        combine(UInt8.max)
    }
}
