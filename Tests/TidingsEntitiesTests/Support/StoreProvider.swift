import DatabaseTestSupport
import Foundation
import Synchronization
import TestSupport
import Testing
import TidingsEntities
import TidingsPostgres
import TidingsSQLite

/// A kind of database that the suites run on: each test gets an empty one, which goes with it.
struct StoreProvider: Sendable, CustomTestStringConvertible {
    let testDescription: String
    private let lend:
        @Sendable (_ body: @Sendable (_ open: @escaping Opening) async throws -> Void) async throws -> Void

    /// Opens one more store on the database that was lent, as another process would.
    typealias Opening = @Sendable () throws -> any EntityStore

    /// Lends an empty database, and closes every store that was opened on it.
    func run(_ body: @Sendable (TestDatabase) async throws -> Void) async throws {
        try await lend { open in
            let database = TestDatabase(open)
            do {
                try await body(database)
            } catch {
                await database.close()
                throw error
            }
            await database.close()
        }
    }

    /// A database of one test.
    final class TestDatabase: Sendable {
        private let open: Opening
        private let stores = Mutex<[any EntityStore]>([])

        init(_ open: @escaping Opening) {
            self.open = open
        }

        /// One more store on the same database.
        func store() throws -> any EntityStore {
            let store = try open()
            stores.withLock { $0.append(store) }
            return store
        }

        func close() async {
            for store in stores.withLock({ $0 }) { await store.close() }
        }
    }
}

extension StoreProvider {
    /// Every kind that can be had here.
    static let all: [StoreProvider] = [sqlite] + (postgres.map { [$0] } ?? [])

    static let sqlite = StoreProvider(testDescription: "SQLite") { body in
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let path = folder.file("entities.sqlite")
        let configuration = SQLiteEntityStore.Configuration { configuration in
            // The tests end no machine, so what is written need not reach the disk.
            configuration.durability = .process
            (configuration.waitLimit, configuration.busyTimeout) = (.patience, .patience)
        }
        try await body { try SQLiteEntityStore(path: path, configuration: configuration) }
    }

    #if PostgreSQL
    static let postgres: StoreProvider? = PostgresServer.isExpected ? onSharedServer : nil

    private static let onSharedServer = StoreProvider(testDescription: "PostgreSQL") { body in
        try await PostgresServer.shared.withDatabase { database in
            let configuration = PostgresEntityStore.Configuration { configuration in
                configuration.connections = 6
                (configuration.waitLimit, configuration.statementTimeout) = (.patience, .patience)
            }
            try await body { try PostgresEntityStore(database.connectionString, configuration: configuration) }
        }
    }
    #else
    static let postgres: StoreProvider? = nil
    #endif
}
