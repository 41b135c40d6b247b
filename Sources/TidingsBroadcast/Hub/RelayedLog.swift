public import TidingsWire

/// A log that is kept elsewhere, as far as it was told to a hub: what its relay holds.
///
/// A relay reads the log's table in the order of positions and hands what is new to the hub of its process, on every node
/// of a service:
///
/// ```swift
/// let orders = hub.relay(outbox) { $0.rawValue == "order" || $0.rawValue.hasPrefix("order:") }
/// orders.begin(after: head, recent: try await outbox.newest(10_000, upTo: head))
/// while let entries = try await outbox.next(after: orders.head) { orders.deliver(entries) }
/// ```
///
/// Clients of these channels are given the log's positions. One that comes back is answered from the hub's memory as far
/// as that reaches back, and from the log itself otherwise.
///
/// ``begin(after:recent:)`` and ``deliver(_:)`` are called by one task at a time. Everything can be called from any
/// thread.
public struct RelayedLog: Sendable {
    let hub: BroadcastHub
    let relay: Relay

    /// What was told to the hub: the position of the newest event, or where the relay began. Nil before it has.
    public var head: EventPosition? { relay.hasBegun ? relay.memory.head() : nil }

    /// Whether a channel's events come from this log.
    ///
    /// - Parameter channel: Any channel.
    public func contains(_ channel: ChannelName) -> Bool { relay.contains(channel) }

    /// Begins to tell, or begins anew where what was told does not go on.
    ///
    /// Call this once before the first ``deliver(_:)``, best before clients are let in: those that subscribe earlier wait
    /// for it, up to ``BroadcastHub/Configuration/resumeTimeout``. Call it again
    /// - when the log was replaced. A position of another epoch makes every client that holds one of the channels refetch
    ///   (`stale` with the reason `epoch`).
    /// - when events cannot be told, not even on which channels they happened. A position of the same epoch that is ahead
    ///   of ``head`` makes them refetch too (reason `gap`).
    ///
    /// A position that was told already changes nothing: a relay that begins again where it began before does no harm.
    ///
    /// - Parameters:
    ///   - position: The last position that is not delivered. Its epoch is the log's.
    ///   - recent: The newest entries of the log up to that position, without a hole, oldest first; clients that know the
    ///     first of them or what was right before it resume from memory. As many as the memory keeps are worth reading.
    public func begin(after position: EventPosition, recent: [LogEntry] = []) {
        hub.begin(relay, after: position, recent: recent)
    }

    /// Tells events to every session that holds one of their channels, in the order given, and keeps them for those who
    /// come back.
    ///
    /// Returns before anything is written to a socket. Entries that are given together reach an event loop together. An
    /// entry whose position is not after ``head`` was told before and is dropped, so telling again after a doubt is
    /// harmless.
    ///
    /// An entry that cannot be read is told as `BroadcastEvent.stale(channel, reason: .setAside)` at its position: whoever
    /// comes back later and missed it is told that, too. The log's own ``EventLog/events(on:after:atMost:)`` has to say
    /// the same, or that the position before it is not recoverable.
    ///
    /// - Parameter entries: What comes next in the log, oldest first. Entries of another epoch than that of
    ///   ``begin(after:recent:)`` are dropped, with an error in the hub's log.
    public func deliver(_ entries: [LogEntry]) {
        hub.deliver(entries, of: relay)
    }

    /// Waits until the events up to a position were delivered here.
    ///
    /// - Parameter position: A position of the log, such as that of a change that was just committed.
    /// - Returns: Whether they were. False if the task was cancelled, or the relay began with another epoch, and at once if
    ///   it had begun with another one before.
    @discardableResult
    public func waitUntilDelivered(_ position: EventPosition) async -> Bool {
        await relay.waitUntilDelivered(position)
    }
}

extension BroadcastHub {
    /// Gives channels a log that is kept elsewhere. Its relay tells the hub what happens.
    ///
    /// Nothing is published on these channels past their log: ``publish(_:alsoOn:)`` throws, and clients are refused.
    /// Call this before anything happens on them; clients that hold them already are told to refetch when the relay
    /// begins. There is no way back.
    ///
    /// - Parameters:
    ///   - log: Asked what a client missed that was away for longer than the memory reaches back, for
    ///     ``Configuration/logReads`` clients at the same time.
    ///   - memory: Keeps the newest events here. It is this log's alone.
    ///   - channels: Whether a channel's events come from the log. Called for each event that is published past a log and
    ///     each channel that is subscribed, on any thread; it is to be quick, and the answer for a channel has to stay the
    ///     same. Of two logs with the same channel the first one counts.
    /// - Returns: What the relay tells the hub with.
    public func relay(
        _ log: some EventLog,
        memory: InMemoryEventLog = InMemoryEventLog(),
        channels: @escaping @Sendable (ChannelName) -> Bool
    ) -> RelayedLog {
        let relay = Relay(log: log, memory: memory, contains: channels)
        add(relay)
        return RelayedLog(hub: self, relay: relay)
    }
}
