import FoundationEssentials

/// Makes the tables that are missing and adds what is missing to those that are there. It never takes anything away.
struct Migration {
    let schemas: [EntitySchema]
    let dialect: SQLDialect

    /// Runs in one transaction: two processes that start together make everything once, and one that dies meanwhile has
    /// done nothing.
    ///
    /// - Throws: ``StoreError/Code/schema`` that spells out every difference that adding cannot mend; then nothing was
    ///   changed.
    func run(on connection: any SQLConnection) throws {
        try connection.lockSchema()
        var (statements, differences): ([String], [String]) = ([], [])
        var isNewOutbox = false
        for table in tables {
            if let existing = try connection.table(named: table.name) {
                let additions = table.additions(to: existing)
                statements += additions.statements
                differences += additions.differences
            } else {
                statements += table.creation
                isNewOutbox = isNewOutbox || table.name == SystemTables.outbox
            }
        }
        guard differences.isEmpty else {
            let list = differences.map { "\n  - \($0)." }.joined()
            throw StoreError(.schema, "The database is not what the entities are declared to be:\(list)")
        }
        for statement in statements { try run(statement, on: connection) }
        if isNewOutbox { try beginOutbox(on: connection) }
    }

    private func run(_ statement: String, on connection: any SQLConnection) throws {
        do {
            try connection.execute(statement)
        } catch let error as StoreError where error.code == .unique {
            throw StoreError(
                .schema,
                "A field is declared as unique, and rows that are there have the same value. Make them differ first. "
                    + "The statement was: \(statement)."
            )
        }
    }

    /// Tables that others refer to come before them.
    private var tables: [TableDefinition] {
        var tables = SystemTables.all(in: dialect)
        var made: Set<String> = []
        var visiting: Set<String> = []
        func add(_ schema: EntitySchema) {
            guard !made.contains(schema.name), visiting.insert(schema.name).inserted else { return }
            for column in schema.columns + schema.children.flatMap(\.schema.columns) {
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

    /// Positions begin anew, so what was known of earlier ones is over.
    private func beginOutbox(on connection: any SQLConnection) throws {
        if !dialect.stampsOnInsert { try connection.execute("CREATE SEQUENCE IF NOT EXISTS sync_outbox_position") }
        try OutboxHead.begin(on: connection)
        try connection.execute("DELETE FROM tidings_outbox_cursor")
    }
}
