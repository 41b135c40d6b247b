import FoundationEssentials
import TidingsBroadcast
import TidingsWire

/// An event on its way into the outbox.
struct OutboxEvent: Sendable {
    let id: UUID
    let channels: [ChannelName]
    let name: EventName
    let entityType: String
    let entityID: String
    let version: Int64?
    let payload: EventPayload
}

extension OutboxEvent {
    /// Writes events, in their order, as the last thing that their transaction does.
    ///
    /// - Returns: The position of the last one, where rows get theirs as they are written.
    static func write(
        _ events: [OutboxEvent],
        as context: ChangeContext,
        at time: Date,
        on connection: any SQLConnection
    ) throws -> UInt64? {
        let stamps = connection.dialect.stampsOnInsert
        var offset: UInt64?
        for event in events {
            let rows = try connection.execute(
                """
                INSERT INTO sync_outbox (event_id, channels, event, entity_type, entity_id, entity_version, payload,
                    origin, user_id, trace_id, created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING \(stamps ? "position" : "seq")
                """,
                [
                    .uuid(event.id),
                    .text(
                        String(
                            decoding: JSONNode.array(event.channels.map { .string($0.rawValue) }).json,
                            as: UTF8.self
                        )
                    ),
                    .text(event.name.rawValue), .text(event.entityType), .text(event.entityID),
                    event.version.map(SQLValue.integer) ?? .null,
                    .text(String(decoding: event.payload.json, as: UTF8.self)),
                    context.origin.map(SQLValue.text) ?? .null,
                    (context.identity?.subject).map(SQLValue.text) ?? .null,
                    context.traceID.map(SQLValue.text) ?? .null, .date(time),
                ]
            )
            if stamps { offset = rows.first?[0].integer.flatMap { UInt64(exactly: $0) } }
        }
        return offset
    }
}
