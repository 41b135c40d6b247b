#if PostgreSQL
import Dispatch
import Foundation
import Logging
import Synchronization
import TidingsEntities

/// Listens for `NOTIFY sync_outbox`, on a thread and a connection of its own.
final class OutboxWatch: Sendable {
    private let settings: ConnectionSettings
    private let changed: @Sendable () -> Void
    private let hasEnded = Mutex(false)
    private let wake = DispatchSemaphore(value: 0)

    /// Time in which a watch notices that it is to end.
    private static let slice: Int32 = 100
    /// Time without a notification after which the connection is tried.
    private static let silence = Duration.seconds(15)
    private static let longestPause = Duration.seconds(5)

    init(_ settings: ConnectionSettings, _ changed: @escaping @Sendable () -> Void) {
        self.settings = settings
        self.changed = changed
    }

    /// Ends it soon.
    func end() {
        hasEnded.withLock { $0 = true }
        wake.signal()
    }

    /// Listens until it is ended.
    func run() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let thread = Thread { [self] in
                listenAgainAndAgain()
                continuation.resume()
            }
            thread.name = "PostgreSQL watch"
            thread.start()
        }
    }

    private func listenAgainAndAgain() {
        var pause = Duration.milliseconds(100)
        while !hasEnded.withLock({ $0 }) {
            do {
                let connection = try PostgresConnection(settings)
                try connection.run("LISTEN sync_outbox")
                pause = .milliseconds(100)
                // What was committed while nobody listened.
                changed()
                try listen(on: connection)
            } catch {
                settings.logger.debug("The watch of the outbox connects again", metadata: ["reason": "\(error)"])
            }
            // Each a little different, so that the nodes do not come back to a server in one moment.
            let milliseconds = Int((pause / .milliseconds(1)) * Double.random(in: 0.5...1))
            if !hasEnded.withLock({ $0 }) { _ = wake.wait(timeout: .now() + .milliseconds(milliseconds)) }
            pause = min(pause * 2, Self.longestPause)
        }
    }

    private func listen(on connection: PostgresConnection) throws {
        var lastSign = ContinuousClock.now
        while !hasEnded.withLock({ $0 }) {
            if try connection.notifications(within: Self.slice) > 0 {
                lastSign = .now
                changed()
            } else if ContinuousClock.now - lastSign > Self.silence {
                try connection.run("SELECT 1")
                lastSign = .now
            }
        }
    }
}

extension PostgresEntityStore {
    /// Listens for what other nodes stamp, over a connection of its own, until the task is cancelled. A connection that is
    /// lost is made again, with growing pauses of up to 5 seconds.
    ///
    /// - Parameter changed: Called after each notification, and each time that the connection was made.
    public func watchOutbox(_ changed: @escaping @Sendable () -> Void) async {
        let watch = OutboxWatch(settings, changed)
        await withTaskCancellationHandler {
            closing.add(watch)
            await watch.run()
            closing.remove(watch)
        } onCancel: {
            watch.end()
        }
    }
}
#endif
