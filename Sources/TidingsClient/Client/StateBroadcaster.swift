import Observation
import Synchronization

/// Remembers the newest state and tells everyone who follows.
final class StateBroadcaster: Observable, Sendable {
    /// One who follows. That it has ended is noted without a lock: whoever cancels a task holds locks of its own, which
    /// whoever wakes the task wants too.
    private final class Follower: Sendable {
        let continuation: AsyncStream<BroadcastClient.State>.Continuation
        private let hasEnded = Atomic(false)

        init(_ continuation: AsyncStream<BroadcastClient.State>.Continuation) {
            self.continuation = continuation
            continuation.onTermination = { [weak self] _ in self?.hasEnded.store(true, ordering: .relaxed) }
        }

        var isOver: Bool { hasEnded.load(ordering: .relaxed) }
    }

    private struct Followers {
        var current = BroadcastClient.State.disconnected
        var all: [Follower] = []
    }

    private let followers = Mutex(Followers())

    private let registrar = ObservationRegistrar()

    var current: BroadcastClient.State {
        registrar.access(self, keyPath: \.current)
        return followers.withLock { $0.current }
    }

    func send(_ state: BroadcastClient.State) {
        registrar.withMutation(of: self, keyPath: \.current) {
            followers.withLock { followers in
                followers.current = state
                followers.all.removeAll(where: \.isOver)
                for follower in followers.all { follower.continuation.yield(state) }
            }
        }
    }

    func changes() -> AsyncStream<BroadcastClient.State> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: BroadcastClient.State.self,
            bufferingPolicy: .bufferingNewest(16)
        )
        followers.withLock { followers in
            followers.all.removeAll(where: \.isOver)
            followers.all.append(Follower(continuation))
            continuation.yield(followers.current)
        }
        return stream
    }
}
