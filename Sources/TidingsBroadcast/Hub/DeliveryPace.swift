import NIOCore

/// When a loop delivers what was published: at once, or a little later, together with what comes meanwhile.
///
/// A turn costs a system call for each subscriber, however many events it brings. Where turns are long and follow close
/// upon each other, a wait of an eighth of a turn costs little time and saves whole turns: what is published in one go
/// arrives piece by piece. Where it brings nothing more, it is tried less and less often. A turn after a pause is never
/// delayed, and neither are short ones. A value: whoever holds it says what time it is.
struct DeliveryPace {
    /// Turns below this are not worth a wait.
    private static let shortestTurn: TimeAmount = .microseconds(30)
    private static let longestDelay: TimeAmount = .milliseconds(1)
    private static let mostSkipped = 64

    private var lastTurn: TimeAmount = .zero
    private var lastEnd: NIODeadline = .distantPast
    /// Whether the turn that comes was delayed.
    private var isDelayed = false
    /// Turns that are not delayed before the next try.
    private var skips = 0
    /// How many turns the last try in vain was answered with.
    private var penalty = 0

    /// How long to wait before the turn for what has just been published.
    mutating func delay(at now: NIODeadline) -> TimeAmount? {
        isDelayed = false
        guard lastTurn >= Self.shortestTurn, now - lastEnd < lastTurn * 4 else { return nil }
        guard skips == 0 else {
            skips -= 1
            return nil
        }
        isDelayed = true
        return min(.nanoseconds(lastTurn.nanoseconds / 8), Self.longestDelay)
    }

    /// A turn is over.
    ///
    /// - Parameter events: What it brought.
    mutating func delivered(_ events: Int, from start: NIODeadline, to end: NIODeadline) {
        lastTurn = end - start
        lastEnd = end
        guard isDelayed else { return }
        isDelayed = false
        penalty = events > 1 ? 0 : min(max(penalty * 2, 1), Self.mostSkipped)
        skips = penalty
    }
}
