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
    /// Whether only what is newest on a channel counts, and that is not known here: before somebody has asked for it, after
    /// a loss, and where there is nothing.
    func lacksSnapshot(of channel: ChannelName, in relay: Relay) -> Bool {
        relay.following != nil && configuration.delivery(channel) == .snapshot && snapshot(of: channel) == nil
    }

    /// Finds out what is newest on a channel of a shared log, if only that counts and it is not known here.
    func findSnapshot(of channel: ChannelName, in relay: Relay) async throws {
        guard let published = try await readSnapshot(of: channel, in: relay) else { return }
        state.withLock { state in
            // What was told meanwhile is newer.
            guard state.snapshots[channel] == nil, isUpToDate(published, in: relay) else { return }
            keepSnapshot(published, in: &state)
        }
    }

    /// Asks the log, unless it is known by the time that it is this one's turn.
    private func readSnapshot(of channel: ChannelName, in relay: Relay) async throws -> PublishedEvent? {
        guard let backend = relay.following?.backend, lacksSnapshot(of: channel, in: relay) else { return nil }
        let event = try await logReads.run {
            lacksSnapshot(of: channel, in: relay) ? try await backend.newest(on: channel) : nil
        }
        return event.flatMap(publishedEvent)
    }

    /// Whether what the log said to be newest is no older than what was told here. What is newer comes in its time, and a
    /// channel that is not followed any more would keep what is outdated soon.
    private func isUpToDate(_ published: PublishedEvent, in relay: Relay) -> Bool {
        let head = relay.memory.head()
        return relay.isReady(for: published.event.channel) && published.position.epoch == head.epoch
            && published.position.offset <= head.offset
    }

    /// What is newest on a feed's channel, wherever that is known. Of one that nobody listens to here it is the log that
    /// knows.
    ///
    /// - Throws: ``BroadcastError`` if that cannot be found out.
    func newestEvent(of channel: ChannelName) async throws -> PublishedEvent? {
        if let known = snapshot(of: channel) { return known }
        guard let backend = relay(of: channel)?.following?.backend else { return nil }
        return try await logReads.run { try await backend.newest(on: channel) }.flatMap(publishedEvent)
    }

    /// Tells those who listen to a feed what is newest, though it was told before: they may have missed it.
    ///
    /// - Throws: ``BroadcastError`` if that cannot be found out.
    func retell(_ channel: ChannelName) async throws {
        guard let relay = relay(of: channel), let backend = relay.following?.backend else { return }
        let event = try await logReads.run { try await backend.newest(on: channel) }
        guard let published = event.flatMap(publishedEvent) else { return }
        let awaken = state.withLock { state in
            var awaken: [HubShard] = []
            // What is newer was told to everybody.
            let isNewest = state.snapshots[channel].map { $0.position == published.position } ?? true
            guard isNewest, isUpToDate(published, in: relay) else { return awaken }
            keepSnapshot(published, in: &state)
            put(published, in: &state, awaken: &awaken)
            return awaken
        }
        for shard in awaken { shard.wake() }
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
        feeds.lookAtLosses()
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
            tellStale(channel, .backendRestored, of: relay, &state, &awaken)
        }
    }

    /// Tells that something may have been missed. Where only the newest event counts, that has no position: what is newest
    /// may stand before it and is still to come.
    private func tellStale(
        _ channel: ChannelName,
        _ reason: StaleReason,
        of relay: Relay,
        _ state: inout State,
        _ awaken: inout [HubShard]
    ) {
        for telling in tellings(of: .stale(channel, reason: reason), alsoOn: []) {
            tell(telling, isPlaced: telling.delivery != .snapshot, of: relay, &state, &awaken)
        }
        if FeedName(channel: channel) != nil { feeds.lost(channel) }
    }

    /// Another log has begun. What was known of the one before means nothing any more; what is followed goes on.
    private func begin(_ position: EventPosition, of relay: Relay, _ state: inout State, _ awaken: inout [HubShard]) {
        let isFirst = !relay.hasBegun
        let before = relay.memory.head().epoch
        relay.memory.beginShared(after: position)
        state.snapshots.removeAll(of: before)
        guard !isFirst else { return }
        let held = state.subscribers.keys.filter { self.relay(of: $0) === relay }
        for channel in held { tellStale(channel, .epoch, of: relay, &state, &awaken) }
    }
}
