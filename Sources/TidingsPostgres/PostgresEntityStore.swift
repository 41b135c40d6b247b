#if PostgreSQL
public import Logging
public import TidingsEntities

/// Keeps entities in PostgreSQL, over libpq.
///
/// ```swift
/// let store = try PostgresEntityStore("postgresql://bistro@db.example.org/bistro?sslmode=verify-full")
/// ```
///
/// Connections are made when they are needed, and replaced when they were lost. A statement is never sent twice, unless
/// nothing of its transaction can have had an effect.
///
/// The server is talked to directly, or through a pooler that keeps sessions apart. One that gives out connections by the
/// transaction does not do: settings, prepared statements and listening belong to the session.
///
/// Settings that a body makes outlive its transaction, unless they are made with `SET LOCAL`.
public final class PostgresEntityStore: EntityStore {
    let pool: ConnectionPool
    let settings: ConnectionSettings
    let closing = ClosingSignal()

    /// How PostgreSQL spells what databases spell differently.
    public var dialect: SQLDialect { .postgres }

    /// Makes a store, without connecting.
    ///
    /// - Parameters:
    ///   - connectionString: Where the database is and who connects, as libpq takes it (PostgreSQL 34.1.1): a URI or
    ///     keywords and values. TLS is asked for in it (`sslmode`, `sslrootcert`). What it does not say is taken from the
    ///     environment (`PGHOST`, `PGPASSWORD` …) and from `~/.pgpass`.
    ///   - configuration: How the server is used.
    ///   - logger: Is told the server's notices, at the level debug.
    /// - Throws: ``TidingsEntities/StoreError`` if the string cannot be read.
    public init(
        _ connectionString: String,
        configuration: Configuration = Configuration(),
        logger: Logger = Logger(label: "tidings.postgres")
    ) throws(StoreError) {
        settings = try ConnectionSettings(connectionString, configuration, logger)
        pool = ConnectionPool(settings)
    }

    /// Runs statements that only read, all of them seeing the same moment (`REPEATABLE READ READ ONLY`).
    public func read<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws -> Result {
        try await pool.run(.read) { try body($0) }
    }

    /// Runs statements as one transaction (`READ COMMITTED`).
    @discardableResult
    public func write<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws -> Result {
        try await pool.run(.write) { try body($0) }
    }

    /// Ends every connection after the transactions that run. Closing twice does nothing.
    public func close() async {
        closing.close()
        await pool.close()
    }
}
#endif
