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
        guard case .transient = RetryDisposition(of: error) else {
            failures[key] = nil
            return nil
        }
        let count = failures[key, default: 0]
        if let attempts = backoff.attempts, count >= attempts { return nil }
        failures[key] = count + 1
        let ceiling = backoff.ceiling(ofAttempt: count)
        return ceiling / 2 + ceiling / 2 * random
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
