import FoundationEssentials
import TidingsWire

/// What a history is asked for: how much, and where to go on.
struct HistoryQuery {
    private var limit = ListQuery.standardLimit
    private var before: Int64?

    init(_ parameters: [(name: String, value: String)]) throws {
        var seen: Set<String> = []
        for (name, value) in parameters {
            guard seen.insert(name).inserted else { throw EntityError.invalidParameter(name, "is given twice") }
            switch name {
            case "limit": limit = try ListQuery.limit(value)
            case "cursor":
                guard let before = Int64(value), before > 0 else {
                    throw EntityError.invalidParameter(name, "is the `next_cursor` of a history")
                }
                self.before = before
            default: throw EntityError.invalidParameter(name, "is none of a history")
            }
        }
    }

    /// A page, newest first.
    func page(of schema: EntitySchema, _ id: UUID, on connection: any SQLConnection) throws -> JSONNode {
        let condition = before == nil ? "" : " AND seq < ?"
        let rows = try connection.execute(
            """
            SELECT seq, id, category, type, field, old_value, new_value, state_from, state_to, user_id, request_id,
                metadata, timestamp
            FROM system_event WHERE entity_type = ? AND entity_id = ?\(condition) ORDER BY seq DESC LIMIT ?
            """,
            [.text(schema.name), .uuid(id)] + (before.map { [.integer($0)] } ?? []) + [.integer(Int64(limit + 1))]
        )
        let page = rows.prefix(limit)
        let next = rows.count > page.count ? page.last?[0].integer : nil
        return .members([
            "items": .array(page.map(Self.json)), "next_cursor": next.map { .string(String($0)) } ?? .null,
        ])
    }

    private static func json(_ row: SQLRow) -> JSONNode {
        .members([
            "id": UUID(row[1])?.sqlValue.json ?? .null, "category": row[2].json, "type": row[3].json,
            "field": row[4].json, "old": row[5].keptJSON, "new": row[6].keptJSON, "state_from": row[7].json,
            "state_to": row[8].json, "user_id": row[9].json, "request_id": row[10].json, "metadata": row[11].keptJSON,
            "timestamp": FieldType.date.canonical(row[12])?.json ?? .null,
        ])
    }
}

extension SQLValue {
    /// A text that is JSON, as JSON.
    fileprivate var keptJSON: JSONNode {
        text.flatMap { try? JSONNode(parsing: Array($0.utf8), maximumDepth: 32) } ?? .null
    }
}
