import FoundationEssentials

/// Makes the tables that are missing and adds what is missing to those that are there. It never takes anything away.
struct Migration {
    let schemas: [EntitySchema]
    let dialect: SQLDialect

    /// Runs in one transaction: two processes that start together make everything once.
    ///
    /// - Throws: ``StoreError/Code/schema`` if adding is not enough; then nothing was changed.
    func run(on connection: any SQLConnection, now: Date) throws {
        try connection.lockSchema()
        for table in tables {
            if let existing = try connection.table(named: table.name) {
                for statement in try table.additions(to: existing) { try connection.execute(statement) }
            } else {
                for statement in table.creation { try connection.execute(statement) }
                if table.name == SystemTables.outbox { try makeEpoch(on: connection) }
            }
        }
    }

    /// Tables that others refer to come before them.
    private var tables: [TableDefinition] {
        var tables = SystemTables.all(in: dialect)
        var made: Set<String> = []
        var visiting: Set<String> = []
        func add(_ schema: EntitySchema) {
            guard !made.contains(schema.name), visiting.insert(schema.name).inserted else { return }
            for column in schema.columns {
                if let other = column.limits.references, let other = schemas.first(where: { $0.name == other.name }) {
                    add(other)
                }
            }
            made.insert(schema.name)
            tables.append(TableDefinition(schema, in: dialect))
            for child in schema.children { tables.append(TableDefinition(child.schema, in: dialect)) }
        }
        for schema in schemas { add(schema) }
        return tables
    }

    private func makeEpoch(on connection: any SQLConnection) throws {
        if !dialect.stampsOnInsert { try connection.execute("CREATE SEQUENCE IF NOT EXISTS sync_outbox_position") }
        let epoch = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        try connection.execute(
            "INSERT INTO tidings_meta (name, value) VALUES ('epoch', ?), ('purged', '0')",
            [.text(epoch)]
        )
    }
}
