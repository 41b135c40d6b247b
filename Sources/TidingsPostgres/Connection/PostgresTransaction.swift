#if PostgreSQL
import TidingsEntities

/// A connection within a transaction.
///
/// A transaction in which a statement failed is over: PostgreSQL refuses what follows, and so does this.
final class PostgresTransaction: SQLConnection {
    /// What a transaction may do.
    enum Mode: String {
        /// Sees one moment.
        case read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        /// Waits for others that change the same row, and sees what they committed.
        case write = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
    }

    var dialect: SQLDialect { .postgres }

    private let connection: PostgresConnection
    private let mode: Mode
    private let state: TransactionState
    private var failure: (any Error)?
    private var limit: Duration?
    private var isUntouched = true

    private init(_ connection: PostgresConnection, _ mode: Mode, _ state: TransactionState) {
        self.connection = connection
        self.mode = mode
        self.state = state
        limit = connection.statementTimeout
    }

    @discardableResult
    func execute(_ sql: String, _ parameters: [SQLValue]) throws -> [SQLRow] {
        try attempt { [self] in
            defer { isUntouched = false }
            do {
                return try send(sql, parameters)
            } catch let error as ServerFailure where error.message.isOutdatedPlan {
                connection.hasOutdatedStatements = true
                guard isUntouched else {
                    throw StoreError(.conflict, "A table was changed while it was used; run the transaction again.")
                }
                // Nothing was done yet, so the transaction can begin anew.
                try connection.run("ROLLBACK")
                try begin()
                return try send(sql, parameters)
            }
        }
    }

    /// Waits for other transactions that change tables. From now on statements have no time limit: filling a column or an
    /// index takes as long as it takes.
    func lockSchema() throws {
        try execute("SET LOCAL statement_timeout = 0")
        limit = nil
        try execute("SELECT pg_advisory_xact_lock(?)", [.integer(AdvisoryLock.schema)])
    }
}

// MARK: - Running

extension PostgresTransaction {
    /// Runs a transaction on the connection of a slot, or on a new one if it turns out to be gone before anything was done.
    static func run<Result>(
        _ mode: Mode,
        _ state: TransactionState,
        in slot: ConnectionSlot,
        _ body: (PostgresTransaction) throws -> Result
    ) throws -> Result {
        while true {
            let (connection, isNew) = try slot.connect()
            guard state.run(cancellingWith: connection.cancelHandle) else { throw CancellationError() }
            let transaction = PostgresTransaction(connection, mode, state)
            do {
                try transaction.begin()
            } catch {
                if !connection.isUsable, !isNew { continue }
                transaction.rollBack()
                throw transaction.meaning(of: error)
            }
            return try transaction.finish(body)
        }
    }

    private func finish<Result>(_ body: (PostgresTransaction) throws -> Result) throws -> Result {
        do {
            let result = try body(self)
            if let failure { throw failure }
            guard state.end() else { throw CancellationError() }
            try commit()
            return result
        } catch {
            rollBack()
            throw error
        }
    }

    private func begin() throws {
        if connection.hasOutdatedStatements { try connection.forgetStatements() }
        try connection.run(mode.rawValue)
    }

    private func commit() throws {
        guard mode == .write else {
            // What was read was read, whatever becomes of the connection.
            _ = try? connection.run("COMMIT")
            return
        }
        do {
            let result = try connection.run("COMMIT")
            guard result.command == "COMMIT" else {
                throw StoreError(.other, "The transaction was given up by the database; run it again.")
            }
        } catch let failure as ServerFailure {
            throw failure.message.isFatal ? StoreError.unknownOutcome : StoreError(failure.message)
        } catch is PostgresConnection.Interruption {
            throw StoreError.unknownOutcome
        }
    }

    private func rollBack() {
        _ = state.end()
        // A request to cancel that comes late must not hit a statement of somebody else.
        guard connection.cancelHandle.isSettled(withinSeconds: 1) else { return connection.abandon() }
        guard connection.isUsable, !connection.isIdle else { return }
        _ = try? connection.run("ROLLBACK")
        if !connection.isIdle { connection.abandon() }
    }

    // MARK: Statements

    private func send(_ sql: String, _ parameters: [SQLValue]) throws -> [SQLRow] {
        try connection.execute(sql, parameters, limit: limit) { state.isCancelled }
    }

    private func attempt<Result>(_ statement: () throws -> Result) throws -> Result {
        if let failure { throw failure }
        do {
            guard !state.isCancelled else { throw CancellationError() }
            let result = try statement()
            guard connection.isInTransaction else {
                throw StoreError(.other, "A statement ended the transaction; leave that to the store.")
            }
            return result
        } catch {
            let failure = meaning(of: error)
            self.failure = failure
            throw failure
        }
    }

    private func meaning(of error: any Error) -> any Error {
        switch error {
        case is PostgresConnection.Interruption:
            return state.isCancelled ? CancellationError() : StoreError.connectionLost
        case let failure as ServerFailure:
            let wasCancelled = state.isCancelled && failure.message.state == "57014"
            return wasCancelled ? CancellationError() : StoreError(failure.message)
        default:
            return error
        }
    }
}

/// The keys of advisory locks, which every program on a database shares: the letters `tidings`, and a number.
enum AdvisoryLock {
    static let schema: Int64 = 0x7469_6469_6e67_7301
    static let outbox: Int64 = 0x7469_6469_6e67_7302
}
#endif
