public import FoundationEssentials
public import TidingsWire

/// What happened to an entity, for those who listen on the server.
public struct EntityEvent: Sendable {
    /// Where it stands in the outbox.
    public let position: EventPosition
    /// What happened.
    public let name: EventName
    /// Where clients are told.
    public let channels: [ChannelName]
    /// To which kind of entity it happened: its name, such as `order`.
    public let entityType: String
    /// To which one: its identifier in small letters.
    public let entityID: String
    /// The version that it has since; nil if it has no versions.
    public let entityVersion: Int?
    /// What clients are told.
    public let payload: EventPayload
    /// What the sender of the change called it.
    public let origin: String?
    /// Who made the change.
    public let userID: String?
    /// The trace that the change was part of.
    public let traceID: String?
    /// When it happened, as the process knew that made the change.
    public let time: Date?
}
