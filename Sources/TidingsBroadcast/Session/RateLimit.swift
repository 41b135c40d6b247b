package import NIOCore

/// How often somebody may do something: a steady rate with bursts (the generic cell rate algorithm, ITU-T I.371). A
/// value of one moment: when the next one would be due if the rate were kept exactly.
package struct RateLimit: Sendable {
    /// How often, and how much at once.
    package struct Limits: Hashable, Sendable {
        package var perSecond: Int
        package var burst: Int

        package init(perSecond: Int, burst: Int) {
            self.perSecond = perSecond
            self.burst = burst
        }

        fileprivate var interval: TimeAmount { .nanoseconds(1_000_000_000 / Int64(max(perSecond, 1))) }
    }

    private var due: NIODeadline = .distantPast

    package init() {}

    /// Whether it may be done now; if so, it counts.
    package mutating func allows(at now: NIODeadline, limits: Limits) -> Bool {
        wait(for: 1, at: now, limits: limits) == nil
    }

    /// Does something several times at once, or not at all.
    ///
    /// - Parameter count: How often. More than the burst is allowed only to who did nothing for long enough: then nobody is
    ///   refused for ever.
    /// - Returns: How long it is until they may be done; nil: now, and they count.
    package mutating func wait(for count: Int, at now: NIODeadline, limits: Limits) -> TimeAmount? {
        let (interval, before) = (limits.interval, max(count, 1) - 1)
        let tolerance = interval * max(limits.burst - 1, before)
        let last = max(due, now) + interval * before
        guard last - now <= tolerance else { return last - now - tolerance }
        due = last + interval
        return nil
    }

    /// What was counted once is not: it turned out not to be what is limited.
    package mutating func giveBack(limits: Limits) {
        due = due - limits.interval
    }

    /// Whether nothing that was done counts any more.
    package func isIdle(at now: NIODeadline) -> Bool { due <= now }
}
