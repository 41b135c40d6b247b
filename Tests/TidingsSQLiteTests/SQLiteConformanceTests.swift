import TestSupport
import Testing
import TidingsEntities
import TidingsSQLite
import TidingsTesting

@Suite("The SQLite store keeps the promises of EntityStore", .timeLimit(.patience))
struct SQLiteConformanceTests {
    @Test("durable to the disk", arguments: EntityStoreConformance.checks)
    func durable(_ check: ConformanceCheck<any EntityStore>) async throws {
        try await run(check, .init())
    }

    @Test("durable to the end of the process", arguments: EntityStoreConformance.checks)
    func fast(_ check: ConformanceCheck<any EntityStore>) async throws {
        try await run(check, .init { $0.durability = .process })
    }

    private func run(
        _ check: ConformanceCheck<any EntityStore>,
        _ configuration: SQLiteEntityStore.Configuration
    ) async throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let store = try SQLiteEntityStore(path: folder.file("store.sqlite"), configuration: configuration)
        do {
            try await check.run(against: store)
        } catch {
            Issue.record(error)
        }
        await store.close()
    }
}
