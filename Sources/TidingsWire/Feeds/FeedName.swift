/// The name of a feed, such as `system_status`: what a channel name may be after `feed:`.
///
/// A feed is a value of which only the newest counts. It is told on the channel `feed:<name>` as the event `update` with
/// the payload `{"data": …}`, and on `GET /ws/feeds` as a frame of the type `<name>_update`.
public struct FeedName: Hashable, Sendable {
    private static let prefix = "feed:"

    /// The name as it was declared.
    public let rawValue: String
    /// Where the feed is told.
    public let channel: ChannelName

    /// Checks and takes a name.
    ///
    /// - Parameter name: The name as it arrived or was configured.
    /// - Throws: ``WireError`` with the code ``WireError/Code/badChannel`` that says which rule is broken.
    public init(_ name: some StringProtocol) throws(WireError) {
        guard !name.isEmpty else { throw WireError(.badChannel, "The name of a feed is empty.") }
        channel = try ChannelName(Self.prefix + String(name))
        rawValue = String(name)
    }

    /// The feed that a channel tells; nil if it tells none.
    ///
    /// - Parameter channel: Any channel.
    public init?(channel: ChannelName) {
        guard channel.rawValue.utf8.starts(with: Self.prefix.utf8) else { return nil }
        let name = channel.rawValue.utf8.dropFirst(Self.prefix.utf8.count)
        guard !name.isEmpty else { return nil }
        self.channel = channel
        rawValue = String(Substring(name))
    }

    /// The name of every event that tells a feed's newest value.
    public static let eventName: EventName = "update"

    /// Whether both names have the same bytes.
    public static func == (left: FeedName, right: FeedName) -> Bool { left.channel == right.channel }

    /// Feeds the bytes of the name.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(channel)
    }
}

extension FeedName: ExpressibleByStringLiteral {
    /// Takes a name that is written in the source; a literal that is no name of a feed stops the program.
    public init(stringLiteral value: String) {
        do {
            try self.init(value)
        } catch {
            preconditionFailure("\"\(value)\" is not the name of a feed. \(error.message)")
        }
    }
}

extension FeedName: CustomStringConvertible {
    /// The name as it was declared.
    public var description: String { rawValue }
}
