import GRDB
import Synchronization

/// What is known of the statements that each connection keeps prepared.
///
/// GRDB keeps every statement, and with it the names that its columns had when it was prepared. So they are all given up
/// when tables have changed, by this connection or any other, and when they have become too many: a program may spell out
/// statements anew again and again, with another number of parameters each time.
final class PreparedStatements: Sendable {
    private struct Kept {
        var schemaVersion: Int?
        var statements: Set<String> = []
    }

    private static let limit = 500
    private let connections = Mutex<[ObjectIdentifier: Kept]>([:])

    /// At the beginning of each transaction: forgets statements that were prepared for other tables.
    func begin(in database: Database) throws {
        let version = try Int.fetchOne(database.cachedStatement(sql: "PRAGMA schema_version"))
        let isCurrent = connections.withLock { connections in
            if connections[ObjectIdentifier(database)]?.schemaVersion == version { return true }
            connections[ObjectIdentifier(database)] = Kept(schemaVersion: version)
            return false
        }
        guard !isCurrent else { return }
        database.releaseMemory()
        // SQLite itself notices changed tables only when it runs a statement; what it prepares before has the old columns.
        _ = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema")
    }

    /// A statement, prepared now or earlier.
    func statement(_ sql: String, in database: Database) throws -> Statement {
        let isTooMany = connections.withLock { connections in
            let count = connections[ObjectIdentifier(database), default: Kept()].statements.count
            if count >= Self.limit { connections[ObjectIdentifier(database)]?.statements = [] }
            connections[ObjectIdentifier(database)]?.statements.insert(sql)
            return count >= Self.limit
        }
        if isTooMany { database.releaseMemory() }
        return try database.cachedStatement(sql: sql)
    }

    /// Forgets a connection's statements if this one, which has run, may have changed tables.
    func didRun(_ sql: String, in database: Database) {
        let word = sql.drop { $0.isWhitespace }.prefix { $0.isLetter }.lowercased()
        guard !["select", "insert", "update", "delete", "with", "replace"].contains(word) else { return }
        _ = connections.withLock { $0.removeValue(forKey: ObjectIdentifier(database)) }
        database.releaseMemory()
    }
}
