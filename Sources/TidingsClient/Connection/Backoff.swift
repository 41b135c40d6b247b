/// How long a client waits before it connects again: a random part of a time that doubles with each attempt (full
/// jitter), so that thousands of clients that lost one server do not come back in one moment.
public struct Backoff: Hashable, Sendable {
    /// The longest wait before the first attempt.
    public var base: Duration
    /// The longest wait before any attempt.
    public var maximum: Duration
    /// How many attempts are made in a row before the client gives up; nil: it never does.
    public var attempts: Int?

    /// Sets the times.
    ///
    /// - Parameters:
    ///   - base: The longest wait before the first attempt.
    ///   - maximum: The longest wait before any attempt.
    ///   - attempts: How many attempts are made in a row; nil: without end.
    public init(base: Duration = .milliseconds(500), maximum: Duration = .seconds(20), attempts: Int? = nil) {
        self.base = base
        self.maximum = maximum
        self.attempts = attempts
    }

    /// The longest wait before an attempt.
    ///
    /// - Parameter attempt: Counts from 0.
    public func ceiling(ofAttempt attempt: Int) -> Duration {
        // Past 2^30 times the base, whatever that is, the maximum counts.
        min(maximum, base * (1 << min(attempt, 30)))
    }

    /// The wait before an attempt: between nothing and the ceiling, each as likely as the other.
    ///
    /// - Parameters:
    ///   - attempt: Counts from 0.
    ///   - generator: Where the randomness comes from.
    func delay(beforeAttempt attempt: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        ceiling(ofAttempt: attempt) * Double.random(in: 0...1, using: &generator)
    }
}
