/// How often a failed attempt is repeated, and after which waits.
public struct RetryPolicy: Sendable {
    /// How many attempts follow the first one; nil is without end.
    public var retries: Int?
    /// How long to wait before a retry, given how many came before it.
    public var delay: RetryDelay
    /// Whether trying again can help after an error. Called outside of any lock, on the task of the fetch.
    public var classify: @Sendable (any Error) -> RetryDisposition

    /// Makes a policy.
    ///
    /// - Parameters:
    ///   - retries: How many attempts follow the first one; nil is without end.
    ///   - delay: How long to wait before each of them.
    ///   - classify: Whether trying again can help after an error.
    public init(
        retries: Int?,
        delay: RetryDelay = .exponential(),
        classify: @escaping @Sendable (any Error) -> RetryDisposition = { RetryDisposition(of: $0) }
    ) {
        self.retries = retries
        self.delay = delay
        self.classify = classify
    }

    /// The first error is final.
    public static let never = RetryPolicy(retries: 0)

    /// As long as the errors are transient.
    public static let forever = RetryPolicy(retries: nil)

    /// So many attempts after the first one.
    public static func times(_ retries: Int, delay: RetryDelay = .exponential()) -> RetryPolicy {
        RetryPolicy(retries: retries, delay: delay)
    }

    /// What follows from an error.
    ///
    /// - Parameters:
    ///   - failures: How many attempts had failed before this one.
    ///   - random: A number from 0 up to 1, for the jitter.
    /// - Returns: How long to wait before the next attempt; nil if there is none.
    func wait(after error: any Error, failures: Int, random: Double) -> Duration? {
        if let retries, failures >= retries { return nil }
        switch classify(error) {
        case .permanent: return nil
        case .transient(let after): return after ?? delay.duration(before: failures, random: random)
        }
    }
}

/// How long to wait before a retry.
public enum RetryDelay: Hashable, Sendable {
    /// Always the same time.
    case fixed(Duration)
    /// The first time for the first retry, twice as long for each further one, at most the longest. Of each wait, a part
    /// up to the given one is left to chance.
    case exponential(first: Duration = .seconds(1), longest: Duration = .seconds(30), jitter: Double = 0)

    /// - Parameter retry: Which one it is, from 0.
    func duration(before retry: Int, random: Double) -> Duration {
        switch self {
        case .fixed(let duration): return max(duration, .zero)
        case .exponential(let first, let longest, let jitter):
            // Doubling anything above a nanosecond more often is longer than any maximum.
            let whole = min(first * (1 << min(max(retry, 0), 30)), longest)
            return max(whole * (1 - min(max(jitter, 0), 1) * random), .zero)
        }
    }
}
