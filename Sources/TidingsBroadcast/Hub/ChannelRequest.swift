import TidingsWire

/// A channel that a session asks for.
struct ChannelRequest {
    let channel: ChannelName
    /// Up to where the client knows it; nil if it does not.
    let since: EventPosition?
    /// What is remembered of the channel here.
    let log: InMemoryEventLog
    /// What the channel's log said of it, if that is kept elsewhere and was asked.
    var excerpt: LogExcerpt?

    /// Every event of the channel after `since`, oldest first, up to the one that was told here last; nil if that is not
    /// known. Called under the hub's lock: nothing is told meanwhile.
    ///
    /// What the log said ends where it was read. If that is behind what was told here, memory has the rest; if it is
    /// ahead, what is beyond comes in its time.
    func missed() -> [PublishedEvent]? {
        guard let since else { return nil }
        if case .success(let events) = log.missed(on: channel, after: since) { return events }
        let head = log.head()
        guard let excerpt, excerpt.end.epoch == head.epoch, since.epoch == head.epoch else { return nil }
        let known = excerpt.events.filter { $0.position.offset <= head.offset }
        guard excerpt.end.offset < head.offset else { return known }
        guard case .success(let rest) = log.missed(on: channel, after: excerpt.end) else { return nil }
        return known + rest
    }
}

/// What happened on a channel from the position that a client knows up to another, as its log tells.
struct LogExcerpt: Sendable {
    let events: [PublishedEvent]
    /// Up to where it tells.
    let end: EventPosition
}

/// What became of a request.
struct ChannelOutcome {
    let subscribed: SubscribedChannel
    /// What the client has to be sent before anything else on the channel.
    let missed: [PublishedEvent]
}
