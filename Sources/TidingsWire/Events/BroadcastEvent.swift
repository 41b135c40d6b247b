#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// Something that happened, told on a channel.
///
/// The payload of an entity's event is a hint (`entity_id`, `version`), not the entity: a receiver refetches what it
/// shows.
///
/// ```swift
/// BroadcastEvent(channel: "order", name: "item_added", payload: ["entity_id": "42", "item_id": "7"])
/// ```
///
/// An event is its channel, its name and its payload. The other properties are about its way, most are set by the
/// server that publishes it, and a receiver has what its ``Dialect`` carries:
///
/// | | plain | extended | topic |
/// |---|---|---|---|
/// | ``position`` | | `position` | |
/// | ``spread`` | | `spread_ms` | |
/// | ``traceID`` | | | `trace_id` |
/// | ``userID`` | | | `user_id`, unless the payload has one |
/// | ``topicName`` | | | `event` |
/// | ``time`` | | | `timestamp`, unless the payload has one |
///
/// Two events are equal when they say the same: channel, name and payload. What is about the way does not count, so an
/// event equals the one that was published, whatever it went through. Two events that say the same and happened at
/// different times are told apart by their positions.
public struct BroadcastEvent: Sendable {
    /// Where it is told.
    public let channel: ChannelName
    /// What happened.
    public let name: EventName
    /// What it is about: always a JSON object.
    public let payload: EventPayload
    /// Where it stands in its channel's log; nil until it is published, and when the dialect does not tell.
    public var position: EventPosition?
    /// A receiver that answers the event with a request waits a random part of this time first, because many others will
    /// do the same; nil when there is no need to.
    public var spread: Duration?
    /// The trace that it belongs to, in the form of whoever traces; nil when there is none.
    public var traceID: String?
    /// Who made it happen; nil when that is not told.
    public var userID: String?
    /// What the topic dialect calls it, where that is not what the protocol says.
    public var topicName: String?
    /// When it happened; nil until it is published, and when the dialect does not tell. Milliseconds survive the wire.
    public var time: Date?

    /// Makes an event.
    ///
    /// - Parameters:
    ///   - channel: Where it is told.
    ///   - name: What happened.
    ///   - payload: What it is about.
    ///   - position: Where it stands in its channel's log. The server that publishes the event sets it.
    ///   - spread: Within what time receivers should spread their requests.
    ///   - traceID: The trace that it belongs to.
    ///   - userID: Who made it happen.
    ///   - topicName: What the topic dialect calls it.
    ///   - time: When it happened.
    public init(
        channel: ChannelName,
        name: EventName,
        payload: EventPayload = EventPayload(),
        position: EventPosition? = nil,
        spread: Duration? = nil,
        traceID: String? = nil,
        userID: String? = nil,
        topicName: String? = nil,
        time: Date? = nil
    ) {
        self.channel = channel
        self.name = name
        self.payload = payload
        self.position = position
        self.spread = spread
        self.traceID = traceID
        self.userID = userID
        self.topicName = topicName
        self.time = time
    }

    /// The same, told on another channel.
    ///
    /// - Parameter channel: Where it is told.
    public func told(on channel: ChannelName) -> BroadcastEvent {
        BroadcastEvent(
            channel: channel,
            name: name,
            payload: payload,
            position: position,
            spread: spread,
            traceID: traceID,
            userID: userID,
            topicName: topicName,
            time: time
        )
    }

    /// The reserved event that tells a reader of a channel to refetch.
    ///
    /// - Parameters:
    ///   - channel: The channel whose data may be out of date.
    ///   - reason: Why.
    public static func stale(_ channel: ChannelName, reason: StaleReason) -> BroadcastEvent {
        BroadcastEvent(channel: channel, name: .stale, payload: ["reason": .string(reason.rawValue)])
    }

    /// Whether the event says that the channel is stale: whatever is held of it may be out of date.
    public var isStale: Bool { name == .stale }

    /// Why the channel is stale; nil for every other event, and where the server does not say.
    public var staleReason: StaleReason? {
        guard isStale else { return nil }
        return payload.string("reason").map(StaleReason.init(rawValue:))
    }
}

extension BroadcastEvent: Hashable {
    /// Whether both events say the same: channel, name and payload.
    public static func == (left: BroadcastEvent, right: BroadcastEvent) -> Bool {
        left.channel == right.channel && left.name == right.name && left.payload == right.payload
    }

    /// Feeds channel, name and payload.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(channel)
        hasher.combine(name)
        hasher.combine(payload)
    }
}

extension BroadcastEvent: CustomStringConvertible {
    /// Channel and name. The payload is left out: descriptions end up in logs.
    public var description: String {
        "\(channel) \(name)"
    }
}
