#if PostgreSQL
import TidingsEntities

extension PostgresTransaction {
    func table(named name: String) throws -> SQLTable? {
        let found = try execute(
            """
            SELECT c.oid AS id FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.relname = ?::name AND c.relkind IN ('r', 'p') AND pg_catalog.pg_table_is_visible(c.oid)
                AND n.nspname NOT IN ('pg_catalog', 'information_schema')
            """,
            [.text(name)]
        )
        guard let id = found.first?["id"] else { return nil }
        let rows = try execute(
            """
            SELECT attname AS name, pg_catalog.format_type(atttypid, atttypmod) AS type, attnotnull AS is_required
            FROM pg_catalog.pg_attribute WHERE attrelid = ? AND attnum > 0 AND NOT attisdropped
            """,
            [id]
        )
        var columns: [String: SQLTable.Column] = [:]
        for row in rows {
            guard let column = row["name"].text, let type = row["type"].text else { continue }
            columns[column] = SQLTable.Column(type: type, isNullable: row["is_required"] != true)
        }
        let indexes = try execute(
            """
            SELECT c.relname AS name FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
            WHERE i.indrelid = ?
            """,
            [id]
        )
        return SQLTable(columns: columns, indexes: Set(indexes.compactMap { $0["name"].text }))
    }
}
#endif
