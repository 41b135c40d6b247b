import FoundationEssentials

/// The rows of one entity's table, read and written as records.
struct EntityRows {
    let schema: EntitySchema
    let connection: any SQLConnection

    private var table: String { SQLName.quoted(schema.table) }
    private var columnList: String { schema.columns.map { SQLName.quoted($0.name) }.joined(separator: ", ") }
    private var key: String { SQLName.quoted(schema.columns[schema.roles.key].name) }

    /// What deleted rows that are kept are left out with.
    var presence: String? {
        schema.roles.deletedAt.map { "\(SQLName.quoted(schema.columns[$0].name)) IS NULL" }
    }

    private func record(_ row: SQLRow) throws -> EntityRecord {
        let values = try schema.columns.enumerated().map { place, column in
            guard let value = column.type.canonical(row[place]) else {
                throw StoreError(
                    .schema,
                    "\(schema.table).\(column.name) holds a value that is no \(column.type.rawValue)."
                )
            }
            return value
        }
        return EntityRecord(values: values)
    }
}

// MARK: - Reading

extension EntityRows {
    /// The row of an identifier, with its children; nil if there is none, or none any more.
    ///
    /// - Parameter isLocked: Whether other transactions have to wait with changing it until this one ends.
    func record(of id: UUID, isLocked: Bool = false) throws -> EntityRecord? {
        let conditions = ["\(key) = ?"] + (presence.map { [$0] } ?? [])
        let lock = isLocked ? connection.dialect.lockingClause : ""
        let sql = "SELECT \(columnList) FROM \(table) WHERE \(conditions.joined(separator: " AND ")) \(lock)"
        guard let row = try connection.execute(sql, [.uuid(id)]).first else { return nil }
        return try withChildren([try record(row)]).first
    }

    /// Whether there is a row of an identifier, and still is.
    func contains(_ id: SQLValue) throws -> Bool {
        let conditions = ["\(key) = ?"] + (presence.map { [$0] } ?? [])
        let sql = "SELECT 1 FROM \(table) WHERE \(conditions.joined(separator: " AND "))"
        return try !connection.execute(sql, [id]).isEmpty
    }

    /// Whether a column of any row has a value. Deleted rows that are kept do not count, nor do children of such.
    ///
    /// - Parameters:
    ///   - id: The value.
    ///   - except: The identifier of a row that does not count either.
    ///   - parent: The schema of the rows' parents, if they are children.
    func refer(in column: String, to id: SQLValue, except: SQLValue?, childrenOf parent: EntitySchema?) throws -> Bool {
        var (conditions, parameters) = (["\(SQLName.quoted(column)) = ?"], [id])
        if let presence { conditions.append(presence) }
        if let except {
            conditions.append("\(key) <> ?")
            parameters.append(except)
        }
        if let parent, let parentColumn = schema.parentColumn {
            let parents = EntityRows(schema: parent, connection: connection)
            if let presence = parents.presence {
                let column = SQLName.quoted(parentColumn)
                conditions.append("\(column) IN (SELECT \(parents.key) FROM \(parents.table) WHERE \(presence))")
            }
        }
        let sql = "SELECT 1 FROM \(table) WHERE \(conditions.joined(separator: " AND ")) LIMIT 1"
        return try !connection.execute(sql, parameters).isEmpty
    }

    /// Rows that meet conditions, with their children.
    ///
    /// - Parameters:
    ///   - conditions: What they have to meet, as SQL, all of it.
    ///   - parameters: The conditions' parameters.
    ///   - order: As it follows `ORDER BY`.
    ///   - limit: At most so many.
    func records(
        where conditions: [String],
        _ parameters: [SQLValue],
        order: String,
        limit: Int
    ) throws -> [EntityRecord] {
        let conditions = conditions + (presence.map { [$0] } ?? [])
        let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        let sql = "SELECT \(columnList) FROM \(table)\(filter) ORDER BY \(order) LIMIT ?"
        let rows = try connection.execute(sql, parameters + [.integer(Int64(limit))])
        return try withChildren(try rows.map(record))
    }

    /// The children of one parent, in the order in which they were added.
    private func withChildren(_ records: [EntityRecord]) throws -> [EntityRecord] {
        guard !schema.children.isEmpty, !records.isEmpty else { return records }
        var records = records
        for place in records.indices { records[place].children = schema.children.map { _ in [] } }
        let keys = records.map { $0.values[schema.roles.key] }
        let places = Dictionary(keys.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        for (child, childSchema) in schema.children.enumerated() {
            let rows = EntityRows(schema: childSchema.schema, connection: connection)
            for (parent, record) in try rows.children(of: keys) {
                if let place = places[parent] { records[place].children[child].append(record) }
            }
        }
        return records
    }

    private func children(of parents: [SQLValue]) throws -> [(parent: SQLValue, record: EntityRecord)] {
        guard let parentColumn = schema.parentColumn.map(SQLName.quoted) else { return [] }
        let marks = Array(repeating: "?", count: parents.count).joined(separator: ", ")
        let sql =
            "SELECT \(columnList), \(parentColumn) FROM \(table) WHERE \(parentColumn) IN (\(marks))"
            + " ORDER BY \(parentColumn), \(SQLName.quoted(TableDefinition.ordinal))"
        return try connection.execute(sql, parents).map { row in
            (FieldType.uuid.canonical(row[schema.columns.count]) ?? .null, try record(row))
        }
    }
}

// MARK: - Writing

extension EntityRows {
    /// Inserts a row.
    ///
    /// - Parameter parent: The parent of a child.
    func insert(_ record: EntityRecord, parent: SQLValue? = nil) throws {
        var columns = schema.columns.map { SQLName.quoted($0.name) }
        var marks = Array(repeating: "?", count: columns.count)
        var parameters = record.values
        if let parent, let parentColumn = schema.parentColumn {
            let ordinal = SQLName.quoted(TableDefinition.ordinal)
            columns += [SQLName.quoted(parentColumn), ordinal]
            marks += [
                "?",
                "(SELECT COALESCE(MAX(\(ordinal)), 0) + 1 FROM \(table) WHERE \(SQLName.quoted(parentColumn)) = ?)",
            ]
            parameters += [parent, parent]
        }
        let sql =
            "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(marks.joined(separator: ", ")))"
        try connection.execute(sql, parameters)
    }

    /// Writes what has changed of a row, if the row is still as it was: of the same version and in the same state.
    ///
    /// - Returns: Whether it was.
    func update(_ old: EntityRecord, to new: EntityRecord) throws -> Bool {
        let changed = old.values.indices.filter { old.values[$0] != new.values[$0] }
        guard !changed.isEmpty else { return true }
        let assignments = changed.map { "\(SQLName.quoted(schema.columns[$0].name)) = ?" }
        var (conditions, parameters) = identity(of: old)
        if let state = schema.roles.state {
            conditions.append("\(SQLName.quoted(schema.columns[state.place].name)) = ?")
            parameters.append(old.values[state.place])
        }
        let sql =
            "UPDATE \(table) SET \(assignments.joined(separator: ", "))"
            + " WHERE \(conditions.joined(separator: " AND ")) RETURNING \(key)"
        return try !connection.execute(sql, changed.map { new.values[$0] } + parameters).isEmpty
    }

    /// Deletes a row, if it is still of the same version.
    ///
    /// - Returns: Whether it was.
    func delete(_ old: EntityRecord) throws -> Bool {
        let (conditions, parameters) = identity(of: old)
        let sql = "DELETE FROM \(table) WHERE \(conditions.joined(separator: " AND ")) RETURNING \(key)"
        return try !connection.execute(sql, parameters).isEmpty
    }

    private func identity(of record: EntityRecord) -> (conditions: [String], parameters: [SQLValue]) {
        var conditions = ["\(key) = ?"] + (presence.map { [$0] } ?? [])
        var parameters = [record.values[schema.roles.key]]
        if let version = schema.roles.version {
            conditions.append("\(SQLName.quoted(schema.columns[version].name)) = ?")
            parameters.append(record.values[version])
        }
        return (conditions, parameters)
    }

    /// The next number for people.
    func nextNumber() throws -> Int64 {
        let rows = try connection.execute(
            """
            INSERT INTO tidings_counter (name, value) VALUES (?, 1)
            ON CONFLICT (name) DO UPDATE SET value = tidings_counter.value + 1 RETURNING value
            """,
            [.text(schema.name)]
        )
        guard let number = rows.first?[0].integer else {
            throw StoreError(.other, "The counter of \(schema.name) gave no number.")
        }
        return number
    }
}
