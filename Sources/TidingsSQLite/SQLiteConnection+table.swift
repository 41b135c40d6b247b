import TidingsEntities

extension SQLiteConnection {
    func table(named name: String) throws -> SQLTable? {
        let found = try execute(
            "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower(?)",
            [.text(name)]
        )
        guard !found.isEmpty else { return nil }
        let rows = try execute("SELECT name, type, \"notnull\", pk FROM pragma_table_info(?)", [.text(name)])
        let keys = rows.count { $0["pk"] != 0 }
        var columns: [String: SQLTable.Column] = [:]
        for row in rows {
            guard let column = row["name"].text, let type = row["type"].text else { continue }
            // The one column that is the row's number holds no null, whatever it says.
            let isRowNumber = keys == 1 && row["pk"] != 0 && type.uppercased() == "INTEGER"
            columns[column] = SQLTable.Column(type: type, isNullable: row["notnull"] == 0 && !isRowNumber)
        }
        let indexes = try execute("SELECT name FROM pragma_index_list(?)", [.text(name)]).compactMap { $0["name"].text }
        return SQLTable(columns: columns, indexes: Set(indexes))
    }
}
