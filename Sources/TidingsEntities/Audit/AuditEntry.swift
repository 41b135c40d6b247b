import FoundationEssentials
import TidingsBroadcast
import TidingsWire

/// Something that happened to an entity, for people who ask later.
struct AuditEntry: Sendable {
    enum Category: String, Sendable {
        /// It was created or deleted.
        case lifecycle
        /// It went to another state.
        case state
        /// A field changed.
        case change
        /// Something that the application says.
        case business
    }

    var category: Category
    /// Such as `order.created`, `order.state.open.preparing`, `order.changed.note`.
    var type: String
    var entityType: String
    var entityID: UUID
    var field: String?
    /// As JSON.
    var old: String?
    /// As JSON.
    var new: String?
    var stateFrom: String?
    var stateTo: String?
    /// As JSON.
    var metadata: String?

    /// What stands in the place of a value that the audit must not show.
    static let redacted = "\"[redacted]\""

    static func write(
        _ entries: [AuditEntry],
        as context: ChangeContext,
        at time: Date,
        expiring expiry: Date?,
        on connection: any SQLConnection
    ) throws {
        func text(_ value: String?) -> SQLValue { value.map(SQLValue.text) ?? .null }
        for entry in entries {
            try connection.execute(
                """
                INSERT INTO system_event (id, category, type, entity_type, entity_id, field, old_value, new_value,
                    state_from, state_to, user_id, request_id, metadata, timestamp, expires_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    .uuid(UUID()), .text(entry.category.rawValue), .text(entry.type), .text(entry.entityType),
                    .uuid(entry.entityID), text(entry.field), text(entry.old), text(entry.new),
                    text(entry.stateFrom), text(entry.stateTo), text(context.identity?.subject),
                    text(context.requestID), text(entry.metadata), .date(time), expiry.map(SQLValue.date) ?? .null,
                ]
            )
        }
    }
}
