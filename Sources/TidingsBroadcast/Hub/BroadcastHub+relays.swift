import Logging
import Synchronization
import TidingsWire

// Channels whose log is kept elsewhere.
extension BroadcastHub {
    func add(_ relay: Relay) {
        var stored = firstRelay.storeIfNil(relay)
        while stored !== relay { stored = stored.next.storeIfNil(relay) }
        mayHaveRelays.store(true, ordering: .releasing)
    }

    var hasRelays: Bool { mayHaveRelays.load(ordering: .acquiring) }

    /// Where a channel's events come from; nil if that is this hub. A log of the channel's own comes before a shared one.
    func relay(of channel: ChannelName) -> Relay? {
        var relay = firstRelay.load()
        while let candidate = relay {
            if candidate.contains(channel) { return candidate }
            relay = candidate.next.load()
        }
        return sharedLog.load()
    }

    /// Whether an event may be published past every log that is kept elsewhere.
    func checkLog(of channel: ChannelName, and further: [ChannelName]) throws(BroadcastError) {
        guard hasRelays, let relayed = ([channel] + further).first(where: { relay(of: $0) != nil }) else { return }
        throw Self.relayedChannel(relayed, isShared: relay(of: relayed)?.following != nil)
    }
}

// MARK: - Telling

extension BroadcastHub {
    func deliver(_ entries: [LogEntry], of relay: Relay) {
        let told = entries.map { tellings(of: $0, by: relay) }
        let awaken = state.withLock { state in
            var awaken: [HubShard] = []
            for (entry, tellings) in zip(entries, told) where relay.memory.isNext(entry.position) {
                _ = keep(tellings, in: relay.memory, at: entry.position.offset, &state, &awaken)
            }
            return awaken
        }
        for shard in awaken { shard.wake() }
        relay.progressed()
        let epoch = relay.memory.head().epoch
        if let foreign = entries.first(where: { $0.position.epoch != epoch }) {
            logger.error("events of another epoch were not told", metadata: ["first": "\(foreign.position)"])
        }
    }

    /// An entry on each of its channels. On a channel of another log it would have no position.
    private func tellings(of entry: LogEntry, by relay: Relay) -> [Telling] {
        tellings(of: entry.event, alsoOn: entry.furtherChannels).filter { telling in
            let channel = telling.event.channel
            guard self.relay(of: channel) !== relay else { return true }
            logger.error("a relay's event was not told on another's channel", metadata: ["channel": "\(channel)"])
            return false
        }
    }

    func begin(_ relay: Relay, after position: EventPosition, recent: [LogEntry]) {
        let before = relay.memory.head()
        guard before.epoch != position.epoch || before.offset < position.offset else { return }
        let kept = recent.map { entry in
            tellings(of: entry, by: relay).map { telling in
                PublishedEvent(event: telling.event, position: entry.position, delivery: telling.delivery)
            }
        }
        let ring = relay.memory.makeRing(upTo: position, keeping: kept)
        // Whoever subscribes from the first moment on is told the new position.
        let held = state.withLock { state in
            relay.memory.begin(with: ring)
            state.snapshots.removeAll(of: before.epoch)
            for event in kept.joined() where event.isSnapshot {
                keepSnapshot(event, in: &state)
            }
            return Array(state.subscribers.keys)
        }
        markStale(held.filter(relay.contains), reason: before.epoch == position.epoch ? .gap : .epoch, at: position)
        relay.progressed()
    }

    /// Tells whoever holds channels now, and nobody who comes later.
    private func markStale(_ channels: [ChannelName], reason: StaleReason, at position: EventPosition) {
        let told = channels.flatMap { tellings(of: .stale($0, reason: reason), alsoOn: []) }
        let awaken = state.withLock { state in
            var awaken: [HubShard] = []
            for telling in told {
                enqueue(publishedEvent(telling, at: position, in: state), in: &state, awaken: &awaken)
            }
            return awaken
        }
        for shard in awaken { shard.wake() }
    }
}

// MARK: - Asking

/// A channel about which a log that is kept elsewhere has to be asked before it is subscribed.
struct LogLookup: Sendable {
    let relay: Relay
    let channel: ChannelName
    /// Up to where the client knows it; nil if the lookup is about where the log stands.
    let since: EventPosition?
}

extension BroadcastHub {
    /// What has to be found out before a channel is subscribed; nil if everything is known here.
    func lookup(of channel: ChannelName, since: EventPosition?) -> LogLookup? {
        guard let relay = relay(of: channel) else { return nil }
        let isKnown = since.map { relay.standing(of: $0, on: channel) == .known } ?? true
        guard !isKnown || !relay.isReady(for: channel) || lacksSnapshot(of: channel, in: relay) else { return nil }
        return LogLookup(relay: relay, channel: channel, since: since)
    }

    func request(for channel: ChannelName, since: EventPosition?, _ excerpt: LogExcerpt?) -> ChannelRequest {
        ChannelRequest(channel: channel, since: since, log: relay(of: channel)?.memory ?? log, excerpt: excerpt)
    }

    /// Finds out what is missing here for channels to be recovered, one after the other. A log that fails is not asked any
    /// more.
    ///
    /// - Parameter found: Called with what helps.
    func ask(_ lookups: [LogLookup], found: @Sendable (ChannelName, LogExcerpt) -> Void) async {
        var failed: Set<ObjectIdentifier> = []
        for lookup in lookups where !Task.isCancelled && !failed.contains(ObjectIdentifier(lookup.relay)) {
            do {
                if let excerpt = try await excerpt(for: lookup) { found(lookup.channel, excerpt) }
            } catch {
                failed.insert(ObjectIdentifier(lookup.relay))
                if !Task.isCancelled { logFailure(error, of: lookup) }
            }
        }
    }

    /// Says nothing of the log's content: an error of anybody's may have a payload in it.
    private func logFailure(_ error: any Error, of lookup: LogLookup) {
        let reason = (error as? BroadcastError)?.message ?? "\(type(of: error))"
        failed(error, code: "log_failed", "A log could not be asked what was missed.")
        logger.warning(
            "a log could not be asked what was missed",
            metadata: ["channel": "\(lookup.channel)", "error": "\(reason)"]
        )
    }

    /// Nil if nothing is missing, or nothing helps.
    private func excerpt(for lookup: LogLookup) async throws -> LogExcerpt? {
        let (relay, channel) = (lookup.relay, lookup.channel)
        await relay.waitUntilReady(for: channel)
        try await findSnapshot(of: channel, in: relay)
        guard let since = lookup.since else { return nil }
        if relay.standing(of: since, on: channel) == .ahead {
            // While this waits for its turn the relay goes on, and mostly there is nothing left to ask.
            let head = try await logReads.run {
                relay.standing(of: since, on: channel) == .ahead ? try await relay.log.head() : relay.memory.head()
            }
            guard head.epoch == since.epoch, head.offset >= since.offset else { return nil }
            _ = await relay.waitUntilDelivered(since)
        }
        guard relay.standing(of: since, on: channel) == .before else { return nil }
        let replay = try await logReads.run {
            try await relay.log.events(on: channel, after: since, atMost: configuration.replayedEvents)
        }
        guard case .events(let events, let end) = replay else { return nil }
        let published = events.compactMap(publishedEvent)
        guard published.count == events.count else {
            throw BroadcastError(.unavailable, "The log of \(channel) has told an event without its position.")
        }
        return LogExcerpt(events: published, end: end)
    }

    func publishedEvent(_ event: BroadcastEvent) -> PublishedEvent? {
        event.position.map {
            PublishedEvent(event: event, position: $0, delivery: configuration.delivery(event.channel))
        }
    }
}
