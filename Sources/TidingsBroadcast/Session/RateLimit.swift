import NIOCore

/// How often somebody may do something: a steady rate with bursts (the generic cell rate algorithm, ITU-T I.371). A
/// value of one moment: when the next one would be due if the rate were kept exactly.
struct RateLimit {
    /// How often, and how much at once.
    struct Limits: Hashable, Sendable {
        var perSecond: Int
        var burst: Int
    }

    private var due: NIODeadline = .distantPast

    /// Whether it may be done now; if so, it counts.
    mutating func allows(at now: NIODeadline, limits: Limits) -> Bool {
        let interval = TimeAmount.nanoseconds(1_000_000_000 / Int64(max(limits.perSecond, 1)))
        let tolerance = interval * max(limits.burst - 1, 0)
        let start = max(due, now)
        guard start - now <= tolerance else { return false }
        due = start + interval
        return true
    }
}
