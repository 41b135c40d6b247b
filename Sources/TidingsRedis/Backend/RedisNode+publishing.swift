import NIOCore
import TidingsBroadcast
import TidingsWire

/// An event on its way to Redis.
struct OutgoingPublish: Sendable {
    let body: [UInt8]
    /// None twice.
    let channels: [ChannelName]
    /// By what it is known again; nil: it is not.
    var key: PublishingKey?
    let promise: EventLoopPromise<EventPosition>

    /// What it costs to keep.
    var bytes: Int {
        let keyBytes = key.map { $0.request.utf8.count + $0.fingerprint.utf8.count } ?? 0
        return body.count + keyBytes + channels.reduce(256) { $0 + 2 * $1.rawValue.utf8.count }
    }
}

/// An event that waits for Redis.
struct ParkedPublish {
    let publish: OutgoingPublish
    let deadline: Scheduled<Void>
}

// What this node publishes.
extension RedisNode {
    func publish(_ publish: OutgoingPublish) {
        let patience = configuration.whileAway.patience
        guard connected != nil || (patience > .zero && !isStopped) else { return refuse(publish, unavailable) }
        guard pendingPublishes < configuration.pendingPublishes,
            pendingBytes + publish.bytes <= configuration.pendingBytes
        else {
            let cause = RedisError(.overloaded, "More events wait for Redis than may.")
            return refuse(publish, BroadcastError(.unavailable, "Redis does not keep up. Publish less.", cause: cause))
        }
        pendingPublishes += 1
        pendingBytes += publish.bytes
        if let link = connected { send(publish, on: link) } else { park(publish, for: patience) }
    }

    private func refuse(_ publish: OutgoingPublish, _ error: BroadcastError) {
        metrics.wasNotPublished()
        publish.promise.fail(error)
    }

    private func park(_ publish: OutgoingPublish, for patience: Duration) {
        lastPublish += 1
        let number = lastPublish
        let deadline = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(patience)) { [weak self] in
            guard let self, let parked = parked.removeValue(forKey: number) else { return }
            completed(parked.publish, .failure(unavailable))
        }
        parked[number] = ParkedPublish(publish: publish, deadline: deadline)
    }

    /// Sends what has waited, in the order in which it came.
    func sendParked() {
        guard let link = connected, !parked.isEmpty else { return }
        let waiting = parked.sorted { $0.key < $1.key }.map(\.value)
        parked = [:]
        for parked in waiting {
            parked.deadline.cancel()
            send(parked.publish, on: link)
        }
    }

    func failParked(_ error: BroadcastError) {
        let waiting = parked.values
        parked = [:]
        for parked in waiting {
            parked.deadline.cancel()
            completed(parked.publish, .failure(error))
        }
    }

    private func send(_ publish: OutgoingPublish, on link: RedisLink) {
        let head = [configuration.makeName(), "\(max(1, configuration.historyLength))"]
        let arguments =
            head.map { Array($0.utf8) } + [publish.body] + (publish.key.map(arguments) ?? [])
            + publish.channels.flatMap { [names.published($0), "\(keepingTime(of: $0))"] }.map { Array($0.utf8) }
        let requestKeys = publish.key.map { [names.request($0.request), names.requests] } ?? []
        let keys = [names.log] + requestKeys + publish.channels.map(names.stream)
        let script = publish.key == nil ? RedisScripts.publish : RedisScripts.publishOnce
        link.run(script, keys: keys, arguments: arguments) { [weak self] result in
            self?.answered(publish, result, by: link)
        }
    }

    /// How many milliseconds the newest events of a channel are kept after the last one. Of a feed the last one is what
    /// counts, however long ago it was told: nobody tells it again while it is the same.
    private func keepingTime(of channel: ChannelName) -> Int64 {
        FeedName(channel: channel) == nil ? historyTime : max(historyTime, 365 * 24 * 3_600_000)
    }

    private func arguments(of key: PublishingKey) -> [[UInt8]] {
        let (time, count) = (max(1, key.retention.milliseconds), max(1, configuration.knownRequests))
        return [key.fingerprint, "\(key.index)", "\(time)", "\(count)"].map { Array($0.utf8) }
    }

    private func answered(_ publish: OutgoingPublish, _ result: Result<RESPValue, RedisError>, by link: RedisLink) {
        do throws(RedisError) {
            let text = try result.text
            guard text != "reused" else { return completed(publish, .failure(Self.keyReused)) }
            guard let position = EventPosition(text) else {
                throw RedisError(.badReply, "Redis has answered with something else than a position.")
            }
            metrics.wasPublished()
            completed(publish, .success(position))
        } catch {
            failed(publish, error)
            // A replica, or a server that has forgotten who this is: another one may take it.
            if error.endsConnection { link.end(error, refusesRest: error.refusesRest) }
        }
    }

    private func failed(_ publish: OutgoingPublish, _ error: RedisError) {
        let patience = configuration.whileAway.patience
        switch error.code {
        case .disconnected, .silent, .badReply:
            let message = "Redis was lost before it answered. It is not known whether the event was told."
            metrics.wasNotPublished()
            completed(publish, .failure(BroadcastError(.unconfirmed, message, cause: error)))
        case _ where error.endsConnection && patience > .zero && !isStopped:
            // Nobody was told, and the next server may take it.
            park(publish, for: patience)
        default:
            let message = "Redis has not taken the event. Nobody was told."
            metrics.wasNotPublished()
            completed(publish, .failure(BroadcastError(.unavailable, message, cause: error)))
        }
    }

    private static let keyReused = BroadcastError(
        .keyReused,
        "This key came with another request before. Nobody was told. Take a new key for each request."
    )

    private func completed(_ publish: OutgoingPublish, _ result: Result<EventPosition, BroadcastError>) {
        pendingPublishes -= 1
        pendingBytes -= publish.bytes
        switch result {
        case .success(let position): publish.promise.succeed(position)
        case .failure(let error): publish.promise.fail(error)
        }
    }
}
