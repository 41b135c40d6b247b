public import TidingsWire

/// An event as it stands in a log: told on one channel or several, at one position.
public struct LogEntry: Sendable {
    /// What happened, told on its own channel. Its ``TidingsWire/BroadcastEvent/position`` is not looked at.
    public var event: BroadcastEvent
    /// Where it is told besides the event's own channel. None of them twice.
    public var furtherChannels: [ChannelName]
    /// Where it stands in the log, on every channel.
    public var position: EventPosition

    /// Makes an entry.
    ///
    /// - Parameters:
    ///   - event: What happened, told on its own channel. Without a time it happened now.
    ///   - channels: Where it is told besides the event's own channel.
    ///   - position: Where it stands in the log.
    public init(_ event: BroadcastEvent, alsoOn channels: [ChannelName] = [], at position: EventPosition) {
        self.event = event
        furtherChannels = channels
        self.position = position
    }
}

extension LogEntry: CustomStringConvertible {
    /// Position, channel and name. The payload is left out: descriptions end up in logs.
    public var description: String { "\(position) \(event)" }
}
