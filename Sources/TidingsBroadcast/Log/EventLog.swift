public import TidingsWire

/// Remembers the events of channels and their positions, so that a client that was away can be told what it missed.
///
/// Every channel has exactly one log as the source of its positions. Whoever writes it makes them: the hub in
/// ``InMemoryEventLog``, a transaction in a database's table of events, which is then relayed to the hub
/// (``BroadcastHub/relay(_:memory:channels:)``). What every log promises, and what the conformance suite in
/// TidingsTesting checks:
/// - Offsets grow with every event of the log. An event of several channels has one position.
/// - ``head()`` is the position up to which nothing is missing; an empty log has one too.
/// - ``events(on:after:atMost:)`` is all or nothing: every event after the position, in order, or the reason why that
///   cannot be said.
/// - After the log was lost or replaced it has a new epoch.
///
/// All methods can be called from any task at any time.
public protocol EventLog: Sendable {
    /// The newest position of all channels: what was written up to it can be read.
    ///
    /// - Throws: ``BroadcastError`` if that cannot be found out. What is thrown ends up in logs, so it has no payload in
    ///   it.
    func head() async throws -> EventPosition

    /// What happened on a channel after a position.
    ///
    /// The hub asks for clients that were away for longer than it remembers. It cancels the task when it waits no longer.
    ///
    /// - Parameters:
    ///   - channel: A channel of this log, with or without events.
    ///   - position: The last position that the reader knows of.
    ///   - limit: How many events the reader takes; with more it is answered that this is not recoverable
    ///     (``TidingsWire/StaleReason/gap``).
    /// - Throws: ``BroadcastError`` if that cannot be found out. What is thrown ends up in logs, so it has no payload in
    ///   it.
    func events(on channel: ChannelName, after position: EventPosition, atMost limit: Int) async throws -> EventReplay
}

/// The answer to what was missed.
public enum EventReplay: Sendable {
    /// Every event of the channel after the position that was asked from and up to `through`, oldest first, each with its
    /// position. None: nothing was missed. `through` is in the same epoch, and the head of the log when it was read: on a
    /// quiet channel it is far ahead of the last event.
    case events([BroadcastEvent], through: EventPosition)
    /// What happened is not known any more, or is too much, or the position is not of this log.
    case notRecoverable(StaleReason)
}
