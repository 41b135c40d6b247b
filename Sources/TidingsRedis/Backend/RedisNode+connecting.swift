import Logging
import NIOCore
import TidingsBroadcast
import TidingsWire

// Making connections, and making them again.
extension RedisNode {
    func start() {
        guard case .idle = phase else { return }
        connect()
    }

    /// Ends everything, for good.
    func stop() {
        guard !isStopped else { return }
        phase = .stopped
        nextProbe?.cancel()
        link?.end(RedisError(.disconnected, "The backend is closed."))
        disconnected()
        let error = unavailable
        for promise in joining.values { promise.fail(error) }
        failParked(error)
        (joining, handlers, feed) = ([:], [:], nil)
    }

    private func connect() {
        phase = .connecting
        guard !configuration.endpoints.isEmpty else {
            return failed(RedisError(.configuration, "No Redis is named. Give the configuration an endpoint."))
        }
        let endpoint = configuration.endpoints[nextEndpoint % configuration.endpoints.count]
        connector.connect(to: endpoint, on: eventLoop) { [weak self] result in
            guard let self, let commands = take(result) else { return }
            connector.connect(to: endpoint, on: eventLoop) { [weak self] result in
                guard let self, let subscriptions = take(result) else {
                    return commands.end(RedisError(.disconnected, "The connection is not wanted."))
                }
                opened(
                    RedisLink(to: endpoint, commands: commands, subscriptions: subscriptions) { [weak self] in
                        self?.linkEnded($0)
                    }
                )
            }
        }
    }

    /// A connection that was made, if it is still wanted.
    private func take(_ result: Result<RedisConnection, RedisError>) -> RedisConnection? {
        switch result {
        case .success(let connection):
            guard !isStopped else {
                connection.end(RedisError(.disconnected, "The backend is closed."))
                return nil
            }
            return connection
        case .failure(let error):
            failed(error)
            return nil
        }
    }

    private func opened(_ link: RedisLink) {
        // One that has ended by now has said so.
        guard link.failure == nil else { return }
        self.link = link
        barriersReached = 0
        link.subscriptions.received = { [weak self] in self?.received($0) }
        link.load(RedisScripts.all) { [weak self] in
            guard let self, self.link === link else { return }
            // Confirmed in this order: the first barrier, which follows the last one, makes all of them live.
            subscribe(on: link)
            link.subscriptions.send(RESPCommand("SUBSCRIBE", names.own))
        }
        let deadline = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(configuration.connectTimeout)) {
            guard link === self.link, self.connected == nil else { return }
            link.end(RedisError(.silent, "Redis at \(link.endpoint) does not answer."))
        }
        onConnected = { deadline.cancel() }
    }

    /// What was published has come back: the connection does what it is for.
    func becameConnected(at position: EventPosition) {
        guard let link else { return }
        onConnected()
        phase = .connected(link)
        let failure = status.withLock { status in
            defer {
                status.isConnected = true
                status.connections += 1
                status.failure = nil
            }
            return status.failure
        }
        let level: Logger.Level = failure == nil ? .debug : .notice
        logger.log(level: level, "connected to Redis", metadata: ["endpoint": "\(link.endpoint)"])
        for channel in marked.keys { markPast(channel) }
        sendParked()
        updateSoon()
    }

    private func linkEnded(_ error: RedisError) {
        link = nil
        disconnected()
        guard !isStopped else { return }
        metrics.lost()
        failed(error)
    }

    /// Nothing is heard any more.
    private func disconnected() {
        onConnected()
        nextProbe?.cancel()
        barrier?.deadline.cancel()
        (nextProbe, barrier) = (nil, nil)
        subscriptions.disconnected()
        channels = [:]
        status.withLock { $0.isConnected = false }
        feed?.tell([.lost])
        let error = unavailable
        for promise in askingForHead + awaitingHead { promise.fail(error) }
        (askingForHead, awaitingHead) = ([], [])
    }

    private func failed(_ error: RedisError) {
        guard !isStopped else { return }
        phase = .waiting
        nextEndpoint += 1
        attempts += 1
        let isNew = status.withLock { status in
            defer { status.failure = error }
            return status.failure?.code != error.code
        }
        if isNew {
            logger.error("Redis cannot be used; trying again", metadata: ["error": "\(error)"])
        } else {
            logger.debug("Redis still cannot be used", metadata: ["error": "\(error)"])
        }
        eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) { [weak self] in
            guard let self, case .waiting = phase else { return }
            connect()
        }
    }

    /// None until each endpoint was tried once; then a random part of a time that doubles with each round.
    private var delay: Duration {
        let round = (attempts - 1) / max(configuration.endpoints.count, 1)
        guard round > 0 else { return .zero }
        let longest = configuration.reconnectBase * (1 << min(round - 1, 20))
        return min(longest, configuration.reconnectMaximum) * max(0, min(1, configuration.random()))
    }
}
