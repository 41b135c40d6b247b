/// Something that happened, told on a channel.
///
/// The payload of an entity's event is a hint (`entity_id`, `version`), not the entity: a receiver refetches what it
/// shows.
///
/// ```swift
/// BroadcastEvent(channel: "order", name: "item_added", payload: ["entity_id": "42", "item_id": "7"])
/// ```
public struct BroadcastEvent: Hashable, Sendable {
    /// Where it is told.
    public let channel: ChannelName
    /// What happened.
    public let name: EventName
    /// What it is about: always a JSON object.
    public let payload: EventPayload

    /// Makes an event.
    ///
    /// - Parameters:
    ///   - channel: Where it is told.
    ///   - name: What happened.
    ///   - payload: What it is about.
    public init(channel: ChannelName, name: EventName, payload: EventPayload = EventPayload()) {
        self.channel = channel
        self.name = name
        self.payload = payload
    }

    /// The reserved event that tells a reader of a channel to refetch.
    ///
    /// - Parameters:
    ///   - channel: The channel whose data may be out of date.
    ///   - reason: Why.
    public static func stale(_ channel: ChannelName, reason: StaleReason) -> BroadcastEvent {
        BroadcastEvent(channel: channel, name: .stale, payload: ["reason": .string(reason.rawValue)])
    }

    /// Why the channel is stale; nil for every other event.
    public var staleReason: StaleReason? {
        guard name == .stale else { return nil }
        return payload.string("reason").map(StaleReason.init(rawValue:))
    }
}

extension BroadcastEvent: CustomStringConvertible {
    /// Channel and name. The payload is left out: descriptions end up in logs.
    public var description: String {
        "\(channel) \(name)"
    }
}
