/// The tables that entities need besides their own.
enum SystemTables {
    static let outbox = "sync_outbox"
    static let audit = "system_event"
    static let meta = "tidings_meta"
    static let counters = "tidings_counter"
    static let idempotency = "tidings_idempotency"
    static let cursors = "tidings_outbox_cursor"

    static func all(in dialect: SQLDialect) -> [TableDefinition] {
        [meta(dialect), counters(dialect), idempotency(dialect), cursors(dialect), audit(dialect), outbox(dialect)]
    }

    /// Whether a table's name is none for an entity.
    static func isReserved(_ table: String) -> Bool {
        [outbox, audit].contains(table) || ["tidings", "sqlite_", "pg_"].contains { table.hasPrefix($0) }
    }

    private static func column(
        _ name: String,
        _ type: FieldType,
        _ dialect: SQLDialect,
        isNullable: Bool = false
    ) -> TableDefinition.Column {
        TableDefinition.Column(name: name, type: dialect.columnType(type), isNullable: isNullable)
    }

    /// What is known about the database as a whole.
    private static func meta(_ dialect: SQLDialect) -> TableDefinition {
        TableDefinition(
            name: meta,
            columns: [column("name", .text, dialect), column("value", .text, dialect)],
            constraints: ["PRIMARY KEY (name)"]
        )
    }

    private static func counters(_ dialect: SQLDialect) -> TableDefinition {
        TableDefinition(
            name: counters,
            columns: [column("name", .text, dialect), column("value", .integer, dialect)],
            constraints: ["PRIMARY KEY (name)"]
        )
    }

    /// Answers to requests that may be sent again.
    private static func idempotency(_ dialect: SQLDialect) -> TableDefinition {
        TableDefinition(
            name: idempotency,
            columns: [
                column("subject", .text, dialect), column("route", .text, dialect), column("key", .text, dialect),
                column("fingerprint", .text, dialect), column("answer", .text, dialect, isNullable: true),
                column("event_id", .uuid, dialect, isNullable: true), column("created_at", .date, dialect),
            ],
            constraints: ["PRIMARY KEY (subject, route, key)"],
            indexes: [.init(name: "tidings_idempotency_created_at_index", columns: "created_at")]
        )
    }

    /// How far readers with a cursor of their own have come, and which process reads for them now.
    private static func cursors(_ dialect: SQLDialect) -> TableDefinition {
        TableDefinition(
            name: cursors,
            columns: [
                column("name", .text, dialect), column("position", .integer, dialect),
                column("updated_at", .date, dialect), column("holder", .text, dialect, isNullable: true),
                column("held_until", .date, dialect, isNullable: true),
            ],
            constraints: ["PRIMARY KEY (name)"]
        )
    }

    /// What happened, for people.
    private static func audit(_ dialect: SQLDialect) -> TableDefinition {
        TableDefinition(
            name: audit,
            columns: [
                .init(name: "seq", type: dialect.countedKey, isNullable: false, isCountedKey: true),
                column("id", .uuid, dialect), column("category", .text, dialect), column("type", .text, dialect),
                column("entity_type", .text, dialect), column("entity_id", .uuid, dialect),
                column("field", .text, dialect, isNullable: true),
                column("old_value", .text, dialect, isNullable: true),
                column("new_value", .text, dialect, isNullable: true),
                column("state_from", .text, dialect, isNullable: true),
                column("state_to", .text, dialect, isNullable: true),
                column("user_id", .text, dialect, isNullable: true),
                column("request_id", .text, dialect, isNullable: true),
                column("metadata", .text, dialect, isNullable: true), column("timestamp", .date, dialect),
                column("expires_at", .date, dialect, isNullable: true),
            ],
            indexes: [
                .init(name: "system_event_entity_index", columns: "entity_type, entity_id, seq"),
                .init(name: "system_event_expires_at_index", columns: "expires_at"),
            ]
        )
    }

    /// What happened, for clients. Where positions are given later, `seq` is the order of insertion.
    private static func outbox(_ dialect: SQLDialect) -> TableDefinition {
        let counted = dialect.stampsOnInsert ? "position" : "seq"
        var table = TableDefinition(
            name: outbox,
            columns: [
                .init(name: counted, type: dialect.countedKey, isNullable: false, isCountedKey: true),
                column("event_id", .uuid, dialect), column("channels", .text, dialect), column("event", .text, dialect),
                column("entity_type", .text, dialect), column("entity_id", .text, dialect),
                column("entity_version", .integer, dialect, isNullable: true), column("payload", .text, dialect),
                column("origin", .text, dialect, isNullable: true), column("user_id", .text, dialect, isNullable: true),
                column("trace_id", .text, dialect, isNullable: true), column("created_at", .date, dialect),
            ],
            indexes: [.init(name: "sync_outbox_created_at_index", columns: "created_at")]
        )
        if !dialect.stampsOnInsert {
            table.columns.append(column("position", .integer, dialect, isNullable: true))
            table.indexes += [
                .init(name: "sync_outbox_position_unique", columns: "position", isUnique: true),
                .init(name: "sync_outbox_pending_index", columns: "seq", condition: "position IS NULL"),
            ]
        }
        return table
    }
}
