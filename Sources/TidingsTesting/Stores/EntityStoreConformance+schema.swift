import TidingsEntities

extension EntityStoreConformance {
    static let schemaChecks = [columns, missingTable, indexes, reservedNames, oneCreator]

    private static let columns = check("a table's columns are told in the words they were made with") { store in
        let types = FieldType.allCases
        let table = try await store.write { connection in
            let dialect = connection.dialect
            let columns = types.flatMap { type in
                let spelled = dialect.columnType(type)
                return ["a_\(type.rawValue) \(spelled)", "b_\(type.rawValue) \(spelled) NOT NULL"]
            }
            try connection.execute("CREATE TABLE kept (id \(dialect.countedKey), \(columns.joined(separator: ", ")))")
            return try connection.table(named: "kept")
        }
        guard let table else { throw ConformanceFailure("the table is not found") }
        for type in types {
            let spelled = store.dialect.columnType(type)
            try expect(table.columns["a_\(type.rawValue)"], .init(type: spelled, isNullable: true), "\(type), nullable")
            try expect(table.columns["b_\(type.rawValue)"], .init(type: spelled, isNullable: false), "\(type)")
        }
        try expect(table.columns["id"]?.isNullable, false, "whether the key may be null")
        try expect(table.columns.count, types.count * 2 + 1, "the number of columns")
    }

    private static let missingTable = check("there is no table where there is none") { store in
        try await createAccounts(store)
        for name in ["nowhere", "account; DROP TABLE account", "", "pg_class", "sqlite_schema"] {
            let table = try await store.read { try $0.table(named: name) }
            try expect(table, nil, "the table “\(name)”")
        }
        let table = try await store.read { try $0.table(named: "account") }
        try expect(table?.columns.keys.sorted(), ["amount", "id"], "the table that is there")
    }

    private static let indexes = check("a table's indexes are told, and other tables' are not") { store in
        try await createAccounts(store)
        try await store.write { connection in
            let text = connection.dialect.columnType(.text)
            try connection.execute("CREATE TABLE note (id \(connection.dialect.countedKey), body \(text))")
            try connection.execute("CREATE INDEX account_by_amount ON account (amount)")
            try connection.execute("CREATE UNIQUE INDEX note_body ON note (body)")
        }
        let (accounts, notes) = try await store.read { connection in
            (try connection.table(named: "account")?.indexes, try connection.table(named: "note")?.indexes)
        }
        try expect(accounts?.contains("account_by_amount"), true, "whether the index is told")
        try expect(accounts?.contains("note_body"), false, "whether the other table's index is told")
        try expect(notes?.contains("note_body"), true, "whether the unique index is told")
    }

    private static let reservedNames = check("tables and columns may have reserved names, in quotes") { store in
        let table = try await store.write { connection in
            let text = connection.dialect.columnType(.text)
            try connection.execute("CREATE TABLE \"order\" (\"select\" \(text) NOT NULL, \"camelCase\" \(text))")
            try connection.execute("INSERT INTO \"order\" (\"select\") VALUES (?)", ["x"])
            return try connection.table(named: "order")
        }
        try expect(table?.columns.keys.sorted(), ["camelCase", "select"], "the columns")
    }

    private static let oneCreator = check("of several that want to make a table, one at a time looks and makes") {
        store in
        let created = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await store.write { connection in
                        try connection.lockSchema()
                        guard try connection.table(named: "account") == nil else { return false }
                        try connection.execute("CREATE TABLE account (id \(connection.dialect.columnType(.integer)))")
                        return true
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        try expect(created.count { $0 }, 1, "how many made the table")
    }
}
