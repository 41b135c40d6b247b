#if PostgreSQL
import DatabaseTestSupport
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing
import TidingsEntities
import TidingsPostgres

@Suite("Statements and values of PostgreSQL", .needsPostgreSQL, .timeLimit(.patience))
struct PostgresStatementTests {
    @Test("types that only PostgreSQL has are read where they mean a value")
    func types() async throws {
        try await withStore { store, _ in
            let cases: [(String, SQLValue)] = [
                ("7::smallint", 7), ("-7::integer", -7), ("1.5::real", .real(1.5)), ("'x'::name", "x"),
                ("'x'::varchar(3)", "x"),
                ("'x'::char(3)", "x  "), ("'{\"a\": [1]}'::json", "{\"a\": [1]}"),
                ("'{\"a\":[1]}'::jsonb", "{\"a\": [1]}"),
                ("0::numeric", 0), ("12345678901234567.0000", 12_345_678_901_234_567), ("-10000::numeric", -10_000),
                ("0.5::numeric", .real(0.5)), ("-1234.5678", .real(-1234.5678)), ("0.00012", .real(0.00012)),
                ("1e40::numeric", .real(1e40)), ("9223372036854775807::numeric", .integer(.max)),
                ("sum(n) FROM generate_series(1::bigint, 10) AS n", 55), ("pg_advisory_xact_lock(1)", .null),
                ("'2026-01-02 03:04:05.678'::timestamp", .date(Date(timeIntervalSince1970: 1_767_323_045.678))),
                ("'1969-12-31 23:59:59.9994+00'::timestamptz", .date(Date(timeIntervalSince1970: -0.001))),
            ]
            for (sql, value) in cases {
                let found = try await store.read { try $0.execute("SELECT \(sql)").first?[0] }
                #expect(found == value, "\(sql)")
            }
            for sql in ["ARRAY[1]", "interval '1 day'", "'infinity'::timestamptz", "'\\x00'::bytea"] {
                let error = await expectError(.other) {
                    try await store.read { try $0.execute("SELECT \(sql) AS odd") }
                }
                #expect(error?.message.contains("odd") == true)
            }
        }
    }

    @Test("JSON and its operators with a question mark can be used")
    func json() async throws {
        try await withStore { store, _ in
            let found = try await store.write { connection in
                try connection.execute("CREATE TABLE note (body jsonb)")
                try connection.execute("INSERT INTO note (body) VALUES (?)", ["{\"a\": 1}"])
                return try connection.execute(
                    "SELECT body ->> ? AS a, body ?? 'a' AS has_a, body ?? ? AS has_b FROM note",
                    ["a", "b"]
                ).first
            }
            #expect(found?["a"] == "1")
            #expect(found?["has_a"] == true)
            #expect(found?["has_b"] == false)
        }
    }

    @Test("a session is in UTC and UTF-8, whatever the database is set to")
    func session() async throws {
        try await withStore { store, database in
            try await database.run("ALTER DATABASE \"\(database.name)\" SET timezone = 'Asia/Tokyo'")
            try await database.run("ALTER DATABASE \"\(database.name)\" SET client_encoding = 'LATIN1'")
            try await database.run("ALTER DATABASE \"\(database.name)\" SET synchronous_commit = off")
            let settings = try await store.read { connection in
                try [
                    "synchronous_commit", "timezone", "client_encoding", "statement_timeout",
                    "standard_conforming_strings",
                ].map { name in
                    try connection.execute("SELECT current_setting(?)", [.text(name)]).first?[0].text
                }
            }
            #expect(settings == ["on", "UTC", "UTF8", "10s", "on"])
        }
    }

    @Test("a database in another encoding is refused")
    func encoding() async throws {
        let server = try await PostgresServer.shared
        try await server.run("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
        let store = try PostgresEntityStore("host=\(server.folder) port=\(server.port) dbname=latin user=postgres")
        let error = await expectError(.schema) { try await store.read { try $0.execute("SELECT 1") } }
        #expect(error?.message.contains("LATIN1") == true)
        await store.close()
        try await server.run("DROP DATABASE latin")
    }

    @Test("what a transaction reads stays, even between its first statements")
    func isolationLevels() async throws {
        try await withStore { store, _ in
            let sql =
                "SELECT current_setting('transaction_isolation') AS level, current_setting('transaction_read_only') AS r"
            let read = try await store.read { try $0.execute(sql).first }
            #expect(read?["level"] == "repeatable read")
            #expect(read?["r"] == "on")
            let write = try await store.write { try $0.execute(sql).first }
            #expect(write?["level"] == "read committed")
            #expect(write?["r"] == "off")
        }
    }

    @Test("a prepared statement outlives a change of its columns' types")
    func changedTypes() async throws {
        try await withStore(.init { $0.connections = 1 }) { store, database in
            try await store.write { connection in
                try connection.execute("CREATE TABLE note (body bigint)")
                try connection.execute("INSERT INTO note (body) VALUES (5)")
            }
            let select = "SELECT body FROM note WHERE body IS NOT NULL"
            for _ in 0..<3 { try await store.read { _ = try $0.execute(select) } }
            try await database.run("ALTER TABLE note ALTER COLUMN body TYPE text")
            #expect(try await store.read { try $0.execute(select).first?["body"] } == "5")
            for _ in 0..<3 { try await store.read { _ = try $0.execute(select) } }
            try await database.run("ALTER TABLE note ALTER COLUMN body TYPE bigint USING body::bigint")
            // Not the first statement, so the transaction cannot begin anew by itself.
            await expectError(.conflict) {
                try await store.write { connection in
                    try connection.execute("INSERT INTO note (body) VALUES (6)")
                    return try connection.execute(select)
                }
            }
            #expect(try await store.read { try $0.execute(select).map { $0["body"] } } == [5])
        }
    }

    @Test("a server has no more prepared statements of a connection than may be")
    func preparedStatements() async throws {
        try await withStore(
            .init { configuration in
                configuration.connections = 1
                configuration.preparedStatements = 4
            }
        ) { store, _ in
            for round in 0..<3 {
                for number in 0..<10 {
                    for _ in 0..<3 {
                        let found = try await store.read { connection in
                            try connection.execute("SELECT \(number) + ? AS n", [.integer(Int64(round))]).first?["n"]
                        }
                        #expect(found == .integer(Int64(number + round)))
                    }
                }
            }
            let count = try await store.count("pg_prepared_statements") ?? 0
            #expect((1...5).contains(count), "\(count)")
        }
    }

    @Test("a parameter's value never gets into an error, whatever the server quotes")
    func noValuesInErrors() async throws {
        try await withStore { store, _ in
            try await store.write { try $0.execute("CREATE TABLE note (id bigint, body uuid CHECK (id <> 13))") }
            let cases: [(String, [SQLValue])] = [
                ("INSERT INTO note (id) VALUES (?::text::bigint)", ["hush-hush"]),
                ("INSERT INTO note (body) VALUES (?)", ["hush-hush"]),
                ("SELECT ?::json", ["{hush-hush"]), ("SELECT ?::date", ["hush-hush"]),
                ("SELECT ?::regclass", ["hush-hush"]),
            ]
            for (sql, parameters) in cases {
                let error = await expectError(.other) { try await store.write { try $0.execute(sql, parameters) } }
                guard !sql.contains("regclass") else { continue }
                #expect(error.map { !"\($0)".contains("hush") } == true, "\(sql)")
            }
        }
    }

    @Test("the server's notices go to the log, at the level debug")
    func notices() async throws {
        let lines = Lines()
        try await PostgresServer.shared.withDatabase { database in
            var logger = Logger(label: "test") { _ in lines }
            logger.logLevel = .debug
            let store = try PostgresEntityStore(database.connectionString, logger: logger)
            try await store.write { try $0.execute("DO $note$ BEGIN RAISE NOTICE 'hello ?'; END $note$") }
            await store.close()
        }
        #expect(lines.all.contains { $0.hasPrefix("debug") && $0.contains("hello ?") })
    }

    @Test("a unique constraint that is checked at the end fails the commit")
    func deferred() async throws {
        try await withStore { store, _ in
            try await store.write { connection in
                try connection.execute(
                    "CREATE TABLE note (id bigint CONSTRAINT note_id UNIQUE DEFERRABLE INITIALLY DEFERRED)"
                )
            }
            let error = await expectError(.unique) {
                try await store.write { try $0.execute("INSERT INTO note (id) VALUES (1), (1)") }
            }
            #expect(error?.constraint == "note_id")
            #expect(try await store.count("note") == 0)
        }
    }

    @Test("of two that wait for each other, one is told to try again")
    func deadlock() async throws {
        try await withStore { store, _ in
            try await store.write { connection in
                try connection.execute("CREATE TABLE note (id bigint, n bigint)")
                try connection.execute("INSERT INTO note (id, n) VALUES (0, 0), (1, 0)")
            }
            let stop = Stop()
            let codes = try await withThrowingTaskGroup(of: StoreError.Code?.self) { group in
                for first: Int64 in 0...1 {
                    group.addTask {
                        do {
                            try await store.write { connection in
                                try connection.execute("SET LOCAL deadlock_timeout = '50ms'")
                                let update = "UPDATE note SET n = n + 1 WHERE id = ?"
                                try connection.execute(update, [.integer(first)])
                                try stop.pass()
                                try connection.execute(update, [.integer(1 - first)])
                            }
                            return nil
                        } catch let error as StoreError {
                            return error.code
                        }
                    }
                }
                for _ in 0..<2 { _ = try await stop.arrival() }
                for _ in 0..<2 { stop.open() }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(codes) == [nil, .conflict])
            #expect(try await store.read { try $0.execute("SELECT sum(n) AS n FROM note").first?["n"] } == 2)
        }
    }
}

/// Keeps what is logged.
private final class Lines: LogHandler, Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }

    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        let text = "\(event.level) \(event.message) \(event.metadata ?? [:])"
        lines.withLock { $0.append(text) }
    }
}
#endif
