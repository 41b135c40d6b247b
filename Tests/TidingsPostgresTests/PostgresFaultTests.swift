#if PostgreSQL
import DatabaseTestSupport
import Foundation
import SocketTestSupport
import Synchronization
import TestSupport
import Testing
import TidingsEntities

@testable import TidingsPostgres

@Suite(
    "The PostgreSQL store survives what happens to connections and servers",
    .needsPostgreSQL,
    .timeLimit(.patience)
)
struct PostgresFaultTests {
    // MARK: Connecting

    @Test("a wrong password, host, database or string is refused with what to do, and without the password")
    func refused() async throws {
        try await PostgresServer.shared.withDatabase { database in
            let server = database.server
            let strings = [
                database.uri(password: "hush-hush"), "postgresql://postgres:hush-hush@127.0.0.1:1/x",
                "postgresql://postgres:hush-hush@host.invalid/x", "host=/nowhere dbname=x password=hush-hush",
                "postgresql://postgres:hush-hush@127.0.0.1:\(server.port)/nowhere",
                "host=\(server.folder) port=\(server.port) user=postgres dbname=nowhere",
            ]
            for string in strings {
                let store = try PostgresEntityStore(string)
                let error = await expectError(.unavailable) { try await store.read { try $0.execute("SELECT 1") } }
                #expect(error?.message.contains("check that it runs") == true)
                #expect(error?.message.contains("hush") == false)
                await store.close()
            }
        }
    }

    @Test(
        "a connection string that cannot be read is not quoted",
        arguments: [
            "", "nonsense", "postgresql://u:hush@hush@host/x", "password=hush hush", "host=x password='hush",
            "postgresql://u:hush@host:hush@1/x", "postgresql://u:hu%zzsh@host/x", "host=x nosuchoption=hush",
        ]
    )
    func unreadable(_ string: String) {
        let error = #expect(throws: StoreError.self) { try PostgresEntityStore(string) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("hush") == false)
    }

    @Test("a server that has no connection free is unavailable")
    func tooManyConnections() async throws {
        try await PostgresServer.shared.withDatabase { database in
            try await database.run("CREATE ROLE narrow LOGIN CONNECTION LIMIT 1")
            let string =
                "host=\(database.server.folder) port=\(database.server.port) dbname=\(database.name) user=narrow"
            let (first, second) = (try PostgresEntityStore(string), try PostgresEntityStore(string))
            try await first.read { _ = try $0.execute("SELECT 1") }
            await expectError(.unavailable) { try await second.read { try $0.execute("SELECT 1") } }
            await first.close()
            await second.close()
        }
        try await PostgresServer.shared.run("DROP ROLE narrow")
    }

    @Test("TLS is used as asked: the right authority is trusted, no other, and no other name")
    func encryption() async throws {
        try await PostgresServer.shared.withDatabase { database in
            let server = database.server
            let good = try PostgresEntityStore(database.uri("sslmode=verify-full&sslrootcert=\(server.authority)"))
            let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            #expect(try await good.read { try $0.execute(sql).first?["ssl"] } == true)
            await good.close()
            let bad = [
                "sslmode=verify-full&sslrootcert=\(server.otherAuthority)",
                "sslmode=verify-full&sslrootcert=\(server.authority)&host=wrong.example&hostaddr=127.0.0.1",
                "sslmode=verify-full&sslrootcert=/nowhere/ca.pem",
            ]
            for options in bad {
                let store = try PostgresEntityStore(database.uri(options))
                await expectError(.unavailable) { try await store.read { try $0.execute("SELECT 1") } }
                await store.close()
            }
        }
    }

    // MARK: Limits

    @Test("a statement that takes too long is ended by the server, and nothing is kept")
    func statementTimeout() async throws {
        try await withStore(.init { $0.statementTimeout = .milliseconds(200) }) { store, _ in
            try await store.write { try $0.execute("CREATE TABLE note (id bigint)") }
            await expectError(.timeout) {
                try await store.write { connection in
                    try connection.execute("INSERT INTO note (id) VALUES (1)")
                    try connection.execute("SELECT pg_sleep(60)")
                }
            }
            #expect(try await store.count("note") == 0)
            // Whoever changes tables has the time that it takes.
            try await store.write { connection in
                try connection.lockSchema()
                try connection.execute("SELECT pg_sleep(0.4)")
            }
            await expectError(.timeout) { try await store.write { try $0.execute("SELECT pg_sleep(60)") } }
        }
    }

    @Test("a body that does something else for too long loses its transaction")
    func idleInTransaction() async throws {
        try await withStore(.init { $0.idleInTransactionTimeout = .milliseconds(100) }) { store, database in
            try await store.write { try $0.execute("CREATE TABLE note (id bigint)") }
            let stop = Stop()
            let write = Task {
                try await store.write { connection in
                    try connection.execute("INSERT INTO note (id) VALUES (1)")
                    let pid = try connection.execute("SELECT pg_backend_pid() AS pid").first?["pid"].integer ?? 0
                    try stop.pass(pid)
                    try connection.execute("INSERT INTO note (id) VALUES (2)")
                }
            }
            let pid = try await stop.arrival()
            try await database.wait(until: "NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = \(pid))")
            stop.open()
            await expectError(.timeout) { try await write.value }
            #expect(try await store.count("note") == 0)
        }
    }

    @Test("whoever finds all connections busy waits for so long, and can be cancelled")
    func exhausted() async throws {
        try await withStore(
            .init { configuration in
                configuration.connections = 2
                configuration.waitLimit = .milliseconds(200)
            }
        ) { store, _ in
            let stop = Stop()
            async let first: Void = store.read { _ in try stop.pass() }
            async let second: Void = store.write { _ in try stop.pass() }
            for _ in 0..<2 { _ = try await stop.arrival() }
            await expectError(.timeout) { try await store.read { try $0.execute("SELECT 1") } }
            let waiting = Task { try await store.read { try $0.execute("SELECT 1").count } }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            for _ in 0..<2 { stop.open() }
            _ = try await (first, second)
            #expect(try await store.read { try $0.execute("SELECT 1").count } == 1)
        }
    }

    // MARK: Cancelling

    @Test("a statement that was cancelled does not go on in the server")
    func cancelledInTheServer() async throws {
        try await withStore { store, database in
            let stop = Stop()
            stop.open()
            let task = Task {
                try await store.write { connection in
                    let pid = try connection.execute("SELECT pg_backend_pid() AS pid").first?["pid"].integer ?? 0
                    try stop.pass(pid)
                    try connection.execute("SELECT pg_sleep(60) -- cancelled")
                }
            }
            let pid = try await stop.arrival()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            let active =
                "SELECT count(*) FROM pg_stat_activity WHERE pid = \(pid) AND state = 'active' AND query LIKE '%cancelled'"
            try await eventually("the statement has ended") { try await database.run(active) == "0" }
        }
    }

    @Test("cancelling at any moment hits its own transaction and no other")
    func cancelStorm() async throws {
        try await withStore(.init { $0.connections = 2 }) { store, _ in
            try await store.write { connection in
                try connection.execute("CREATE TABLE note (id bigint PRIMARY KEY, n bigint)")
                try connection.execute("INSERT INTO note (id, n) VALUES (1, 0), (2, 0)")
            }
            let commits = SharedNumber(0)
            for round in 0..<150 {
                let victim = Task {
                    try await store.write { connection in
                        for _ in 0..<3 { try connection.execute("UPDATE note SET n = n + 1 WHERE id = 1") }
                    }
                    commits.add(3)
                }
                let other = Task { try await store.write { try $0.execute("UPDATE note SET n = n + 1 WHERE id = 2") } }
                // Another moment each time.
                for _ in 0..<(round * 40) { _ = Task.isCancelled }
                if round.isMultiple(of: 2) { await Task.yield() }
                victim.cancel()
                do { try await victim.value } catch is CancellationError {}
                _ = try await other.value
            }
            let rows = try await store.read { try $0.execute("SELECT n FROM note ORDER BY id").map { $0["n"].integer } }
            #expect(rows == [commits.value, 150])
        }
    }

    // MARK: Lost connections

    @Test("a connection that died while nobody used it is replaced, and nobody notices")
    func idleConnectionLost() async throws {
        try await withStore(.init { $0.connections = 1 }) { store, database in
            try await store.write { try $0.execute("CREATE TABLE note (id bigint)") }
            for number: Int64 in 0..<3 {
                try await terminateAll(database)
                try await store.write { try $0.execute("INSERT INTO note (id) VALUES (?)", [.integer(number)]) }
                try await terminateAll(database)
                #expect(try await store.count("note") == number + 1)
            }
        }
    }

    @Test("a backend that is ended within a transaction ends it, and the next one has another")
    func terminated() async throws {
        try await withStore { store, database in
            try await store.write { try $0.execute("CREATE TABLE note (id bigint)") }
            let stop = Stop()
            let write = Task {
                try await store.write { connection in
                    try connection.execute("INSERT INTO note (id) VALUES (1)")
                    let pid = try connection.execute("SELECT pg_backend_pid() AS pid").first?["pid"].integer ?? 0
                    try stop.pass(pid)
                    try connection.execute("INSERT INTO note (id) VALUES (2)")
                }
            }
            let pid = try await stop.arrival()
            try await database.run("SELECT pg_terminate_backend(\(pid), 10000)")
            stop.open()
            await expectError(.unavailable) { try await write.value }
            #expect(try await store.count("note") == 0)
        }
    }

    @Test("a backend that is ended during a commit leaves it open what became of it")
    func terminatedDuringCommit() async throws {
        try await withStore { store, database in
            try await store.write { connection in
                try connection.execute("CREATE TABLE note (id bigint)")
                try connection.execute(
                    """
                    CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
                    $body$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $body$
                    """
                )
                try connection.execute(
                    """
                    CREATE CONSTRAINT TRIGGER lingering AFTER INSERT ON note
                    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION linger()
                    """
                )
            }
            let stop = Stop()
            stop.open()
            let write = Task {
                try await store.write { connection in
                    try connection.execute("INSERT INTO note (id) VALUES (1)")
                    let pid = try connection.execute("SELECT pg_backend_pid() AS pid").first?["pid"].integer ?? 0
                    try stop.pass(pid)
                }
            }
            let pid = try await stop.arrival()
            try await database.wait(
                until:
                    "EXISTS (SELECT FROM pg_stat_activity WHERE pid = \(pid) AND state = 'active' AND query = 'COMMIT')"
            )
            try await database.run("SELECT pg_terminate_backend(\(pid), 10000)")
            await expectError(.unknownOutcome) { try await write.value }
            #expect(try await store.count("note") == 0)
        }
    }

    @Test("an answer to a commit that gets lost leaves it open what became of it")
    func answerLost() async throws {
        try await PostgresServer.shared.withDatabase { database in
            let proxy = try await FaultyProxy(to: database.server.port)
            let store = try PostgresEntityStore(database.uri(port: proxy.port, "sslmode=disable"))
            try await store.write { try $0.execute("CREATE TABLE note (id bigint)") }
            // Not the word in “BEGIN … READ COMMITTED”.
            proxy.loseAnswer(to: "COMMIT\u{0}")
            await expectError(.unknownOutcome) {
                try await store.write { try $0.execute("INSERT INTO note (id) VALUES (1)") }
            }
            // It was committed; the store did not know. It did not try again either.
            try await database.wait(until: "EXISTS (SELECT FROM note)")
            #expect(try await store.count("note") == 1)
            await store.close()
        }
    }

    @Test("a network that forwards nothing any more is noticed, in a statement and in a commit")
    func frozen() async throws {
        try await PostgresServer.shared.withDatabase { database in
            let proxy = try await FaultyProxy(to: database.server.port)
            let store = try PostgresEntityStore(
                database.uri(port: proxy.port, "sslmode=disable"),
                configuration: .init { configuration in
                    configuration.statementTimeout = .milliseconds(300)
                    configuration.connectTimeout = .seconds(2)
                }
            )
            try await store.write { try $0.execute("CREATE TABLE note (id bigint)") }
            await expectError(.unavailable) {
                try await store.write { connection in
                    try connection.execute("INSERT INTO note (id) VALUES (1)")
                    proxy.lose(.everything)
                    try connection.execute("INSERT INTO note (id) VALUES (2)")
                }
            }
            // Nor can anybody connect.
            await expectError(.unavailable) { try await store.count("note") }
            proxy.heal()
            await expectError(.unknownOutcome) {
                try await store.write { connection in
                    try connection.execute("INSERT INTO note (id) VALUES (3)")
                    proxy.lose(.everything)
                }
            }
            let frozen = Task {
                try await store.read { connection in
                    proxy.lose(.everything)
                    return try connection.execute("SELECT 1").count
                }
            }
            proxy.heal()
            frozen.cancel()
            await #expect(throws: CancellationError.self) { try await frozen.value }
            proxy.heal()
            #expect(try await store.count("note") == 0)
            await store.close()
        }
    }

    // MARK: Lost servers

    @Test("a server that is killed loses nothing that was acknowledged, and keeps nothing that was refused")
    func killedServer() async throws {
        let server = try await PostgresServer.start()
        try await server.withDatabase { database in
            let store = try PostgresEntityStore(database.connectionString)
            try await store.write { try $0.execute("CREATE TABLE note (id bigint PRIMARY KEY)") }
            let rounds = ProcessInfo.processInfo.environment["FAULTS"] == "full" ? 10 : 2
            var (kept, open): (Set<Int64>, Set<Int64>) = ([], [])
            for round in 0..<rounds {
                let writers = Writers(store, from: Int64(round) * 1_000_000)
                try await writers.run(untilAcknowledged: 100) { await server.kill() }
                kept.formUnion(writers.acknowledged)
                open.formUnion(writers.unknown)
                await expectError(.unavailable) { try await store.count("note") }
                try await server.restart()
                let found = Set(
                    try await store.read { try $0.execute("SELECT id FROM note").compactMap { $0["id"].integer } }
                )
                #expect(kept.subtracting(found).isEmpty, "acknowledged and lost")
                #expect(found.subtracting(kept).subtracting(open).isEmpty, "refused and kept")
                #expect(kept.count >= 100)
            }
            await store.close()
        }
        await server.stop()
    }

    @Test("a server that is restarted in an orderly way is used again")
    func restarted() async throws {
        let server = try await PostgresServer.start()
        try await server.withDatabase { database in
            let store = try PostgresEntityStore(database.connectionString)
            try await store.write { try $0.execute("CREATE TABLE note (id bigint)") }
            let stop = Stop()
            let write = Task {
                try await store.write { connection in
                    try connection.execute("INSERT INTO note (id) VALUES (1)")
                    try stop.pass()
                    try connection.execute("INSERT INTO note (id) VALUES (2)")
                }
            }
            _ = try await stop.arrival()
            await server.stop()
            stop.open()
            await expectError(.unavailable) { try await write.value }
            await expectError(.unavailable) { try await store.count("note") }
            try await server.restart()
            #expect(try await store.count("note") == 0)
            await store.close()
        }
        await server.stop()
    }

    @Test("closing leaves no connection")
    func closed() async throws {
        try await PostgresServer.shared.withDatabase { database in
            let store = try PostgresEntityStore(database.connectionString)
            let watch = Task { await store.watchOutbox {} }
            let stop = Stop()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 { group.addTask { try await store.read { _ in try stop.pass() } } }
                for _ in 0..<5 { _ = try await stop.arrival() }
                for _ in 0..<5 { stop.open() }
                try await group.waitForAll()
            }
            await store.close()
            await watch.value
            let others = "SELECT FROM pg_stat_activity WHERE datname = '\(database.name)' AND pid <> pg_backend_pid()"
            try await database.wait(until: "NOT EXISTS (\(others))")
        }
    }

    @Test("so does forgetting the store without closing it")
    func forgotten() async throws {
        try await PostgresServer.shared.withDatabase { database in
            try await readOnce(database)
            let others = "SELECT FROM pg_stat_activity WHERE datname = '\(database.name)' AND pid <> pg_backend_pid()"
            try await database.wait(until: "NOT EXISTS (\(others))")
        }
    }

    private func readOnce(_ database: TestDatabase) async throws {
        let store = try PostgresEntityStore(database.connectionString)
        #expect(try await store.read { try $0.execute("SELECT 1").count } == 1)
    }

    @Test(
        "each state of SQL has a code",
        arguments: [
            ("23505", StoreError.Code.unique), ("23503", .foreignKey), ("23001", .foreignKey), ("40001", .conflict),
            ("40P01", .conflict), ("57014", .timeout), ("55P03", .timeout), ("25P03", .timeout), ("53100", .full),
            ("53200", .unavailable), ("53300", .unavailable), ("57P01", .unavailable), ("57P03", .unavailable),
            ("08006", .unavailable), ("58030", .unavailable), ("42601", .other), ("22P02", .other), ("23502", .other),
        ]
    )
    func codes(_ state: String, _ code: StoreError.Code) {
        let message = ServerMessage(state: state, text: "text", constraint: "name", isFatal: false)
        #expect(StoreError(message).code == code)
    }

    // MARK: Parts

    private func terminateAll(_ database: TestDatabase) async throws {
        try await database.run(
            """
            SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
            WHERE datname = '\(database.name)' AND pid <> pg_backend_pid()
            """
        )
    }
}

/// A number that several tasks add to.
final class SharedNumber: Sendable {
    private let state: Mutex<Int64>

    init(_ value: Int64) {
        state = Mutex(value)
    }

    var value: Int64 { state.withLock { $0 } }

    func add(_ number: Int64) {
        state.withLock { $0 += number }
    }
}

/// Tasks that insert rows into `note` until the server is gone, and note what they were told.
private final class Writers: Sendable {
    private struct State {
        var next: Int64
        var acknowledged: Set<Int64> = []
        var unknown: Set<Int64> = []
        var isKilled = false
    }

    private let store: PostgresEntityStore
    private let state: Mutex<State>
    private let progress: AsyncStream<Int>
    private let tell: AsyncStream<Int>.Continuation

    init(_ store: PostgresEntityStore, from first: Int64) {
        self.store = store
        state = Mutex(State(next: first))
        (progress, tell) = AsyncStream.makeStream()
    }

    var acknowledged: Set<Int64> { state.withLock { $0.acknowledged } }
    var unknown: Set<Int64> { state.withLock { $0.unknown } }

    func run(untilAcknowledged count: Int, kill: @escaping @Sendable () async -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<6 { group.addTask { try await self.write() } }
            for await acknowledged in progress where acknowledged >= count { break }
            await kill()
            state.withLock { $0.isKilled = true }
            try await group.waitForAll()
        }
    }

    private func write() async throws {
        while true {
            let number = state.withLock { state in
                defer { state.next += 1 }
                return state.next
            }
            do {
                try await store.write { try $0.execute("INSERT INTO note (id) VALUES (?)", [.integer(number)]) }
                tell.yield(
                    state.withLock {
                        $0.acknowledged.insert(number)
                        return $0.acknowledged.count
                    }
                )
            } catch let error as StoreError where error.code == .unknownOutcome {
                state.withLock { _ = $0.unknown.insert(number) }
            } catch let error as StoreError where error.code == .unavailable {
                if state.withLock({ $0.isKilled }) { return }
            }
        }
    }
}
#endif
