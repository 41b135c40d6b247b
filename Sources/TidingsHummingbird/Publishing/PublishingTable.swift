import Synchronization
import TidingsWire

/// What became of requests to publish that have an `Idempotency-Key`, so that they can come again. In memory: of this node,
/// and of this life of it.
final class PublishingTable: Sendable {
    /// Whose key it is, and which.
    struct Key: Hashable, Sendable {
        let subject: String
        let key: String
    }

    /// What is to be done for a request.
    enum Step: Equatable {
        /// Publish the events behind those that have these positions already.
        case publish(after: [EventPosition])
        /// Answer as before.
        case answer([EventPosition])
        /// The same request is being answered.
        case isRunning
        /// The key came with another body.
        case isReused
    }

    private struct Entry {
        let fingerprint: String
        let time: Duration
        var positions: [EventPosition] = []
        var isRunning = true
        var isDone = false
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        /// The oldest first.
        var order: [(key: Key, time: Duration)] = []
        var first = 0

        mutating func forget(before time: Duration) {
            while first < order.count, order[first].time < time { forgetFirst() }
        }

        mutating func forget(downTo count: Int) {
            while entries.count > max(count, 1) { forgetFirst() }
        }

        private mutating func forgetFirst() {
            let oldest = order[first]
            if entries[oldest.key]?.time == oldest.time { entries[oldest.key] = nil }
            first += 1
            guard first > 64, first * 2 > order.count else { return }
            order.removeFirst(first)
            first = 0
        }
    }

    private let state = Mutex(State())
    private let limits: PublishingLimits
    private let now: @Sendable () -> Duration

    init(limits: PublishingLimits, clock: some Clock<Duration> = ContinuousClock()) {
        self.limits = limits
        let start = clock.now
        now = { start.duration(to: clock.now) }
    }

    /// How many keys are remembered.
    var count: Int { state.withLock { $0.entries.count } }

    func begin(_ key: Key, fingerprint: String) -> Step {
        let time = now()
        return state.withLock { state in
            state.forget(before: time - limits.answerRetention)
            guard var entry = state.entries[key] else {
                state.entries[key] = Entry(fingerprint: fingerprint, time: time)
                state.order.append((key, time))
                state.forget(downTo: limits.answers)
                return .publish(after: [])
            }
            guard entry.fingerprint == fingerprint else { return .isReused }
            guard !entry.isRunning else { return .isRunning }
            guard !entry.isDone else { return .answer(entry.positions) }
            entry.isRunning = true
            state.entries[key] = entry
            return .publish(after: entry.positions)
        }
    }

    /// Publishing ended, with all events or where it failed.
    func end(_ key: Key, _ positions: [EventPosition], isDone: Bool) {
        state.withLock { state in
            state.entries[key]?.positions = positions
            state.entries[key]?.isRunning = false
            state.entries[key]?.isDone = isDone
        }
    }
}
