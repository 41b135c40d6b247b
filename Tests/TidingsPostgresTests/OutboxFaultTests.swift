#if PostgreSQL
import DatabaseTestSupport
import Foundation
import Synchronization
import TestSupport
import Testing
import TidingsEntities
import TidingsPostgres

@Suite("Positions of the outbox in PostgreSQL", .needsPostgreSQL, .timeLimit(.patience))
struct OutboxFaultTests {
    @Test("with writers that take their time and followers on several nodes, nothing is lost, twice or out of order")
    func concurrent() async throws {
        let target: Int64 = ProcessInfo.processInfo.environment["FAULTS"] == "full" ? 5000 : 300
        try await withStore { store, database in
            try await createTables(store)
            let nodes = try (0..<3).map { _ in try PostgresEntityStore(database.connectionString) }
            let isDone = SharedNumber(0)
            let seen = try await withThrowingTaskGroup(of: [Entry]?.self) { group in
                group.addTask {
                    try await write(store, until: target)
                    isDone.add(1)
                    return nil
                }
                for node in nodes { group.addTask { try await follow(node, until: isDone) } }
                return try await group.reduce(into: [[Entry]]()) { all, entries in
                    if let entries { all.append(entries) }
                }
            }
            for node in nodes { await node.close() }
            let versions = try await store.read { connection in
                try connection.execute("SELECT version FROM thing ORDER BY id").map { $0["version"].integer ?? 0 }
            }
            let committed = versions.reduce(0, +)
            #expect(committed >= target)
            for entries in seen {
                #expect(entries.map(\.position) == entries.map(\.position).sorted())
                #expect(Int64(entries.count) == committed)
                for (thing, version) in versions.enumerated() {
                    let found = entries.filter { $0.thing == Int64(thing) }.map(\.version)
                    #expect(found == Array(1...max(1, version)), "versions of \(thing)")
                }
            }
        }
    }

    @Test("stamping goes on until nothing is left, and takes rows in their order")
    func many() async throws {
        try await withStore { store, _ in
            try await createTables(store)
            try await store.write { connection in
                try connection.execute(
                    "INSERT INTO sync_outbox (thing, version) SELECT 0, n FROM generate_series(1, 2500) AS n"
                )
            }
            #expect(try await store.stampOutbox())
            #expect(try await !store.stampOutbox())
            let entries = try await entries(after: 0, store)
            #expect(entries.map(\.version) == Array(1...2500))
            #expect(entries.map(\.position) == Array(1...2500))
        }
    }

    @Test("while one node stamps, another one leaves it alone and does not wait")
    func oneAtATime() async throws {
        try await withStore { store, database in
            try await createTables(store)
            try await store.write { try insert(0, 1, $0) }
            let stop = Stop()
            async let other: Void = store.write { connection in
                // What a node holds that stamps.
                try connection.execute("SELECT pg_advisory_xact_lock(?)", [.integer(0x7469_6469_6e67_7302)])
                try stop.pass()
            }
            _ = try await stop.arrival()
            #expect(try await !store.stampOutbox())
            stop.open()
            try await other
            #expect(try await store.stampOutbox())
        }
    }

    @Test("a node that dies while it stamps leaves the rows to the next one")
    func killedStamper() async throws {
        try await withStore { store, database in
            try await createTables(store)
            for version: Int64 in 1...3 { try await store.write { try insert(0, version, $0) } }
            let stop = Stop()
            let dying = Task {
                try await store.write { connection in
                    try connection.execute("SELECT pg_advisory_xact_lock(?)", [.integer(0x7469_6469_6e67_7302)])
                    try connection.execute(
                        "UPDATE sync_outbox SET position = nextval('sync_outbox_position') WHERE seq < 3"
                    )
                    let pid = try connection.execute("SELECT pg_backend_pid() AS pid").first?["pid"].integer ?? 0
                    try stop.pass(pid)
                    try connection.execute("SELECT 1")
                }
            }
            let pid = try await stop.arrival()
            try await database.run("SELECT pg_terminate_backend(\(pid), 10000)")
            stop.open()
            await expectError(.unavailable) { try await dying.value }
            #expect(try await store.stampOutbox())
            #expect(try await entries(after: 0, store).map(\.version) == [1, 2, 3])
        }
    }

    @Test("only stamping notifies, and whoever watches hears it, also after the connection was cut")
    func watching() async throws {
        try await withStore { store, database in
            try await createTables(store)
            let node = try PostgresEntityStore(database.connectionString)
            let (changes, changed) = AsyncStream<Void>.makeStream()
            let watch = Task { await node.watchOutbox { changed.yield() } }
            var heard = changes.makeAsyncIterator()
            // The connection was made.
            await heard.next()
            for round: Int64 in 1...3 {
                try await store.write { try insert(0, round, $0) }
                #expect(try await store.stampOutbox())
                await heard.next()
                try await database.run(
                    """
                    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                    WHERE datname = '\(database.name)' AND query = 'LISTEN sync_outbox'
                    """
                )
                // It was made again.
                await heard.next()
            }
            watch.cancel()
            await watch.value
            #expect(try await entries(after: 0, node).count == 3)
            await node.close()
        }
    }

    @Test("a watch waits for a server that is not there yet, and ends when it is told to")
    func watchWithoutServer() async throws {
        let store = try PostgresEntityStore("host=/nowhere dbname=x")
        let calls = SharedNumber(0)
        let watch = Task { await store.watchOutbox { calls.add(1) } }
        watch.cancel()
        await watch.value
        let second = Task { await store.watchOutbox { calls.add(1) } }
        await store.close()
        await second.value
        #expect(calls.value == 0)
    }

    // MARK: Parts

    private struct Entry: Sendable {
        let position: Int64
        let thing: Int64
        let version: Int64
    }

    private struct Abandoned: Error {}

    private static let things: Int64 = 5

    private func createTables(_ store: PostgresEntityStore) async throws {
        try await store.write { connection in
            try connection.execute("CREATE TABLE thing (id bigint PRIMARY KEY, version bigint NOT NULL)")
            try connection.execute("INSERT INTO thing SELECT n, 0 FROM generate_series(0, \(Self.things - 1)) AS n")
            try connection.execute(
                """
                CREATE TABLE sync_outbox (
                    seq \(connection.dialect.countedKey), position bigint NULL UNIQUE,
                    thing bigint NOT NULL, version bigint NOT NULL
                )
                """
            )
            try connection.execute("CREATE SEQUENCE sync_outbox_position")
        }
    }

    private func insert(_ thing: Int64, _ version: Int64, _ connection: any SQLConnection) throws {
        try connection.execute(
            "INSERT INTO sync_outbox (thing, version) VALUES (?, ?)",
            [.integer(thing), .integer(version)]
        )
    }

    /// Six writers that change things, dawdle before and after their outbox row, and give up one time in ten.
    private func write(_ store: PostgresEntityStore, until target: Int64) async throws {
        let committed = SharedNumber(0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    while committed.value < target {
                        let thing = Int64.random(in: 0..<Self.things)
                        do {
                            try await store.write { connection in
                                let sql = "UPDATE thing SET version = version + 1 WHERE id = ? RETURNING version"
                                let row = try connection.execute(sql, [.integer(thing)]).first
                                usleep(.random(in: 0..<4000))
                                try insert(thing, row?["version"].integer ?? 0, connection)
                                usleep(.random(in: 0..<20_000))
                                if Int.random(in: 0..<10) == 0 { throw Abandoned() }
                            }
                            committed.add(1)
                        } catch is Abandoned {}
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func follow(_ store: PostgresEntityStore, until isDone: SharedNumber) async throws -> [Entry] {
        var seen: [Entry] = []
        while true {
            let isLast = isDone.value > 0
            _ = try await store.stampOutbox()
            let pending = try await store.count("sync_outbox WHERE position IS NULL")
            let entries = try await entries(after: seen.last?.position ?? 0, store)
            seen += entries
            if isLast && pending == 0 && entries.isEmpty { return seen }
        }
    }

    private func entries(after position: Int64, _ store: PostgresEntityStore) async throws -> [Entry] {
        let rows = try await store.read { connection in
            try connection.execute(
                "SELECT position, thing, version FROM sync_outbox WHERE position > ? ORDER BY position",
                [.integer(position)]
            )
        }
        return rows.map { row in
            Entry(
                position: row["position"].integer ?? -1,
                thing: row["thing"].integer ?? -1,
                version: row["version"].integer ?? -1
            )
        }
    }
}
#endif
