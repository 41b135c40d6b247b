/// When a feed asks for its value. A value: whoever holds it says what time it is, what chance says, and what happened.
///
/// One poll ends before the next one is due, so polls never overlap, however slow they are.
struct FeedSchedule {
    /// How long things take.
    struct Times: Hashable, Sendable {
        /// From one poll's end to the next one's beginning.
        var interval: Duration
        /// From a failure to the next try; doubled with each further one.
        var retry: Duration
        /// From a failure to the next try at the most.
        var longestRetry: Duration
        /// By how much of itself a time is shortened or prolonged at the most: 0.1 is a tenth.
        var jitter: Double
    }

    enum Step: Equatable {
        case poll
        /// Look again after this time.
        case wait(Duration)
        /// Look again when somebody listens.
        case waitForListeners
    }

    private let times: Times
    private let onlyWithListeners: Bool
    /// When the next poll may begin; nil: at once.
    private var due: Duration?
    private var failures = 0

    init(times: Times, onlyWithListeners: Bool) {
        self.times = times
        self.onlyWithListeners = onlyWithListeners
    }

    func next(at now: Duration, hasListeners: Bool) -> Step {
        guard hasListeners || !onlyWithListeners else { return .waitForListeners }
        guard let due, due > now else { return .poll }
        return .wait(due - now)
    }

    /// A poll ended well.
    ///
    /// - Parameter chance: Any number from 0 to 1.
    mutating func succeeded(at now: Duration, chance: Double) {
        failures = 0
        due = now + jittered(times.interval, chance)
    }

    /// A poll failed.
    ///
    /// - Parameter chance: Any number from 0 to 1.
    /// - Returns: How long the feed waits.
    mutating func failed(at now: Duration, chance: Double) -> Duration {
        let doubled = times.retry * (1 << min(failures, 20))
        failures += 1
        let delay = jittered(min(doubled, max(times.longestRetry, times.retry)), chance)
        due = now + delay
        return delay
    }

    private func jittered(_ time: Duration, _ chance: Double) -> Duration {
        guard times.jitter > 0 else { return time }
        return time * (1 + min(times.jitter, 1) * (2 * chance - 1))
    }
}
