import Logging
import NIOCore
import TidingsBroadcast
import TidingsWire

// What Redis says without being asked.
extension RedisNode {
    /// What one read has brought: the hub is told all of it at once, and then whoever waited for something in it.
    struct Telling {
        var news: [SharedLogNews] = []
        private(set) var further: [() -> Void] = []

        mutating func afterwards(_ body: @escaping () -> Void) { further.append(body) }
    }

    func received(_ messages: [[RESPValue]]) {
        var telling = Telling()
        for message in messages { take(message, &telling) }
        if !telling.news.isEmpty { feed?.tell(telling.news) }
        for body in telling.further { body() }
    }

    private func take(_ message: [RESPValue], _ telling: inout Telling) {
        guard message.count == 3, let kind = message[0].string, case .text(let name) = message[1] else { return }
        switch kind {
        case "message":
            if let channel = channels[name] {
                heard(message[2], on: channel, &telling)
            } else if name.readableBytesView.elementsEqual(names.own.utf8) {
                barrierCame(message[2], &telling)
            }
        case "subscribe":
            if let channel = channels[name] {
                subscriptions.subscribed(channel)
                updateSoon()
            } else if name.readableBytesView.elementsEqual(names.own.utf8) {
                publishBarrier()
            }
        case "unsubscribe":
            guard let channel = channels.removeValue(forKey: name) else { return }
            subscriptions.unsubscribed(channel)
            updateSoon()
        default: break
        }
    }

    private func heard(_ payload: RESPValue, on channel: ChannelName, _ telling: inout Telling) {
        guard !subscriptions.liveMembers(of: channel).isEmpty || payload.bytes != nil else { return }
        guard let json = payload.bytes, let message = read(json, on: channel) else {
            return unreadable(on: channel, &telling)
        }
        if let position = message.event.position { enter(position, &telling) }
        let hearing = subscriptions.heard(channel, at: message.event.position, before: message.before)
        status.withLock { $0.received += 1 }
        metrics.heard(1)
        if message.event.position == nil { heardPast(channel) }
        guard !hearing.isRepeat else { return wentBack(channel, message.event.position, &telling) }
        if hearing.isGap { missed(on: channel, &telling) }
        deliver(message.event, to: hearing.members, &telling)
    }

    private func read(_ json: [UInt8], on channel: ChannelName) -> NodeMessage? {
        try? NodeMessage(json: json, on: channel, maximumPayloadBytes: configuration.payloadBytes)
    }

    private func deliver(_ event: BroadcastEvent, to members: [SubscriptionSet.Member], _ telling: inout Telling) {
        for member in members {
            switch member {
            case .hub: telling.news.append(.event(event))
            case .handler(let identifier): handlers[identifier]?(event)
            }
        }
    }

    // MARK: What is not as it should be

    /// Somebody has published what is no event. Nobody knows what it was about.
    private func unreadable(on channel: ChannelName, _ telling: inout Telling) {
        let count = status.withLock { status in
            status.unreadable += 1
            return status.unreadable
        }
        // Not for each: whoever does it once may do it always.
        if count.nonzeroBitCount == 1 {
            let metadata: Logger.Metadata = ["channel": "\(channel)", "count": "\(count)"]
            logger.warning("something was published that is no event, or is too large", metadata: metadata)
        }
        heardPast(channel)
        tellStale(channel, .setAside, &telling)
    }

    /// Something before an event did not come here, though the connection seems well.
    private func missed(on channel: ChannelName, _ telling: inout Telling) {
        status.withLock { $0.gaps += 1 }
        metrics.gap()
        logger.error("something published did not come here", metadata: ["channel": "\(channel)"])
        tellStale(channel, .gap, &telling)
    }

    /// The log gives positions again that it gave before: its server has lost what was newest. It begins another life, and
    /// everybody is told by the next barrier.
    private func wentBack(_ channel: ChannelName, _ position: EventPosition?, _ telling: inout Telling) {
        missed(on: channel, &telling)
        guard let link, let position else { return }
        let arguments = [configuration.makeName(), position.epoch].map { Array($0.utf8) }
        link.run(RedisScripts.renew, keys: [names.log], arguments: arguments) { [weak self] _ in
            self?.publishBarrier()
        }
    }

    private func tellStale(_ channel: ChannelName, _ reason: StaleReason, _ telling: inout Telling) {
        telling.news.append(.stale(channel, reason: reason))
        tellHandlers(of: channel, .stale(channel, reason: reason))
    }

    func tellHandlers(of channel: ChannelName, _ event: BroadcastEvent) {
        for case .handler(let identifier) in subscriptions.liveMembers(of: channel) { handlers[identifier]?(event) }
    }

    // MARK: Past the log

    /// Something was published on a channel past its log: for as long as somebody could ask for what was before it, no node
    /// is to say that it knows all that happened.
    private func heardPast(_ channel: ChannelName) {
        let again = TimeAmount.milliseconds(historySpan / 2)
        if let last = marked[channel], eventLoop.now < last + again { return }
        if marked.count >= 10_000 {
            let now = eventLoop.now
            marked = marked.filter { now < $0.value + again }
        }
        markPast(channel)
    }

    func markPast(_ channel: ChannelName) {
        marked[channel] = eventLoop.now
        guard let link = connected else { return }
        link.commands.send(RESPCommand("SET", names.past(channel), "1", "PX", "\(3 * historySpan)")) {
            [weak self] result in
            // Said again with the next one.
            if case .failure = result.flatMap(\.refusal) { self?.marked[channel] = .distantPast }
        }
    }
}
