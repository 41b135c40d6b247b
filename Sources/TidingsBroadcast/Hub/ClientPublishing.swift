import Synchronization
import TidingsWire

/// The backend underneath of a hub that gives events their positions itself.
final class LocalBackend: Sendable {
    let backend: any BroadcastBackend

    init(_ backend: any BroadcastBackend) {
        self.backend = backend
    }

    /// Whether an event has to go there before it is told. A backend in this process need not be asked where nobody listens,
    /// so that what a client publishes goes out in the turn in which it came.
    func takes(_ channel: ChannelName) -> Bool {
        (backend as? InMemoryBroadcastBackend)?.hasHandlers(of: channel) ?? true
    }
}

// What clients publish goes the way of what the server broadcasts: to the backend underneath, and then to clients.
extension BroadcastHub {
    /// Publishes an event of a client's, and says where it stands.
    typealias ClientPublish = @Sendable (BroadcastEvent) async throws -> EventPosition

    /// Makes a backend hear what clients publish. The first one that says so does.
    func publishClients(through backend: any BroadcastBackend) {
        _ = localBackend.storeIfNil(LocalBackend(backend))
    }

    /// How an event of a client's is published, if that takes a while; nil if it is done at once.
    ///
    /// - Throws: ``BroadcastError/Code/relayedChannel`` if the channel's events are told by somebody else alone.
    func clientPublish(on channel: ChannelName) throws(BroadcastError) -> ClientPublish? {
        if let shared = try sharedBackend(of: channel) {
            return { event in try await shared.publish(event, alsoOn: []) }
        }
        guard let local = localBackend.load(), local.takes(channel) else { return nil }
        try checkLog(of: channel, and: [])
        return { event in
            try await local.backend.broadcast(event)
            return try self.publish(event)
        }
    }
}
