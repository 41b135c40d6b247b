import Logging
import Synchronization
import TidingsWire

// A log that several nodes share: that of every channel without one of its own.
extension BroadcastHub {
    /// Makes a backend the log of every channel that has no other. Once, and before clients are let in.
    func share(_ backend: some SharedBroadcastBackend) {
        let memory = log.makeEmptyLike()
        let following = ChannelFollowing(backend, memory: memory)
        let relay = Relay(log: backend, memory: memory, following: following) { _ in true }
        guard sharedLog.storeIfNil(relay) === relay else {
            return logger.error("a hub has one shared backend; the second one tells it nothing")
        }
        mayHaveRelays.store(true, ordering: .releasing)
        backend.attach(to: SharedLogFeed(hub: self, relay: relay))
    }

    /// Where events on channels have to be published; nil if that is here.
    ///
    /// - Throws: ``BroadcastError/Code/relayedChannel`` if one of them is told by somebody else alone.
    func sharedBackend(
        of channel: ChannelName,
        and further: [ChannelName] = []
    ) throws(BroadcastError) -> (any SharedBroadcastBackend)? {
        guard hasRelays else { return nil }
        if let relayed = ([channel] + further).first(where: { relay(of: $0).map { $0.following == nil } ?? false }) {
            throw Self.relayedChannel(relayed)
        }
        return sharedLog.load()?.following?.backend
    }

    static func relayedChannel(_ channel: ChannelName, isShared: Bool = false) -> BroadcastError {
        let remedy = isShared ? "Broadcast on the backend that keeps it" : "Write this one there, in a unit of work"
        return BroadcastError(
            .relayedChannel,
            "The events of \(channel) come from a log that is kept elsewhere. \(remedy)."
        )
    }

    /// Keeps a channel followed while a session waits to be counted.
    func hold(_ channel: ChannelName) -> ChannelHold? {
        relay(of: channel)?.following.map { ChannelHold(channel, $0) }
    }

    /// A session holds a channel from now on.
    func retain(_ channel: ChannelName) {
        guard hasRelays else { return }
        relay(of: channel)?.following?.retain(channel)
    }

    /// A session holds a channel no longer.
    func release(_ channel: ChannelName) {
        guard hasRelays, let following = relay(of: channel)?.following, following.release(channel) else { return }
        // What is newest elsewhere is not known here any more.
        state.withLock { $0.snapshots.remove(channel) }
    }
}

// MARK: - Snapshots

extension BroadcastHub {
    /// Finds out what is newest on a channel that was not followed here until now, if only that counts.
    func findSnapshot(of channel: ChannelName, in relay: Relay) async throws {
        guard let backend = relay.following?.backend, configuration.delivery(channel) == .snapshot,
            state.withLock({ $0.snapshots[channel] == nil })
        else { return }
        guard let event = try await logReads.run({ try await backend.newest(on: channel) }),
            let published = publishedEvent(event)
        else { return }
        state.withLock { state in
            // What was told meanwhile is newer. A channel that is not followed any more would keep what is outdated soon.
            guard state.snapshots[channel] == nil, relay.isReady(for: channel),
                published.position.epoch == relay.memory.head().epoch,
                published.position.offset <= relay.memory.head().offset
            else { return }
            state.snapshots.keep(published, atMost: configuration.snapshotChannels)
        }
    }
}

// MARK: - Telling

extension BroadcastHub {
    func tell(_ news: [SharedLogNews], of relay: Relay) {
        // What takes time is done before the lock.
        let told = news.map { news -> Telling? in
            switch news.kind {
            case .event(let event): tellings(of: event, alsoOn: []).first
            case .stale(let channel, let reason): tellings(of: .stale(channel, reason: reason), alsoOn: []).first
            case .reached, .lost: nil
            }
        }
        let awaken = state.withLock { state in
            var awaken: [HubShard] = []
            for (news, telling) in zip(news, told) { tell(news, telling, of: relay, &state, &awaken) }
            return awaken
        }
        for shard in awaken { shard.wake() }
        relay.progressed()
    }

    private func tell(
        _ news: SharedLogNews,
        _ telling: Telling?,
        of relay: Relay,
        _ state: inout State,
        _ awaken: inout [HubShard]
    ) {
        switch (news.kind, telling) {
        case (.event(let event), .some(let telling)):
            tell(telling, at: event.position, of: relay, &state, &awaken)
        case (.stale(let channel, _), .some(let telling)):
            relay.memory.forget(channel)
            tell(telling, isPlaced: false, of: relay, &state, &awaken)
        case (.reached(let position, let channels), _):
            reached(position, following: channels, by: relay, &state, &awaken)
        case (.lost, _):
            relay.memory.unfollowAll()
        default: break
        }
    }

    private func tell(
        _ telling: Telling,
        at position: EventPosition?,
        of relay: Relay,
        _ state: inout State,
        _ awaken: inout [HubShard]
    ) {
        guard let position else {
            // Published past the log: it has no place among what is replayed, and neither has what came before.
            relay.memory.forget(telling.event.channel)
            return tell(telling, isPlaced: false, of: relay, &state, &awaken)
        }
        if position.epoch != relay.memory.head().epoch {
            begin(EventPosition(epoch: position.epoch, offset: max(position.offset, 1) - 1), of: relay, &state, &awaken)
        }
        _ = keep([telling], in: relay.memory, at: position.offset, &state, &awaken)
    }

    /// Tells now, and nobody who comes later.
    private func tell(
        _ telling: Telling,
        isPlaced: Bool,
        of relay: Relay,
        _ state: inout State,
        _ awaken: inout [HubShard]
    ) {
        let event = publishedEvent(telling, at: relay.memory.head(), in: state, isPlaced: isPlaced)
        enqueue(event, in: &state, awaken: &awaken)
    }

    private func reached(
        _ position: EventPosition,
        following channels: [FollowedChannel],
        by relay: Relay,
        _ state: inout State,
        _ awaken: inout [HubShard]
    ) {
        if position.epoch != relay.memory.head().epoch { begin(position, of: relay, &state, &awaken) }
        relay.memory.advance(to: position.offset)
        for followed in channels {
            let channel = followed.channel
            guard relay.following?.began(followed) == true else { continue }
            state.snapshots.remove(channel)
            // Who holds it already was answered before it was followed, or while the connection was away.
            guard state.subscribers[channel] != nil else { continue }
            for telling in tellings(of: .stale(channel, reason: .backendRestored), alsoOn: []) {
                tell(telling, isPlaced: true, of: relay, &state, &awaken)
            }
        }
    }

    /// Another log has begun. What was known of the one before means nothing any more; what is followed goes on.
    private func begin(_ position: EventPosition, of relay: Relay, _ state: inout State, _ awaken: inout [HubShard]) {
        let isFirst = !relay.hasBegun
        let before = relay.memory.head().epoch
        relay.memory.beginShared(after: position)
        state.snapshots.removeAll(of: before)
        guard !isFirst else { return }
        let held = state.subscribers.keys.filter { self.relay(of: $0) === relay }
        for telling in held.flatMap({ tellings(of: .stale($0, reason: .epoch), alsoOn: []) }) {
            tell(telling, isPlaced: true, of: relay, &state, &awaken)
        }
    }
}
