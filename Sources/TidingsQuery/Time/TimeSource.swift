#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What a client knows of time: a clock to wait by, and where it stood on the calendar when the client was made.
///
/// Somebody who corrects the time of the device while the client runs changes no ages.
package struct TimeSource: Sendable {
    private let elapsed: @Sendable () -> Duration
    private let wait: @Sendable (Duration) async throws -> Void
    private let origin: Timestamp

    init<C: Clock<Duration>>(_ clock: C, startingAt origin: Date) {
        let start = clock.now
        elapsed = { start.duration(to: clock.now) }
        wait = { try await clock.sleep(for: $0) }
        self.origin = Timestamp(origin)
    }

    package var now: Timestamp { origin + elapsed() }

    /// Waits until a moment, however far the clock jumps meanwhile.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    package func sleep(until deadline: Timestamp) async throws {
        while true {
            let rest = deadline - now
            guard rest > .zero else { return }
            // A clock of the system cannot count to the end of time.
            try await wait(min(rest, .seconds(86_400 * 365)))
        }
    }
}
