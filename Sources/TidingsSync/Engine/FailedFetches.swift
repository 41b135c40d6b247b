/// Fetches that failed and that may succeed later: what is on a screen is asked for again, ever more seldom.
struct FailedFetches {
    private let backoff: Backoff
    private var failures: [QueryKey: Int] = [:]

    init(backoff: Backoff) {
        self.backoff = backoff
    }

    /// A fetch has failed for good.
    ///
    /// - Parameter random: A number from 0 up to 1, so that not everybody asks at once.
    /// - Returns: How long to wait before the next one; nil to ask no more.
    mutating func failed(_ key: QueryKey, _ error: any Error, random: Double) -> Duration? {
        guard let least = Self.wait(after: error) else {
            failures[key] = nil
            return nil
        }
        let count = failures[key, default: 0]
        if let attempts = backoff.attempts, count >= attempts { return nil }
        failures[key] = count + 1
        let ceiling = backoff.ceiling(ofAttempt: count)
        return max(ceiling / 2 + ceiling / 2 * random, min(least, backoff.maximum))
    }

    /// How long to wait at least; nil if trying again cannot help. A token that has expired is followed by another.
    private static func wait(after error: any Error) -> Duration? {
        if (error as? APIError)?.status == 401 { return .zero }
        guard case .transient(let after) = RetryDisposition(of: error) else { return nil }
        return after ?? .zero
    }

    /// An entry was fetched, or is gone.
    mutating func forget(_ key: QueryKey) {
        failures[key] = nil
    }

    /// What can be asked for again at once, because the server is back.
    func keys(where isMeant: (QueryKey) -> Bool) -> [QueryKey] {
        failures.keys.filter(isMeant)
    }
}
