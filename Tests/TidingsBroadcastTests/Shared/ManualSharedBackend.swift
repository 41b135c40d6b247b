import Synchronization
import TidingsBroadcast
import TidingsWire

/// A backend that other nodes share, and that says what a test tells it to.
final class ManualSharedBackend: IdempotentBroadcastBackend {
    private struct Request {
        let fingerprint: String
        var positions: [Int: EventPosition] = [:]
    }

    private struct State {
        var requests: [String: Request] = [:]
        var feed: SharedLogFeed?
        var followed: [ChannelName: UInt64] = [:]
        var changes: [String] = []
        var published: [BroadcastEvent] = []
        var position = EventPosition(epoch: "r1", offset: 10)
        var failure: BroadcastError?
        var replay = EventReplay.notRecoverable(.gap)
        var reads = 0
        var newest: BroadcastEvent?
    }

    private let state = Mutex(State())

    /// What was followed and unfollowed.
    var changes: [String] { state.withLock { $0.changes } }
    var published: [BroadcastEvent] { state.withLock { $0.published } }
    /// How often the log was asked.
    var reads: Int { state.withLock { $0.reads } }
    /// What the log says when it is asked.
    func answer(_ replay: EventReplay) { state.withLock { $0.replay = replay } }
    func keep(_ newest: BroadcastEvent?) { state.withLock { $0.newest = newest } }
    func fail(_ error: BroadcastError) { state.withLock { $0.failure = error } }

    /// Tells the hub.
    func tell(_ news: SharedLogNews...) {
        let feed = state.withLock { $0.feed }
        feed?.tell(news)
    }

    /// Tells the hub that everything it wants is followed, from a position on.
    func settle(at offset: UInt64, epoch: String = "r1", isCertain: Bool = true) {
        let followed = state.withLock { $0.followed }
        let channels = followed.map { FollowedChannel($0.key, generation: $0.value, isCertain: isCertain) }
        tell(.reached(EventPosition(epoch: epoch, offset: offset), following: channels))
    }

    /// Tells the hub of an event.
    func happen(_ name: EventName, on channel: ChannelName, at offset: UInt64?, epoch: String = "r1") {
        let position = offset.map { EventPosition(epoch: epoch, offset: $0) }
        tell(.event(BroadcastEvent(channel: channel, name: name, position: position)))
    }

    func generation(of channel: ChannelName) -> UInt64? { state.withLock { $0.followed[channel] } }

    // MARK: SharedBroadcastBackend

    func attach(to feed: SharedLogFeed) { state.withLock { $0.feed = feed } }

    func follow(_ channel: ChannelName, generation: UInt64) {
        state.withLock { state in
            state.followed[channel] = generation
            state.changes.append("+\(channel)")
        }
    }

    func unfollow(_ channel: ChannelName, generation: UInt64) {
        state.withLock { state in
            state.followed[channel] = nil
            state.changes.append("-\(channel)")
        }
    }

    func publish(_ event: BroadcastEvent, alsoOn channels: [ChannelName]) async throws -> EventPosition {
        try state.withLock { try Self.publish(event, alsoOn: channels, &$0) }
    }

    private static func publish(
        _ event: BroadcastEvent,
        alsoOn channels: [ChannelName],
        _ state: inout State
    ) throws -> EventPosition {
        if let failure = state.failure { throw failure }
        state.published += [event] + channels.map(event.told)
        state.position = EventPosition(epoch: state.position.epoch, offset: state.position.offset + 1)
        return state.position
    }

    func publish(
        _ event: BroadcastEvent,
        alsoOn channels: [ChannelName],
        once key: PublishingKey
    ) async throws -> EventPosition {
        try state.withLock { state in
            var request = state.requests[key.request] ?? Request(fingerprint: key.fingerprint)
            guard request.fingerprint == key.fingerprint else { throw BroadcastError(.keyReused, "Another request.") }
            if let position = request.positions[key.index] { return position }
            let position = try Self.publish(event, alsoOn: channels, &state)
            request.positions[key.index] = position
            state.requests[key.request] = request
            return position
        }
    }

    func head() async throws -> EventPosition { state.withLock { $0.position } }

    func newest(on channel: ChannelName) async throws -> BroadcastEvent? { state.withLock { $0.newest } }

    func events(
        on channel: ChannelName,
        after position: EventPosition,
        atMost limit: Int
    ) async throws -> EventReplay {
        state.withLock { state in
            state.reads += 1
            return state.replay
        }
    }

    // MARK: BroadcastBackend

    var supportsPush: Bool { false }
    func broadcast(_ event: BroadcastEvent) async throws { _ = try await publish(event, alsoOn: []) }
    func unsubscribe(_ subscription: BroadcastSubscription) async {}
    func checkHealth() async throws {}
    func close() async {}

    func subscribe(
        to channel: ChannelName,
        handler: @escaping BroadcastHandler
    ) async throws -> BroadcastSubscription {
        BroadcastSubscription(channel: channel, identifier: 1)
    }
}
