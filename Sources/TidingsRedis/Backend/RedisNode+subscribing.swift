import NIOCore
import TidingsBroadcast
import TidingsWire

// Who wants to hear what.
extension RedisNode {
    func follow(_ channel: ChannelName, generation: UInt64) {
        subscriptions.join(.hub(generation: generation), channel)
        updateSoon()
    }

    func unfollow(_ channel: ChannelName, generation: UInt64) {
        subscriptions.leave(.hub(generation: generation), channel)
        updateSoon()
    }

    /// Adds a handler.
    ///
    /// - Parameter promise: Kept when it is live. While Redis is away that is waited for, as long as it takes to connect and to
    ///   probe.
    func subscribe(
        _ identifier: UInt64,
        to channel: ChannelName,
        _ handler: @escaping BroadcastHandler,
        promise: EventLoopPromise<Void>
    ) {
        guard !isStopped else { return promise.fail(unavailable) }
        handlers[identifier] = handler
        joining[identifier] = promise
        subscriptions.join(.handler(identifier), channel)
        updateSoon()
        let patience = TimeAmount(configuration.connectTimeout + configuration.probeTimeout)
        let deadline = eventLoop.assumeIsolated().scheduleTask(in: patience) { [weak self] in
            guard let self, joining[identifier] != nil else { return }
            unsubscribe(identifier, from: channel, because: unavailable)
        }
        promise.futureResult.whenComplete { _ in deadline.cancel() }
    }

    func unsubscribe(
        _ identifier: UInt64,
        from channel: ChannelName,
        because error: any Error = CancellationError()
    ) {
        handlers[identifier] = nil
        subscriptions.leave(.handler(identifier), channel)
        joining.removeValue(forKey: identifier)?.fail(error)
        updateSoon()
    }

    /// Tells Redis at the end of this turn what has changed, all of it together.
    func updateSoon() {
        guard !isUpdateDue else { return }
        isUpdateDue = true
        eventLoop.assumeIsolated().execute {
            self.isUpdateDue = false
            self.update()
        }
    }

    private func update() {
        status.withLock { $0.channels = subscriptions.count }
        guard let link = connected else { return }
        subscribe(on: link)
        if subscriptions.needsBarrier { publishBarrier() }
    }

    /// Tells Redis what it does not know.
    func subscribe(on link: RedisLink) {
        let (subscribe, unsubscribe) = subscriptions.commands()
        for channel in subscribe { channels[ByteBuffer(string: names.published(channel))] = channel }
        send("SUBSCRIBE", subscribe, on: link)
        send("UNSUBSCRIBE", unsubscribe, on: link)
    }

    /// Not too many in one command: while Redis works on it, it does nothing else.
    private func send(_ command: String, _ channels: [ChannelName], on link: RedisLink) {
        var rest = channels[...]
        while !rest.isEmpty {
            let part = rest.prefix(512)
            rest = rest.dropFirst(part.count)
            link.subscriptions.send(RESPCommand([command] + part.map(names.published)))
        }
    }
}
