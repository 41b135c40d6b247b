public import TidingsWire

/// Gives a channel's events their positions and keeps them for a while, so that a client that was away can be told what
/// it missed.
///
/// Every channel has exactly one log. What every log promises:
/// - Offsets grow with every event of the log. An event of several channels has one position.
/// - ``head(of:)`` is the position up to which nothing is missing; an empty channel has one too.
/// - ``events(on:after:)`` is all or nothing: every event after the position, in order, or the reason why that is not
///   known.
/// - After the log was lost or replaced it has a new epoch.
public protocol EventLog: Sendable {
    /// Keeps an event.
    ///
    /// - Parameter event: What happened.
    /// - Returns: Its position, after that of every event kept before.
    /// - Throws: ``BroadcastError`` if it cannot be kept.
    func append(_ event: BroadcastEvent) async throws -> EventPosition

    /// Where the channel stands now.
    ///
    /// - Parameter channel: A channel of this log, with or without events.
    /// - Throws: ``BroadcastError`` if that cannot be found out.
    func head(of channel: ChannelName) async throws -> EventPosition

    /// What happened on a channel after a position.
    ///
    /// - Parameters:
    ///   - channel: A channel of this log.
    ///   - position: The last position that the reader knows of.
    /// - Throws: ``BroadcastError`` if that cannot be found out.
    func events(on channel: ChannelName, after position: EventPosition) async throws -> EventReplay
}

/// The answer to what was missed.
public enum EventReplay: Sendable {
    /// Every event after the position, oldest first, each with its position. Empty: nothing was missed.
    case events([BroadcastEvent])
    /// What happened is not known any more, or the position is not of this log.
    case notRecoverable(StaleReason)
}
