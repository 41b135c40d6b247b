#if PostgreSQL
import DatabaseTestSupport
import TestSupport
import Testing
import TidingsEntities
import TidingsPostgres
import TidingsTesting

@Suite("The PostgreSQL store keeps the promises of EntityStore", .needsPostgreSQL, .serialized, .timeLimit(.patience))
struct PostgresConformanceTests {
    @Test("with prepared statements", arguments: EntityStoreConformance.checks)
    func prepared(_ check: ConformanceCheck<any EntityStore>) async throws {
        try await run(check, .init())
    }

    @Test("without prepared statements, over few connections", arguments: EntityStoreConformance.checks)
    func plain(_ check: ConformanceCheck<any EntityStore>) async throws {
        try await run(
            check,
            .init { configuration in
                configuration.preparedStatements = 0
                configuration.connections = 4
            }
        )
    }

    private func run(
        _ check: ConformanceCheck<any EntityStore>,
        _ configuration: PostgresEntityStore.Configuration
    ) async throws {
        try await PostgresServer.shared.withDatabase { database in
            let store = try PostgresEntityStore(database.connectionString, configuration: configuration)
            do {
                try await check.run(against: store)
            } catch {
                Issue.record(error)
            }
            await store.close()
        }
    }
}
#endif
