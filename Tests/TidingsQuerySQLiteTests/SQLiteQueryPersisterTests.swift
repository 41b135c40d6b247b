import GRDB
import TestSupport
import Testing
import TidingsQuery
import TidingsTesting

@testable import TidingsQuerySQLite

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("Queries in SQLite")
struct SQLiteQueryPersisterTests {
    private let folder: TemporaryFolder
    private var path: String { folder.file("queries.sqlite") }
    private let start = Date(timeIntervalSince1970: 1_700_000_000)

    init() throws {
        folder = try TemporaryFolder()
    }

    private func entry(_ key: QueryKey) -> PersistedEntry {
        var metadata = QueryMetadata()
        metadata["position"] = "12-7"
        return PersistedEntry(
            key: key.description,
            value: Data("1".utf8),
            updatedAt: start,
            version: 7,
            isInvalidated: true,
            metadata: metadata
        )
    }

    private func scope() -> PersistenceScope {
        PersistenceScope(buster: "", oldest: start.addingTimeInterval(-86_400))
    }

    private func execute(_ sql: String) throws {
        try DatabaseQueue(path: path).write { try $0.execute(sql: sql) }
    }

    @Test("come back as they were")
    func roundTrip() async throws {
        let persister = try SQLiteQueryPersister(path: path)
        try await persister.save([.save(entry(["a", 1]))], in: scope())
        let again = try SQLiteQueryPersister(path: path)
        let loaded = try await again.load(.allExcept([]), in: scope())
        let found = try #require(loaded.entries.first)
        #expect(loaded.entries.count == 1)
        #expect(found.key == #"["a",1]"#)
        #expect(found.value == Data("1".utf8))
        #expect(found.updatedAt == start)
        #expect(found.version == 7)
        #expect(found.isInvalidated)
        #expect(found.metadata["position"] == "12-7")
        #expect(!again.isReplaced)
    }

    @Test("are kept as every persister promises", arguments: QueryPersisterConformance.checks)
    func conforms(_ check: ConformanceCheck<any QueryPersister>) async throws {
        try await check.run(against: SQLiteQueryPersister(path: path))
    }

    @Test(
        "a row that cannot be read is dropped and told of; the others come",
        arguments: [
            "UPDATE entry2 SET key = 'no key' WHERE key = '[\"a\"]'",
            "UPDATE entry2 SET value = 'text' WHERE key = '[\"a\"]'",
            "UPDATE entry2 SET metadata = x'00ff' WHERE key = '[\"a\"]'",
            "UPDATE entry2 SET updated_at = 'later' WHERE key = '[\"a\"]'",
        ]
    )
    func corruptRow(_ damage: String) async throws {
        let persister = try SQLiteQueryPersister(path: path)
        try await persister.save([.save(entry(["a"])), .save(entry(["b"]))], in: scope())
        try execute(damage)
        let loaded = try await persister.load(.allExcept([]), in: scope())
        #expect(loaded.entries.map(\.key) == [#"["b"]"#])
        #expect(loaded.corrupt.count == 1)
        #expect(try await persister.load(.allExcept([]), in: scope()).corrupt.isEmpty)
    }

    @Test("a file that is no database is replaced")
    func corruptFile() async throws {
        try Data(repeating: 7, count: 10_000).write(to: URL(fileURLWithPath: path))
        let persister = try SQLiteQueryPersister(path: path)
        #expect(persister.isReplaced)
        try await persister.save([.save(entry(["a"]))], in: scope())
        #expect(try await persister.load(.allExcept([]), in: scope()).entries.count == 1)
    }

    @Test("a file that is a database, but cannot be used, is left as it is")
    func foreignFile() throws {
        try execute(
            "CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine'); CREATE INDEX entry2 ON notes (text)"
        )
        #expect { try SQLiteQueryPersister(path: path) } throws: { error in
            (error as? SQLitePersisterError)?.code == .cannotOpen
        }
        let notes = try DatabaseQueue(path: path).read { try String.fetchAll($0, sql: "SELECT text FROM notes") }
        #expect(notes == ["mine"])
    }

    @Test("a mutation that cannot be read is deleted and told of; the others come")
    func corruptMutation() async throws {
        let persister = try SQLiteQueryPersister(path: path)
        for name in ["a", "b"] {
            let mutation = PersistedMutation(
                identifier: MutationIdentifier(name),
                name: name,
                input: Data([1]),
                idempotencyKey: name,
                submittedAt: start,
                order: 1
            )
            try await persister.save(mutation)
        }
        try execute("UPDATE mutation3 SET submitted_at = 'later' WHERE name = 'a'")
        let loaded = try await persister.loadMutations()
        #expect(loaded.mutations.map(\.name) == ["b"])
        #expect(loaded.corrupt == ["a"])
        #expect(try await persister.loadMutations().corrupt.isEmpty)
    }

    @Test("a client that takes a file over waits for what the one before it is still writing")
    func handover() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<4 {
                group.addTask {
                    for number in 0..<50 {
                        let persister = try SQLiteQueryPersister(path: path)
                        try await persister.save(
                            [.save(entry(["a", .integer(client), .integer(number)]))],
                            in: scope()
                        )
                    }
                }
            }
            try await group.waitForAll()
        }
        let persister = try SQLiteQueryPersister(path: path)
        #expect(try await persister.load(.allExcept([]), in: scope()).entries.count == 200)
    }

    @Test("a place where no file can be is an error that says so")
    func noPlace() {
        #expect { try SQLiteQueryPersister(path: "/nowhere/at/all.sqlite") } throws: { error in
            (error as? SQLitePersisterError)?.code == .cannotOpen
        }
    }

    @Test("outlive the client, entries and mutations")
    func client() async throws {
        let query = Query<[Int]>(key: ["list"])
        let persister = try SQLiteQueryPersister(path: path)
        let first = QueryClient(.init { $0.persister = persister })
        await first.restore()
        first.setData([1, 2, 3], for: query)
        await first.flush()

        let again = try SQLiteQueryPersister(path: path)
        let second = QueryClient(.init { $0.persister = again })
        await second.restore()
        #expect(second.data(of: query) == [1, 2, 3])
        second.remove(["list"])
        await second.flush()

        let last = try SQLiteQueryPersister(path: path)
        let third = QueryClient(.init { $0.persister = last })
        await third.restore()
        #expect(third.data(of: query) == nil)
    }
}
