import GRDB
import TidingsEntities

/// A connection within a transaction.
///
/// A transaction in which a statement failed is over, as it is in PostgreSQL: later statements fail with the same error,
/// and so does the transaction, even if its body went on.
final class SQLiteConnection: SQLConnection {
    /// What ended the transaction early.
    private(set) var failure: (any Error)?
    private let database: Database
    private let statements: PreparedStatements

    var dialect: SQLDialect { .sqlite }

    init(_ database: Database, statements: PreparedStatements) {
        self.database = database
        self.statements = statements
    }

    func execute(_ sql: String, _ parameters: [SQLValue]) throws -> [SQLRow] {
        if let failure { throw failure }
        do {
            let rows = try run(sql, parameters)
            guard database.isInsideTransaction else {
                throw StoreError(.other, "A statement ended the transaction; leave that to the store.")
            }
            return rows
        } catch {
            let failure = SQLiteEntityStore.meaning(of: error)
            self.failure = failure
            throw failure
        }
    }

    /// Nothing: a transaction that writes is alone.
    func lockSchema() throws {}

    private func run(_ sql: String, _ parameters: [SQLValue]) throws -> [SQLRow] {
        let statement = try statements.statement(sql, in: database)
        let arguments = StatementArguments(try parameters.map { try $0.databaseValue() })
        let names = statement.columnNames
        guard !names.isEmpty else {
            try statement.execute(arguments: arguments)
            statements.didRun(sql, in: database)
            return []
        }
        let columns = Dictionary(zip(names, names.indices)) { first, _ in first }
        var rows: [SQLRow] = []
        let cursor = try Row.fetchCursor(statement, arguments: arguments)
        while let row = try cursor.next() {
            let values = try names.indices.map { try SQLValue(row[$0] as DatabaseValue, column: names[$0]) }
            rows.append(SQLRow(columns: columns, values: values))
        }
        return rows
    }
}
