import NIOCore
import Synchronization
import TidingsBroadcast

/// How fast events are published over HTTP: each subject has a rate of its own, and those who do not say who they are have
/// one together.
///
/// Only who published a moment ago is remembered. While that are more than can be, those who come then share one rate.
final class PublishingRates: Sendable {
    private struct State {
        var subjects: [String: RateLimit] = [:]
        var others = RateLimit()
        var nextSweep: NIODeadline = .distantPast

        mutating func forgetIdle(at now: NIODeadline) {
            guard now >= nextSweep else { return }
            subjects = subjects.filter { !$0.value.isIdle(at: now) }
            nextSweep = now + .seconds(1)
        }
    }

    private let limits: RateLimit.Limits
    private let capacity: Int
    private let now: @Sendable () -> NIODeadline
    private let state = Mutex(State())

    /// - Parameter capacity: Subjects that are remembered at the same time.
    init(limits: PublishingLimits, capacity: Int = 10_000, now: @escaping @Sendable () -> NIODeadline = { .now() }) {
        self.limits = RateLimit.Limits(perSecond: limits.eventsPerSecond, burst: limits.eventBurst)
        self.capacity = capacity
        self.now = now
    }

    /// How many subjects are remembered.
    var count: Int { state.withLock { $0.subjects.count } }

    /// Counts events, all or none.
    ///
    /// - Returns: How long it is until they may be published; nil: now.
    func wait(for events: Int, of subject: String) -> TimeAmount? {
        let now = now()
        return state.withLock { state in
            if state.subjects[subject] == nil, state.subjects.count >= capacity { state.forgetIdle(at: now) }
            guard state.subjects[subject] != nil || state.subjects.count < capacity else {
                return state.others.wait(for: events, at: now, limits: limits)
            }
            return state.subjects[subject, default: RateLimit()].wait(for: events, at: now, limits: limits)
        }
    }
}
