import FoundationEssentials
import NIOCore
import Synchronization
import TidingsBroadcast

/// How often something is looked at that may not let in: a secret, or a pass that this server has not seen before. One
/// limit for the whole server, whoever asks, so that guessing from many places is as slow as from one.
///
/// Passes that were good once are known. Who is in stays in while somebody guesses.
final class ConsoleGuesses: Sendable {
    private struct KnownPass {
        let text: String
        let end: Date
    }

    private struct State {
        var rate = RateLimit()
        /// The newest last.
        var passes: [KnownPass] = []
    }

    private static let knownPasses = 64

    private let limits: RateLimit.Limits
    private let now: @Sendable () -> NIODeadline
    private let state = Mutex(State())

    /// - Parameter burst: Wrong ones that are looked at without a pause; after them it is one a second.
    init(burst: Int, now: @escaping @Sendable () -> NIODeadline = { .now() }) {
        limits = RateLimit.Limits(perSecond: 1, burst: max(burst, 1))
        self.now = now
    }

    /// Counts something that is to be looked at. Before and not after, so that many at the same time are not more.
    ///
    /// - Returns: How long nothing is looked at; nil: it is now.
    func wait() -> TimeAmount? {
        let now = now()
        return state.withLock { $0.rate.wait(for: 1, at: now, limits: limits) }
    }

    /// What was counted was right, and so no guess.
    func wasRight() {
        state.withLock { $0.rate.giveBack(limits: limits) }
    }

    /// Whether a pass was good before, and is not over.
    func knows(_ pass: String, at date: Date) -> Bool {
        state.withLock { state in
            state.passes.removeAll { $0.end <= date }
            // All of them, so that the time does not tell which one was nearly right.
            return state.passes.reduce(false) { ConstantTime.isEqual($1.text, pass) || $0 }
        }
    }

    /// A pass is good.
    func learn(_ pass: String, until end: Date) {
        state.withLock { state in
            guard !state.passes.contains(where: { $0.text == pass }) else { return }
            if state.passes.count == Self.knownPasses { state.passes.removeFirst() }
            state.passes.append(KnownPass(text: pass, end: end))
        }
    }
}
