/// A database that holds entities, their audit and their outbox.
///
/// What every store promises, and what the conformance suite in TidingsTesting checks on each:
/// - ``write(_:)`` is one transaction: everything that its body did is there when it returns, or nothing is. After a
///   crash it is one or the other too.
/// - Two transactions that change the same row wait for each other: the second one sees what the first one committed.
/// - ``read(_:)`` sees one moment: nothing that is committed while its body runs.
/// - Bodies are synchronous: a transaction waits for nothing but its database. They run on a thread of the store's,
///   never on the cooperative pool or an event loop.
///
/// Every method can be called from any task or thread at any time.
public protocol EntityStore: Sendable {
    /// How this database spells what databases spell differently.
    var dialect: SQLDialect { get }

    /// Runs statements that only read, all of them seeing the same moment.
    ///
    /// - Parameter body: Reads. Nothing that it writes is kept.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws; ``StoreError`` if the database cannot be reached, has nobody free within the time
    ///   that the store is configured to wait, or a statement takes too long; `CancellationError` when the task is
    ///   cancelled before the body began. A cancelled task interrupts the statement that runs.
    func read<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws -> Result

    /// Runs statements as one transaction.
    ///
    /// - Parameter body: Reads and writes. When it throws, nothing that it wrote is kept. After a statement failed the
    ///   transaction is over: later statements fail too, and nothing is kept even if the body returns. It runs once.
    /// - Returns: What the body returns, after it is committed and durable.
    /// - Throws: What the body throws, the error of a statement that failed, or what ``read(_:)`` throws. If the connection
    ///   is lost during the commit itself, the error's code is ``StoreError/Code/unknownOutcome``: the change may be there
    ///   or not.
    @discardableResult
    func write<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws -> Result

    /// Gives positions to the outbox's committed rows that have none yet. Returns at once where rows get their positions
    /// as they are written.
    ///
    /// - Returns: Whether any row got one.
    /// - Throws: ``StoreError``.
    func stampOutbox() async throws -> Bool

    /// Watches for changes that other processes commit, until the task is cancelled.
    ///
    /// A hint that does not come costs time, never an event: whoever waits for it also looks at intervals.
    ///
    /// - Parameter changed: Called when the outbox may have grown, from any thread. It must return at once.
    func watchOutbox(_ changed: @escaping @Sendable () -> Void) async

    /// Ends every connection after the transactions that run. Closing twice does nothing.
    func close() async
}

/// A connection within a transaction. It is good until the body that it was given to returns, and only on its thread.
public protocol SQLConnection {
    /// How this database spells what databases spell differently.
    var dialect: SQLDialect { get }

    /// Runs one statement.
    ///
    /// - Parameters:
    ///   - sql: One statement with `?` for each parameter; `??` is a question mark of the statement's own.
    ///   - parameters: The parameters, in order. They are bound, never spelled out.
    /// - Returns: The rows that it returns, at most as many as fit the memory: bound them with `LIMIT`.
    /// - Throws: ``StoreError``.
    @discardableResult
    func execute(_ sql: String, _ parameters: [SQLValue]) throws -> [SQLRow]

    /// Looks at a table as it is.
    ///
    /// - Parameter name: The table's name, without quotes.
    /// - Returns: What it looks like; nil if there is none.
    /// - Throws: ``StoreError``.
    func table(named name: String) throws -> SQLTable?

    /// Waits until no other process changes tables, and keeps others from it until the transaction ends.
    ///
    /// - Throws: ``StoreError``.
    func lockSchema() throws
}

extension SQLConnection {
    /// Runs one statement without parameters.
    ///
    /// - Parameter sql: One statement.
    /// - Throws: ``StoreError``.
    @discardableResult
    public func execute(_ sql: String) throws -> [SQLRow] {
        try execute(sql, [])
    }
}
