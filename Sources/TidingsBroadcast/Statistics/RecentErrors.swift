package import FoundationEssentials
import Synchronization

/// The last errors of a server, for operators: what clients did wrong and what failed. What is alike is one entry with a
/// count, so that a client that repeats its mistake does not drive out what else there was.
///
/// Entries have no payloads, no tokens, and nothing else that a client wrote. All methods can be called from any thread.
package final class RecentErrors: Sendable {
    /// Whose error it was.
    package enum Origin: String, Hashable, Sendable {
        /// A client's.
        case client
        /// The server's, or that of something behind it.
        case server
    }

    /// An error, and how often it occurred.
    package struct Entry: Hashable, Sendable {
        /// Whose error it was.
        package let origin: Origin
        /// What kind of error it was, for programs.
        package let code: String
        /// What it was, in one sentence.
        package let message: String
        /// How often it occurred.
        package fileprivate(set) var count: Int
        /// When it occurred last.
        package fileprivate(set) var last: Date
    }

    private static let longestMessage = 200

    private let capacity: Int
    private let now: @Sendable () -> Date
    /// The one that occurred last is the last.
    private let entries = Mutex<[Entry]>([])

    /// Makes a list without entries.
    ///
    /// - Parameters:
    ///   - capacity: Entries at the most. Of more, those are forgotten that occurred longest ago.
    ///   - now: What time it is.
    package init(capacity: Int, now: @escaping @Sendable () -> Date) {
        self.capacity = max(capacity, 1)
        self.now = now
    }

    /// The newest first.
    package var newestFirst: [Entry] { entries.withLock { $0.reversed() } }

    package func record(_ origin: Origin, code: String, _ message: String) {
        let message = String(message.prefix(Self.longestMessage))
        let now = now()
        entries.withLock { entries in
            var entry = Entry(origin: origin, code: code, message: message, count: 0, last: now)
            if let place = entries.lastIndex(where: { $0.isLike(entry) }) { entry = entries.remove(at: place) }
            entry.count += 1
            entry.last = now
            if entries.count == capacity { entries.removeFirst() }
            entries.append(entry)
        }
    }
}

extension RecentErrors.Entry {
    fileprivate func isLike(_ other: Self) -> Bool {
        origin == other.origin && code == other.code && message == other.message
    }
}
