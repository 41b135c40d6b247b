#if PostgreSQL
import DatabaseTestSupport
import Dispatch
import Testing
import TidingsEntities
import TidingsPostgres

/// Lends a store over a new database of the shared server, and closes it.
func withStore<Result: Sendable>(
    _ configuration: PostgresEntityStore.Configuration = .init(),
    _ body: (PostgresEntityStore, TestDatabase) async throws -> Result
) async throws -> Result {
    try await PostgresServer.shared.withDatabase { database in
        let store = try PostgresEntityStore(database.connectionString, configuration: configuration)
        do {
            let result = try await body(store, database)
            await store.close()
            return result
        } catch {
            await store.close()
            throw error
        }
    }
}

/// Stops the body of a transaction at a place until the test lets it go on.
final class Stop: Sendable {
    private let arrivals: AsyncStream<Int64>
    private let arrive: AsyncStream<Int64>.Continuation
    private let permits = DispatchSemaphore(value: 0)

    init() {
        (arrivals, arrive) = AsyncStream.makeStream()
    }

    /// Says that a body is here, and stops it. Blocks its thread, as bodies may.
    func pass(_ number: Int64 = 0) throws {
        arrive.yield(number)
        guard permits.wait(timeout: .now() + 60) == .success else { throw CancellationError() }
    }

    /// Waits until a body is here; gives its number.
    func arrival() async throws -> Int64 {
        for await number in arrivals { return number }
        throw CancellationError()
    }

    /// Lets one body go on.
    func open() {
        permits.signal()
    }
}

extension PostgresEntityStore {
    /// The number of rows of a table.
    func count(_ table: String) async throws -> Int64? {
        try await read { try $0.execute("SELECT count(*) AS n FROM \(table)").first?["n"].integer }
    }
}

/// Fails unless something is refused with a code; gives the error.
@discardableResult
func expectError<Value>(
    _ code: StoreError.Code,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Value
) async -> StoreError? {
    do {
        _ = try await body()
        Issue.record("it succeeded", sourceLocation: sourceLocation)
    } catch let error as StoreError {
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
        return error
    } catch {
        Issue.record(error, sourceLocation: sourceLocation)
    }
    return nil
}
#endif
