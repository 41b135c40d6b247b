public import TidingsEntities

/// What every ``TidingsEntities/EntityStore`` promises.
public enum EntityStoreConformance {
    /// Each check needs a store of its own, over a database without tables, that lets four transactions read at once.
    public static let checks: [ConformanceCheck<any EntityStore>] =
        transactionChecks + isolationChecks + valueChecks + statementChecks + errorChecks + cancellationChecks
        + schemaChecks + outboxChecks + closingChecks

    static func check(
        _ description: String,
        _ body: @escaping @Sendable (any EntityStore) async throws -> Void
    ) -> ConformanceCheck<any EntityStore> {
        ConformanceCheck(description, body: body)
    }

    /// Fails unless a store refuses with a code; gives its error.
    @discardableResult
    static func expectError<Value>(
        _ code: StoreError.Code,
        _ what: String,
        _ body: () async throws -> Value
    ) async throws -> StoreError {
        do {
            _ = try await body()
        } catch let error as StoreError {
            try expect(error.code.rawValue, code.rawValue, "the error of \(what) (\(error.message))")
            guard error.message.hasSuffix(".") else {
                throw ConformanceFailure("the error of \(what) is no sentence: \(error.message)")
            }
            return error
        }
        throw ConformanceFailure("\(what) succeeded")
    }

    /// Fails unless a task is over because it was cancelled.
    static func expectCancelled<Value>(_ task: Task<Value, any Error>, _ what: String) async throws {
        switch await task.result {
        case .success: throw ConformanceFailure("\(what) succeeded")
        case .failure(is CancellationError): return
        case .failure(let error): throw ConformanceFailure("\(what): expected a CancellationError, found \(error)")
        }
    }

    /// What a body throws to be rolled back.
    struct Abandoned: Error {}

    // MARK: Tables

    /// A table `account` with the columns `id` and `amount`.
    static func createAccounts(_ store: any EntityStore, _ amounts: [Int64] = []) async throws {
        try await store.write { connection in
            let integer = connection.dialect.columnType(.integer)
            try connection.execute("CREATE TABLE account (id \(integer) PRIMARY KEY, amount \(integer) NOT NULL)")
            for (index, amount) in amounts.enumerated() {
                try connection.execute(
                    "INSERT INTO account (id, amount) VALUES (?, ?)",
                    [.integer(Int64(index)), .integer(amount)]
                )
            }
        }
    }

    static func amounts(_ store: any EntityStore) async throws -> [Int64?] {
        try await store.read { try amounts($0) }
    }

    static func amounts(_ connection: any SQLConnection) throws -> [Int64?] {
        try connection.execute("SELECT amount FROM account ORDER BY id").map { $0["amount"].integer }
    }
}
