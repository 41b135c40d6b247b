public import TidingsWire

/// How a feed fares, in numbers since it was declared.
public struct FeedStatus: Hashable, Sendable {
    /// The feed.
    public let name: FeedName
    /// Clients of this node that listen now.
    public internal(set) var listeners = 0
    /// Polls that began.
    public internal(set) var polls = 0
    /// Polls that failed: the source threw, or what it found could not be told.
    public internal(set) var failures = 0
    /// Values that were told.
    public internal(set) var broadcasts = 0
    /// Values that a poll found and an event overtook meanwhile.
    public internal(set) var overtaken = 0
    /// Whether the last poll failed.
    public internal(set) var isFailing = false
}
