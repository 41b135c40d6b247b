import Observation
import Synchronization

/// Remembers the newest state and tells everyone who follows.
final class StateBroadcaster: Observable, Sendable {
    private struct Followers {
        var current = BroadcastClient.State.disconnected
        var continuations: [UInt64: AsyncStream<BroadcastClient.State>.Continuation] = [:]
        var lastIdentifier: UInt64 = 0
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
                for continuation in followers.continuations.values { continuation.yield(state) }
            }
        }
    }

    func changes() -> AsyncStream<BroadcastClient.State> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: BroadcastClient.State.self,
            bufferingPolicy: .bufferingNewest(16)
        )
        let identifier = followers.withLock { followers in
            followers.lastIdentifier += 1
            followers.continuations[followers.lastIdentifier] = continuation
            continuation.yield(followers.current)
            return followers.lastIdentifier
        }
        continuation.onTermination = { [weak self] _ in
            self?.followers.withLock { $0.continuations[identifier] = nil }
        }
        return stream
    }
}
