import GRDB
public import TidingsEntities

/// Keeps entities in a SQLite file.
///
/// ```swift
/// let store = try SQLiteEntityStore(path: "orders.sqlite")
/// ```
///
/// One transaction writes at a time, while others read what was committed before they began (WAL). Other processes may use
/// the file at the same time; it has to be on a local disk. SQLite does not tell -0.0 from 0.0 in a column.
public final class SQLiteEntityStore: EntityStore {
    let path: String
    let configuration: Configuration
    private let file: DatabaseFile
    private let pool: DatabasePool
    private let readers: WaitingLine
    private let writers: WaitingLine
    private let statements = PreparedStatements()

    /// How SQLite spells what databases spell differently.
    public var dialect: SQLDialect { .sqlite }

    /// Opens a file, or makes it.
    ///
    /// - Parameters:
    ///   - path: Where it is. The folder has to be there.
    ///   - configuration: How it is used.
    /// - Throws: ``TidingsEntities/StoreError`` that says what to do.
    public init(path: String, configuration: Configuration = Configuration()) throws(StoreError) {
        self.path = path
        self.configuration = configuration
        // Names of databases that are no files, to SQLite.
        guard !path.isEmpty, path != ":memory:" else {
            throw StoreError(.unavailable, "The database needs a file to be in; name one.")
        }
        do {
            pool = try Self.open(path, configuration)
        } catch {
            throw StoreError(opening: path, error)
        }
        guard let file = DatabaseFile(path) else {
            throw StoreError(.unavailable, "The database at \(path) went away while it was opened.")
        }
        self.file = file
        let (limit, bound) = (configuration.waitLimit, configuration.waitingTransactions)
        readers = WaitingLine(places: max(1, configuration.readers), limit: limit, bound: bound)
        writers = WaitingLine(places: 1, limit: limit, bound: bound)
    }

    /// Runs statements that only read, all of them seeing the same moment.
    public func read<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws -> Result {
        try await readers.enter()
        defer { readers.leave() }
        return try await limited { [self] in
            try await pool.read { database in
                try file.checkThatItIsThere()
                return try result(of: body, in: database)
            }
        }
    }

    /// Runs statements as one transaction.
    @discardableResult
    public func write<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws -> Result {
        try await writers.enter()
        defer { writers.leave() }
        return try await limited { [self] in
            try await pool.writeWithoutTransaction { database in
                try file.checkThatItIsThere()
                do {
                    try begin(in: database)
                    let result = try result(of: body, in: database)
                    try commit(in: database)
                    return result
                } catch {
                    try? database.rollback()
                    throw error
                }
            }
        }
    }

    /// Returns at once: rows of the outbox get their positions as they are written.
    public func stampOutbox() async throws -> Bool { false }

    /// Ends every connection after the transactions that run. Closing twice does nothing.
    public func close() async {
        await readers.close()
        await writers.close()
        // Nobody is left who could use a connection, and a second close finds nothing open.
        try? pool.close()
    }
}

// MARK: - Parts

extension SQLiteEntityStore {
    /// How long the writing connection waits for another process before it looks whether it should go on waiting.
    private static let patience = Duration.milliseconds(50)

    private static func open(_ path: String, _ configuration: Configuration) throws -> DatabasePool {
        var setting = GRDB.Configuration()
        setting.label = "Tidings"
        setting.foreignKeysEnabled = true
        setting.journalMode = .wal
        setting.maximumReaderCount = max(1, configuration.readers)
        setting.busyMode = .timeout(configuration.busyTimeout.seconds)
        setting.prepareDatabase { database in
            try database.execute(sql: "PRAGMA busy_timeout = \(Int(configuration.busyTimeout.seconds * 1000))")
        }
        let pool = try DatabasePool(path: path, configuration: setting)
        try pool.writeWithoutTransaction { database in
            // Not earlier: GRDB makes it NORMAL when it turns WAL on.
            try database.execute(sql: "PRAGMA synchronous = \(configuration.durability.pragma)")
            // Without it a disk of Apple's says too early that it has everything.
            try database.execute(sql: "PRAGMA fullfsync = \(configuration.durability == .full)")
            // Waiting for other processes is done here from now on, because SQLite's own cannot be interrupted.
            try database.execute(sql: "PRAGMA busy_timeout = \(Int(patience.seconds * 1000))")
        }
        return pool
    }

    private func begin(in database: Database) throws {
        let deadline = ContinuousClock.now + configuration.busyTimeout
        while true {
            do {
                return try database.beginTransaction(.immediate)
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && ContinuousClock.now < deadline
            {
                continue
            }
        }
    }

    private func commit(in database: Database) throws {
        do {
            try database.commit()
        } catch let error as DatabaseError where error.resultCode == .SQLITE_IOERR {
            // What reached the disk is there after the next start.
            throw StoreError(.unknownOutcome, "The disk failed while SQLite committed; check what was changed.")
        }
    }

    /// What a body returns, unless a statement of it failed.
    private func result<Result>(
        of body: (any SQLConnection) throws -> Result,
        in database: Database
    ) throws -> Result {
        try statements.begin(in: database)
        let connection = SQLiteConnection(database, statements: statements)
        let result = try body(connection)
        if let failure = connection.failure { throw failure }
        return result
    }

    /// Interrupts a transaction that takes too long.
    private func limited<Result: Sendable>(
        _ transaction: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let limit = configuration.transactionTimeout
        do {
            return try await within(limit, transaction)
        } catch is Overdue {
            throw StoreError(
                .timeout,
                "A transaction took longer than \(limit); make it smaller, or look for a missing index."
            )
        } catch {
            throw Self.meaning(of: error)
        }
    }

    /// What an error means; those that are not of SQLite mean themselves.
    static func meaning(of error: any Error) -> any Error {
        guard let error = error as? DatabaseError else { return error }
        if error.resultCode == .SQLITE_INTERRUPT || error.resultCode == .SQLITE_ABORT { return CancellationError() }
        return StoreError(error)
    }
}

extension Duration {
    var seconds: Double { self / .seconds(1) }
}
