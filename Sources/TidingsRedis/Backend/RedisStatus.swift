import Synchronization
public import TidingsWire

/// How a node fares with Redis.
public struct RedisStatus: Sendable {
    /// Whether it hears what is published, and can publish.
    public internal(set) var isConnected = false
    /// How often that was begun.
    public internal(set) var connections = 0
    /// Channels that are subscribed, or to be.
    public internal(set) var channels = 0
    /// Up to where everything was heard; nil before the first connection.
    public internal(set) var position: EventPosition?
    /// Events that were heard.
    public internal(set) var received = 0
    /// What was published and is no event, or too large.
    public internal(set) var unreadable = 0
    /// Events before which something was missing, though the connection seemed well.
    public internal(set) var gaps = 0
    /// What failed last; nil while nothing fails.
    public internal(set) var failure: RedisError?
}

/// A status that one thread writes and all may read.
final class SharedStatus: Sendable {
    private let value = Mutex(RedisStatus())

    func withLock<Result: Sendable>(_ body: (inout RedisStatus) -> Result) -> Result {
        value.withLock { body(&$0) }
    }
}
