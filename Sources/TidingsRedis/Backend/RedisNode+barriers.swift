import Logging
import NIOCore
import TidingsBroadcast
import TidingsWire

// Barriers: something that is published to this node alone and has to come back in time. It says where the log stands, makes
// new subscriptions live, and is the proof that the subscription is not dead.
extension RedisNode {
    /// Publishes a barrier, unless one is on its way: then the next one follows it.
    func publishBarrier() {
        guard let link, barrier == nil else { return }
        nextProbe?.cancel()
        lastToken += 1
        let token = lastToken
        let deadline = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(configuration.probeTimeout)) {
            link.end(RedisError(.silent, "What was published to Redis at \(link.endpoint) has not come back in time."))
        }
        barrier = (token, deadline)
        let channels = subscriptions.begin(barrier: token)
        (awaitingHead, askingForHead) = (askingForHead, [])
        let arguments = [configuration.makeName(), names.own, "\(token)", "\(historySpan)"].map { Array($0.utf8) }
        link.run(RedisScripts.barrier, keys: [names.log] + channels.map(names.past), arguments: arguments) { result in
            if case .failure(let error) = result { link.end(error, refusesRest: error.refusesRest) }
        }
    }

    /// A barrier has come back.
    ///
    /// - Parameter payload: The token, the position, and the places of channels on which was published past the log.
    func barrierCame(_ payload: RESPValue, _ telling: inout Telling) {
        guard let parts = payload.string?.split(separator: " "), parts.count >= 2, let token = UInt64(parts[0]),
            let position = EventPosition(parts[1]), let barrier, barrier.token == token
        else { return }
        barrier.deadline.cancel()
        self.barrier = nil
        barriersReached += 1
        // A connection that fails right after it was made is no success.
        if barriersReached == 2 { attempts = 0 }
        enter(position, &telling)
        let arrivals = subscriptions.reached(
            barrier: token,
            at: position,
            past: Set(parts.dropFirst(2).compactMap { Int($0) })
        )
        arrived(arrivals, at: position, &telling)
        let heads = awaitingHead
        awaitingHead = []
        telling.afterwards { for promise in heads { promise.succeed(position) } }
        if connected == nil { becameConnected(at: position) }
        goOnAfterBarrier()
    }

    private func goOnAfterBarrier() {
        if subscriptions.needsBarrier || !askingForHead.isEmpty {
            publishBarrier()
        } else {
            let interval = TimeAmount(configuration.probeInterval)
            nextProbe = eventLoop.assumeIsolated().scheduleTask(in: interval) { [weak self] in self?.publishBarrier() }
        }
    }

    private func arrived(_ arrivals: [SubscriptionSet.Arrival], at position: EventPosition, _ telling: inout Telling) {
        var followed: [FollowedChannel] = []
        for arrival in arrivals {
            switch arrival.member {
            case .hub(let generation):
                let isCertain = arrival.isCertain
                followed.append(FollowedChannel(arrival.channel, generation: generation, isCertain: isCertain))
            case .handler(let identifier):
                if arrival.isReturn {
                    handlers[identifier]?(.stale(arrival.channel, reason: .backendRestored))
                }
                if let promise = joining.removeValue(forKey: identifier) { telling.afterwards { promise.succeed() } }
            }
        }
        telling.news.append(.reached(position, following: followed))
        status.withLock { $0.position = position }
    }

    /// Another epoch: what was known of the log means nothing any more. The hub sees it by itself.
    func enter(_ position: EventPosition, _ telling: inout Telling) {
        guard epoch != position.epoch else { return }
        defer { epoch = position.epoch }
        guard epoch != nil else { return }
        logger.warning("the log in Redis is another one; everybody refetches", metadata: ["position": "\(position)"])
        for channel in subscriptions.liveChannels { tellHandlers(of: channel, .stale(channel, reason: .epoch)) }
    }

    /// How far back is told, in milliseconds.
    var historySpan: Int64 { max(1, configuration.historyAge.milliseconds) }
    /// How long events are kept after the last one on their channel: as long as they may be after the floor.
    var historyTime: Int64 { 2 * historySpan + 60_000 }
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
