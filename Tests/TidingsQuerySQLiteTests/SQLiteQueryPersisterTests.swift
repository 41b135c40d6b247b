import GRDB
import Testing
import TidingsQuery

@testable import TidingsQuerySQLite

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("Queries in SQLite")
struct SQLiteQueryPersisterTests {
    private let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).sqlite").path
    private let start = Date(timeIntervalSince1970: 1_700_000_000)

    private func entry(_ key: QueryKey, _ value: String = "1", age: TimeInterval = 0) -> PersistedEntry {
        var metadata = QueryMetadata()
        metadata["position"] = "12-7"
        return PersistedEntry(
            key: key.description,
            value: Data(value.utf8),
            updatedAt: start.addingTimeInterval(-age),
            version: 7,
            isInvalidated: true,
            metadata: metadata
        )
    }

    private func scope(_ buster: String = "", maxAge: TimeInterval = 86_400) -> PersistenceScope {
        PersistenceScope(buster: buster, oldest: start.addingTimeInterval(-maxAge))
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

    @Test("are loaded as they are selected")
    func selection() async throws {
        let persister = try SQLiteQueryPersister(path: path)
        let keys: [QueryKey] = [["a"], ["b"], ["c"]]
        try await persister.save(keys.map { .save(entry($0)) }, in: scope())
        let first = try await persister.load(.keys([["b"], ["x"]]), in: scope())
        #expect(first.entries.map(\.key) == [#"["b"]"#])
        let rest = try await persister.load(.allExcept([["b"]]), in: scope())
        #expect(Set(rest.entries.map(\.key)) == [#"["a"]"#, #"["c"]"#])
    }

    @Test("the newer one wins, also over what comes later")
    func newer() async throws {
        let persister = try SQLiteQueryPersister(path: path)
        try await persister.save([.save(entry(["a"], "new"))], in: scope())
        try await persister.save([.save(entry(["a"], "old", age: 10))], in: scope())
        let loaded = try await persister.load(.allExcept([]), in: scope())
        #expect(loaded.entries.map(\.value) == [Data("new".utf8)])
        try await persister.save([.save(entry(["a"], "other format", age: 10))], in: scope("2"))
        #expect(try await persister.load(.allExcept([]), in: scope("2")).entries.count == 1)
    }

    @Test("that are too old are deleted")
    func maxAge() async throws {
        let persister = try SQLiteQueryPersister(path: path)
        try await persister.save([.save(entry(["old"], age: 101)), .save(entry(["new"], age: 99))], in: scope())
        let loaded = try await persister.load(.allExcept([]), in: scope(maxAge: 100))
        #expect(loaded.entries.map(\.key) == [#"["new"]"#])
        #expect(try await persister.load(.allExcept([]), in: scope()).entries.count == 1)
    }

    @Test("of another format are deleted")
    func buster() async throws {
        let persister = try SQLiteQueryPersister(path: path)
        try await persister.save([.save(entry(["a"]))], in: scope("1"))
        #expect(try await persister.load(.allExcept([]), in: scope("2")).entries.isEmpty)
        #expect(try await persister.load(.allExcept([]), in: scope("1")).entries.isEmpty)
    }

    @Test("are removed")
    func remove() async throws {
        let persister = try SQLiteQueryPersister(path: path)
        try await persister.save([.save(entry(["a"])), .save(entry(["b"])), .remove(#"["a"]"#)], in: scope())
        #expect(try await persister.load(.allExcept([]), in: scope()).entries.map(\.key) == [#"["b"]"#])
    }

    @Test(
        "a row that cannot be read is dropped and told of; the others come",
        arguments: [
            "UPDATE entry1 SET key = 'no key' WHERE key = '[\"a\"]'",
            "UPDATE entry1 SET value = 'text' WHERE key = '[\"a\"]'",
            "UPDATE entry1 SET metadata = x'00ff' WHERE key = '[\"a\"]'",
            "UPDATE entry1 SET updated_at = 'later' WHERE key = '[\"a\"]'",
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

    @Test("a place where no file can be is an error that says so")
    func noPlace() {
        #expect { try SQLiteQueryPersister(path: "/nowhere/at/all.sqlite") } throws: { error in
            (error as? SQLitePersisterError)?.code == .cannotOpen
        }
    }

    @Test("mutations keep their order, and what they failed with")
    func mutations() async throws {
        let persister = try SQLiteQueryPersister(path: path)
        func mutation(_ name: String) -> PersistedMutation {
            PersistedMutation(
                identifier: MutationIdentifier(name),
                name: name,
                input: Data([1, 2]),
                idempotencyKey: "key",
                submittedAt: start
            )
        }
        for name in ["z", "a", "m"] { try await persister.save(mutation(name)) }
        var failed = mutation("a")
        failed.failure = "no"
        try await persister.save(failed)
        try await persister.removeMutation(MutationIdentifier("m"))
        let loaded = try await persister.loadMutations()
        #expect(loaded.map(\.name) == ["z", "a"])
        #expect(loaded.map(\.failure) == [nil, "no"])
        #expect(loaded[0].input == Data([1, 2]))
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
