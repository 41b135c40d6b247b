/// What is known about the data of a query.
public enum QueryStatus: Hashable, Sendable {
    /// There is none yet.
    case pending
    /// There is some.
    case success
    /// The last fetch failed. There may be older data all the same.
    case error
}

/// What the network does about a query.
public enum FetchStatus: Hashable, Sendable {
    /// Nothing.
    case idle
    /// A fetch runs, or waits for its next attempt.
    case fetching
    /// A fetch waits for the device to be online, or for the application to come to the front.
    case paused
}

/// A moment in the order of what a client asked its servers for. It says which came first, a fetch or an event, without
/// a clock.
public struct QueryEpoch: Hashable, Comparable, Sendable {
    /// Before every fetch.
    public static let beginning = QueryEpoch(0)

    let rawValue: UInt64

    init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Whether a moment came before another.
    public static func < (left: QueryEpoch, right: QueryEpoch) -> Bool { left.rawValue < right.rawValue }
}
