public import TidingsWire

/// A name for many channels: a channel's name in which each `*` stands for any characters, or none.
///
/// `order` names one channel, `order:*` those of single orders, `*` all. There is no way to write a star that is just a
/// star.
public struct ChannelPattern: Hashable, Sendable {
    /// The pattern as it was written.
    public let rawValue: String

    /// Checks and takes a pattern.
    ///
    /// - Parameter pattern: The pattern as it was configured or stands in a token.
    /// - Throws: ``TidingsWire/WireError`` with the code ``TidingsWire/WireError/Code/badChannel`` that says which rule of
    ///   ``TidingsWire/ChannelName`` is broken: a pattern keeps the same ones.
    public init(_ pattern: String) throws(WireError) {
        rawValue = try ChannelName(pattern).rawValue
    }

    /// Whether it names a channel. Takes time in proportion to the product of both lengths at the most.
    ///
    /// - Parameter channel: Any channel.
    public func matches(_ channel: ChannelName) -> Bool {
        let (pattern, name) = (Array(rawValue.utf8), Array(channel.rawValue.utf8))
        var (inPattern, inName) = (0, 0)
        // Where to go on if what follows the last star turns out not to match: the star takes one byte more.
        var retry: (pattern: Int, name: Int)?
        while inName < name.count {
            if inPattern < pattern.count, pattern[inPattern] == UInt8(ascii: "*") {
                inPattern += 1
                retry = (inPattern, inName)
            } else if inPattern < pattern.count, pattern[inPattern] == name[inName] {
                inPattern += 1
                inName += 1
            } else if let last = retry {
                (inPattern, inName) = (last.pattern, last.name + 1)
                retry = (last.pattern, last.name + 1)
            } else {
                return false
            }
        }
        return pattern[inPattern...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

extension ChannelPattern: ExpressibleByStringLiteral {
    /// Takes a pattern that is written in the source; one that breaks a rule stops the program, as it is a mistake of the
    /// programmer.
    public init(stringLiteral value: String) {
        rawValue = ChannelName(stringLiteral: value).rawValue
    }
}

extension ChannelPattern: CustomStringConvertible {
    /// The pattern as it was written.
    public var description: String { rawValue }
}
