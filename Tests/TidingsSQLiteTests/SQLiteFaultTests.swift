import Foundation
import GRDB
import TestSupport
import Testing
import TidingsEntities

@testable import TidingsSQLite

@Suite("The SQLite store says what is wrong", .timeLimit(.patience))
struct SQLiteFaultTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    // MARK: Opening

    @Test("a folder, a missing folder and a file that is no database are refused with what to do")
    func opening() throws {
        let noDatabase = folder.file("text")
        try Data(String(repeating: "This is a letter. ", count: 500).utf8).write(to: URL(fileURLWithPath: noDatabase))
        let cases = [
            (folder.path, "is a folder"), (folder.file("missing/store.sqlite"), "There is no folder"),
            (noDatabase, "is not a database"), ("/proc/store.sqlite", "/proc"), ("", "a file"), (":memory:", "a file"),
        ]
        for (path, text) in cases {
            let error = #expect(throws: StoreError.self) { try SQLiteEntityStore(path: path) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains(text) == true, "\(path): \(error?.message ?? "")")
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: noDatabase)).starts(with: Data("This is".utf8)))
    }

    @Test(
        "each of SQLite's failures has a code",
        arguments: [
            (ResultCode.SQLITE_FULL, StoreError.Code.full), (.SQLITE_BUSY, .timeout), (.SQLITE_LOCKED, .timeout),
            (.SQLITE_BUSY_SNAPSHOT, .timeout), (.SQLITE_IOERR, .unavailable), (.SQLITE_IOERR_WRITE, .unavailable),
            (.SQLITE_CANTOPEN, .unavailable), (.SQLITE_NOTADB, .unavailable), (.SQLITE_CORRUPT, .unavailable),
            (.SQLITE_READONLY_DBMOVED, .unavailable), (.SQLITE_READONLY, .other), (.SQLITE_ERROR, .other),
            (.SQLITE_CONSTRAINT_CHECK, .other), (.SQLITE_CONSTRAINT_NOTNULL, .other),
            (.SQLITE_CONSTRAINT_UNIQUE, .unique), (.SQLITE_CONSTRAINT_PRIMARYKEY, .unique),
            (.SQLITE_CONSTRAINT_FOREIGNKEY, .foreignKey),
        ]
    )
    func codes(_ result: ResultCode, _ code: StoreError.Code) {
        #expect(StoreError(DatabaseError(resultCode: result, message: "text")).code == code)
    }

    // MARK: The file

    @Test("a full disk is told, nothing is kept, and the store goes on when there is room")
    func full() async throws {
        let store = try SQLiteEntityStore(path: folder.file("store.sqlite"))
        try await store.write { connection in
            try connection.execute("CREATE TABLE note (body TEXT)")
            try connection.execute("PRAGMA max_page_count = 20")
        }
        let large: SQLValue = .text(String(repeating: "x", count: 500_000))
        let error = await #expect(throws: StoreError.self) {
            try await store.write { connection in
                try connection.execute("INSERT INTO note (body) VALUES ('small')")
                try connection.execute("INSERT INTO note (body) VALUES (?)", [large])
            }
        }
        #expect(error?.code == .full)
        #expect(try await count(store) == 0)
        try await store.write { try $0.execute("PRAGMA max_page_count = 10000") }
        try await store.write { try $0.execute("INSERT INTO note (body) VALUES (?)", [large]) }
        #expect(try await count(store) == 1)
    }

    @Test("a database that another connection holds is waited for, for so long")
    func locked() async throws {
        let store = try SQLiteEntityStore(
            path: folder.file("store.sqlite"),
            configuration: .init { $0.busyTimeout = .milliseconds(300) }
        )
        try await store.write { try $0.execute("CREATE TABLE note (body TEXT)") }
        var setting = Configuration()
        setting.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: folder.file("store.sqlite"), configuration: setting)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        let start = ContinuousClock.now
        let error = await #expect(throws: StoreError.self) {
            try await store.write { try $0.execute("INSERT INTO note (body) VALUES ('x')") }
        }
        #expect(error?.code == .timeout)
        #expect(ContinuousClock.now - start >= .milliseconds(300))
        // Whoever waits for the lock can be cancelled long before that.
        let patient = try SQLiteEntityStore(
            path: folder.file("store.sqlite"),
            configuration: .init { $0.busyTimeout = .seconds(60) }
        )
        let waiting = Task { try await patient.write { try $0.execute("INSERT INTO note (body) VALUES ('y')") } }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        try await other.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
        try await store.write { try $0.execute("INSERT INTO note (body) VALUES ('z')") }
        #expect(try await count(store) == 1)
    }

    @Test("a file that was deleted or replaced is used no more")
    func replaced() async throws {
        let store = try SQLiteEntityStore(path: folder.file("store.sqlite"))
        try await store.write { try $0.execute("CREATE TABLE note (body TEXT)") }
        try FileManager.default.removeItem(atPath: folder.file("store.sqlite"))
        for round in 0..<2 {
            let writing = await #expect(throws: StoreError.self) {
                try await store.write { try $0.execute("INSERT INTO note (body) VALUES ('lost')") }
            }
            #expect(writing?.code == .unavailable)
            let reading = await #expect(throws: StoreError.self) { try await count(store) }
            #expect(reading?.code == .unavailable)
            if round == 0 { try Data().write(to: URL(fileURLWithPath: folder.file("store.sqlite"))) }
        }
    }

    // MARK: Limits

    @Test("who waits too long for the writer is told so, and so is who comes when too many wait")
    func waitLimit() async throws {
        let store = try SQLiteEntityStore(
            path: folder.file("store.sqlite"),
            configuration: .init { configuration in
                configuration.waitLimit = .milliseconds(200)
                configuration.waitingTransactions = 1
            }
        )
        let (arrivals, arrive) = AsyncStream<Void>.makeStream()
        let permit = DispatchSemaphore(value: 0)
        async let first: Void = store.write { _ in
            arrive.yield()
            permit.wait()
        }
        for await _ in arrivals { break }
        let errors = await withTaskGroup(of: StoreError?.self) { group in
            for _ in 0..<2 {
                group.addTask { await #expect(throws: StoreError.self) { try await store.write { _ in } } }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        permit.signal()
        try await first
        #expect(errors.map { $0?.code } == [.timeout, .timeout])
        #expect(errors.first??.message.hasPrefix("1 transactions wait") == true)
        #expect(errors.last??.message.hasPrefix("No connection became free") == true)
        try await store.write { _ in }
    }

    @Test("a transaction that takes too long is interrupted, and nothing of it is kept")
    func transactionTimeout() async throws {
        let store = try SQLiteEntityStore(
            path: folder.file("store.sqlite"),
            configuration: .init { $0.transactionTimeout = .milliseconds(200) }
        )
        try await store.write { try $0.execute("CREATE TABLE note (body TEXT)") }
        let endless = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"
        let error = await #expect(throws: StoreError.self) {
            try await store.write { connection in
                try connection.execute("INSERT INTO note (body) VALUES ('x')")
                try connection.execute(endless)
            }
        }
        #expect(error?.code == .timeout)
        #expect(try await count(store) == 0)
    }

    @Test("statements without end do not fill the memory, and go on working")
    func manyStatements() async throws {
        let store = try SQLiteEntityStore(path: folder.file("store.sqlite"))
        let sum = try await store.read { connection in
            try (0..<1200).reduce(0) { sum, number in
                sum + (try connection.execute("SELECT \(number) + ? AS n", [1]).first?["n"].integer ?? 0)
            }
        }
        #expect(sum == 1200 * 1201 / 2)
    }

    // MARK: Settings

    @Test(
        "commits wait for the disk unless they are told not to",
        arguments: [
            (SQLiteEntityStore.Configuration.Durability.full, 2 as Int64), (.process, 1 as Int64),
        ]
    )
    func durability(_ durability: SQLiteEntityStore.Configuration.Durability, _ level: Int64) async throws {
        let store = try SQLiteEntityStore(
            path: folder.file("store.sqlite"),
            configuration: .init { $0.durability = durability }
        )
        let (synchronous, journal, foreignKeys) = try await store.write { connection in
            (
                try connection.execute("PRAGMA synchronous").first?[0],
                try connection.execute("PRAGMA journal_mode").first?[0],
                try connection.execute("PRAGMA foreign_keys").first?[0]
            )
        }
        #expect(synchronous == .integer(level))
        #expect(journal == "wal")
        #expect(foreignKeys == 1)
    }

    @Test("what another connection commits is noticed")
    func watching() async throws {
        let store = try SQLiteEntityStore(path: folder.file("store.sqlite"))
        try await store.write { try $0.execute("CREATE TABLE note (body TEXT)") }
        let other = try DatabaseQueue(path: folder.file("store.sqlite"))
        let (changes, changed) = AsyncStream<Void>.makeStream()
        let watch = Task { await store.watchOutbox { changed.yield() } }
        // It is not known when the watch has begun, so there is something to see at any time.
        let writing = Task {
            while !Task.isCancelled {
                try await other.write { try $0.execute(sql: "INSERT INTO note (body) VALUES ('x')") }
            }
        }
        var seen = 0
        for await _ in changes {
            seen += 1
            if seen == 2 { break }
        }
        writing.cancel()
        watch.cancel()
        await watch.value
        #expect(seen == 2)
    }

    private func count(_ store: SQLiteEntityStore) async throws -> Int64? {
        try await store.read { try $0.execute("SELECT count(*) AS n FROM note").first?["n"].integer }
    }
}
