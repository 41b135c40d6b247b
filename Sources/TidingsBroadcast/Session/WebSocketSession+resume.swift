import Logging
import NIOCore
import TidingsWire

// What the client missed, where its channels have their log elsewhere.
extension WebSocketSession {
    /// Finds out what is not known here before a message is carried out: what happened for longer than the hub remembers,
    /// and whether what the client knows already is only not told here so far. Until then what the client asks for waits.
    ///
    /// The task is the session's: it is cancelled when the session ends, and when it takes too long.
    func lookUp(_ message: ClientMessage, _ verdict: Gatekeeper.Verdict) {
        let lookups = lookups(for: message, allowed: verdict.subscribe)
        guard !lookups.isEmpty, let context else { return publishShared(message, verdict) }
        let (hub, eventLoop) = (shard.hub, context.eventLoop)
        let session = NIOLoopBound(self, eventLoop: eventLoop)
        let findings = NIOLoopBound(
            LogFindings(
                maximumBytes: hub.configuration.pendingBytesPerSession,
                holds: verdict.subscribe.compactMap(hub.hold)
            ),
            eventLoop: eventLoop
        )
        let task = Task(executorPreference: hub.configuration.executor) {
            await hub.ask(lookups) { channel, excerpt in
                eventLoop.execute { findings.value.add(excerpt, of: channel) }
            }
            eventLoop.execute { session.value.lookedUp(message, verdict, findings.value) }
        }
        let timeout = eventLoop.scheduleTask(in: TimeAmount(hub.configuration.resumeTimeout)) {
            hub.logger.warning("what a client missed was not found out in time")
            session.value.lookedUp(message, verdict, findings.value)
        }
        consultation = Consultation(task: task, timeout: timeout, maximumBytes: hub.configuration.clientMessageBytes)
    }

    private func lookups(for message: ClientMessage, allowed: Set<ChannelName>) -> [LogLookup] {
        guard shard.hub.hasRelays else { return [] }
        var wanted = allowed
        return message.subscribe.compactMap { channel in
            guard wanted.remove(channel) != nil, !shard.holds(self, channel) else { return nil }
            return shard.hub.lookup(of: channel, since: message.since[channel])
        }
    }

    private func lookedUp(_ message: ClientMessage, _ verdict: Gatekeeper.Verdict, _ findings: LogFindings) {
        guard findings.close() else { return }
        goOn { publishShared(message, verdict, findings.excerpts, holding: findings.holds) }
    }
}

/// What logs say to one message of a client, as long as it waits for them. Stays on the session's loop.
private final class LogFindings {
    private(set) var excerpts: [ChannelName: LogExcerpt] = [:]
    /// The message's channels are followed until it is carried out.
    let holds: [ChannelHold]
    private var bytes = 0
    private let maximumBytes: Int
    private var isClosed = false

    init(maximumBytes: Int, holds: [ChannelHold]) {
        self.maximumBytes = maximumBytes
        self.holds = holds
    }

    /// What all of them say is bounded: a channel for which there is no room is not recovered.
    func add(_ excerpt: LogExcerpt, of channel: ChannelName) {
        guard !isClosed, bytes + excerpt.events.payloadBytes <= maximumBytes else { return }
        bytes += excerpt.events.payloadBytes
        excerpts[channel] = excerpt
    }

    /// The message is carried out with what is there; false if it was before.
    func close() -> Bool {
        defer { isClosed = true }
        return !isClosed
    }
}
