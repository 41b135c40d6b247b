import FoundationEssentials
import TidingsBroadcast
import TidingsWire

/// A row of the outbox, as far as it can be read.
struct OutboxRow: Sendable {
    let position: UInt64
    let eventID: UUID?
    let createdAt: Date?
    /// Bytes of the payload.
    let size: Int
    let entityType: String
    let entityID: String
    let entityVersion: Int64?
    let origin: String?
    private let fields: Fields

    private enum Fields: Sendable {
        case readable(BroadcastEvent, channels: [ChannelName])
        /// Only the channels can be read.
        case poisoned(channels: [ChannelName])
    }

    static let columns =
        "position, event_id, channels, event, payload, user_id, trace_id, created_at, entity_type, entity_id, "
        + "entity_version, origin"

    /// Reads a row that has the ``columns``.
    init(_ row: SQLRow, topicNames: [String: [EventName: String]]) {
        position = row[0].integer.flatMap { UInt64(exactly: $0) } ?? 0
        eventID = UUID(row[1])
        createdAt = Date(row[7])
        size = row[4].text?.utf8.count ?? 0
        (entityType, entityID) = (row[8].text ?? "", row[9].text ?? "")
        (entityVersion, origin) = (row[10].integer, row[11].text)
        let channels = Self.channels(row[2])
        if let channel = channels.first, let name = row[3].text.flatMap({ try? EventName($0) }),
            let payload = row[4].text.flatMap({ try? EventPayload(json: Array($0.utf8)) }), name != .stale
        {
            let event = BroadcastEvent(
                channel: channel,
                name: name,
                payload: payload,
                traceID: row[6].text,
                userID: row[5].text,
                topicName: topicNames[entityType]?[name],
                time: createdAt
            )
            fields = .readable(event, channels: channels)
        } else {
            fields = .poisoned(channels: channels)
        }
    }

    private static func channels(_ value: SQLValue) -> [ChannelName] {
        guard let text = value.text,
            case .array(let names)? = try? JSONNode(parsing: Array(text.utf8), maximumDepth: 2)
        else { return [] }
        return names.compactMap { $0.text.flatMap { try? ChannelName($0) } }
    }

    /// Whether the event can be told.
    var isReadable: Bool {
        if case .readable = fields { true } else { false }
    }

    /// The event, or that something is missing on its channels; nil if not even those can be read.
    func entry(epoch: String) -> LogEntry? {
        let position = EventPosition(epoch: epoch, offset: position)
        switch fields {
        case .readable(let event, let channels):
            return LogEntry(event, alsoOn: Array(channels.dropFirst()), at: position)
        case .poisoned(let channels):
            guard let channel = channels.first else { return nil }
            var stale = BroadcastEvent.stale(channel, reason: .setAside)
            stale.time = createdAt
            return LogEntry(stale, alsoOn: Array(channels.dropFirst()), at: position)
        }
    }

    /// The event for those who listen on the server; nil if it cannot be read.
    func entityEvent(epoch: String) -> EntityEvent? {
        guard case .readable(let event, let channels) = fields else { return nil }
        return EntityEvent(
            position: EventPosition(epoch: epoch, offset: position),
            name: event.name,
            channels: channels,
            entityType: entityType,
            entityID: entityID,
            entityVersion: entityVersion.flatMap { Int(exactly: $0) },
            payload: event.payload,
            origin: origin,
            userID: event.userID,
            traceID: event.traceID,
            time: createdAt
        )
    }

    /// What is told on one channel; nil if the event is not on it.
    func event(on channel: ChannelName, epoch: String) -> BroadcastEvent? {
        guard let entry = entry(epoch: epoch) else { return nil }
        guard entry.event.channel == channel || entry.furtherChannels.contains(channel) else { return nil }
        var event = entry.event.told(on: channel)
        event.position = entry.position
        return event
    }
}
