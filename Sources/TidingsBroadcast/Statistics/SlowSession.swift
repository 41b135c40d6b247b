import NIOCore
import Synchronization

/// A session whose client reads more slowly than its channels speak.
package struct SlowSession: Hashable, Sendable {
    /// Whose session it is; nil if it has not said so.
    package let subject: String?
    /// Whether it is an event stream.
    package let isEventStream: Bool
    /// How many channels it holds.
    package let channels: Int
    /// Events that wait for it.
    package let waitingEvents: Int
    /// Bytes that wait for it.
    package let waitingBytes: Int
    /// For how many seconds or so nothing of it has gone out.
    package let seconds: Int
}

/// The sessions of a hub that are slow now.
package struct SlowSessions: Hashable, Sendable {
    /// How many there are.
    package internal(set) var count = 0
    /// Those for which most bytes wait, the slowest first.
    package internal(set) var slowest: [SlowSession] = []

    fileprivate mutating func add(_ other: SlowSessions, atMost most: Int) {
        count += other.count
        slowest = Array((slowest + other.slowest).sorted { $0.waitingBytes > $1.waitingBytes }.prefix(most))
    }
}

extension BroadcastHub {
    /// The sessions that are slow now. Asks each event loop, in between what it does.
    ///
    /// - Parameter most: How many are described.
    package func slowSessions(atMost most: Int) async -> SlowSessions {
        let shards = state.withLock { Array($0.shards.values) }
        var all = SlowSessions()
        for shard in shards { all.add(await shard.slowSessions(atMost: most), atMost: most) }
        return all
    }
}

extension HubShard {
    fileprivate func slowSessions(atMost most: Int) async -> SlowSessions {
        let found = eventLoop.submit {
            var found = SlowSessions()
            let slow = self.laggingSessions
            found.add(SlowSessions(count: slow.count, slowest: slow.map(\.asSlow)), atMost: most)
            return found
        }
        // Fails only when the loop is shut down, and then no session is left.
        return (try? await found.get()) ?? SlowSessions()
    }
}

extension WebSocketSession {
    fileprivate var asSlow: SlowSession {
        SlowSession(
            subject: authentication.identity?.subject,
            isEventStream: isEventStream,
            channels: subscriptions.count,
            waitingEvents: waiting?.count ?? 0,
            waitingBytes: pendingBytes,
            seconds: Int(heartbeat.blockedTicks(at: shard.tick))
        )
    }
}
