public import TidingsWire

/// What a hub has done since it was made, and how it stands: for metrics.
public struct HubStatistics: Hashable, Sendable {
    /// Sessions that are open now, event streams among them.
    public package(set) var connections = 0
    /// Subscriptions that there are now: channels of all sessions.
    public package(set) var subscriptions = 0
    /// Events that were published, each counted once for each channel that it was told on.
    public package(set) var published = 0
    /// Events that were handed to sockets.
    public package(set) var delivered = 0
    /// Waiting events whose place a newer one took: of the same entity, or of the same snapshot channel.
    public package(set) var superseded = 0
    /// Events that were given up because too much waited: their channels were told to be stale.
    public package(set) var collapsed = 0
    /// Connections that ended, by the code of the close frame that was sent. 1005 stands for the end of an event stream by
    /// its client, 1006 for connections that ended without a close frame.
    public package(set) var closed: [CloseCode: Int] = [:]
    /// Bytes that wait for slow readers now.
    public package(set) var pendingBytes = 0
    /// The time from the oldest event's publication to the end of the turn in which an event loop handed out what there
    /// was, for each turn.
    public package(set) var broadcastDuration = DurationHistogram()

    package init() {}
}

/// How often something took how long.
public struct DurationHistogram: Hashable, Sendable {
    /// The upper bounds of the ranges that are counted, in ascending order; beyond the last one there is one range more.
    public static let bounds: [Duration] = [
        .microseconds(100), .microseconds(250), .microseconds(500), .milliseconds(1), .microseconds(2500),
        .milliseconds(5), .milliseconds(10), .milliseconds(25), .milliseconds(50), .milliseconds(100),
        .milliseconds(250), .milliseconds(500), .seconds(1), .milliseconds(2500), .seconds(5),
    ]

    /// How often it was within each range, and not in the ones before.
    public private(set) var counts = [Int](repeating: 0, count: bounds.count + 1)
    /// All times together.
    public private(set) var sum = Duration.zero

    /// Starts with nothing.
    public init() {}

    /// How often it was at all.
    public var count: Int { counts.reduce(0, +) }

    /// Adds one.
    public mutating func record(_ duration: Duration) {
        counts[Self.bounds.firstIndex { duration <= $0 } ?? Self.bounds.count] += 1
        sum += duration
    }

    mutating func add(_ other: DurationHistogram) {
        for place in counts.indices { counts[place] += other.counts[place] }
        sum += other.sum
    }
}
