import TidingsEntities

extension EntityStoreConformance {
    static let outboxChecks = [positions, nothingToStamp, rolledBackRows, tailing, watching]

    private static let positions = check("committed rows of the outbox have positions, in the order they came") {
        store in
        try await createOutbox(store)
        var last: Int64 = 0
        for round in 0..<3 {
            for number in 0..<5 { try await store.write { try insert(writer: round, number: number, $0) } }
            _ = try await store.stampOutbox()
            let rows = try await rows(after: last, store)
            try expect(rows.map(\.number), [0, 1, 2, 3, 4], "the rows of round \(round)")
            for row in rows {
                guard row.position > last else { throw ConformanceFailure("\(row.position) follows \(last)") }
                last = row.position
            }
        }
    }

    private static let nothingToStamp = check("stamping says whether any row got a position") { store in
        try await createOutbox(store)
        try expect(try await store.stampOutbox(), false, "stamping an empty outbox")
        try await store.write { try insert(writer: 0, number: 0, $0) }
        try expect(try await store.stampOutbox(), !store.dialect.stampsOnInsert, "stamping one row")
        try expect(try await store.stampOutbox(), false, "stamping again")
    }

    private static let rolledBackRows = check("rows that were rolled back have no position") { store in
        try await createOutbox(store)
        try await store.write { try insert(writer: 0, number: 0, $0) }
        do {
            try await store.write { connection in
                try insert(writer: 0, number: 1, connection)
                throw Abandoned()
            }
        } catch is Abandoned {}
        try await store.write { try insert(writer: 0, number: 2, $0) }
        _ = try await store.stampOutbox()
        try expect(try await rows(after: 0, store).map(\.number), [0, 2], "the rows")
    }

    private static let tailing = check("whoever follows the positions sees each committed row once, in order") {
        store in
        try await createOutbox(store)
        let (writers, each) = (4, 25)
        let done = Flag()
        let seen = try await withThrowingTaskGroup(of: [OutboxRow]?.self) { group in
            group.addTask {
                try await withThrowingTaskGroup(of: Void.self) { writing in
                    for writer in 0..<writers {
                        writing.addTask { try await write(each, as: writer, store) }
                    }
                    try await writing.waitForAll()
                }
                done.raise()
                return nil
            }
            for _ in 0..<2 {
                group.addTask { try await follow(store, until: done) }
            }
            return try await group.reduce(into: [[OutboxRow]]()) { all, rows in if let rows { all.append(rows) } }
        }
        try expect(seen.count, 2, "the number of followers")
        for rows in seen {
            for writer in 0..<writers {
                let numbers = rows.filter { $0.writer == writer }.map(\.number)
                // Every tenth transaction was rolled back.
                try expect(numbers, (0..<each).filter { $0 % 10 != 9 }, "the rows of writer \(writer)")
            }
        }
    }

    private static let watching = check("whoever watches is told that the outbox grew") { store in
        try await createOutbox(store)
        let told = Flag()
        let watch = Task { await store.watchOutbox { told.raise() } }
        var number = 0
        while !told.isRaised {
            try await store.write { [number] in try insert(writer: 0, number: number, $0) }
            _ = try await store.stampOutbox()
            number += 1
            try Task.checkCancellation()
        }
        watch.cancel()
        await watch.value
    }

    // MARK: Parts

    private struct OutboxRow {
        let position: Int64
        let writer: Int
        let number: Int
    }

    /// The columns that stores know of, and two for the checks.
    private static func createOutbox(_ store: any EntityStore) async throws {
        try await store.write { connection in
            let dialect = connection.dialect
            let integer = dialect.columnType(.integer)
            let keys =
                dialect.stampsOnInsert
                ? "position \(dialect.countedKey)" : "seq \(dialect.countedKey), position \(integer) UNIQUE"
            try connection.execute("CREATE TABLE sync_outbox (\(keys), writer \(integer), number \(integer))")
            if !dialect.stampsOnInsert { try connection.execute("CREATE SEQUENCE sync_outbox_position") }
        }
    }

    private static func insert(writer: Int, number: Int, _ connection: any SQLConnection) throws {
        try connection.execute(
            "INSERT INTO sync_outbox (writer, number) VALUES (?, ?)",
            [.integer(Int64(writer)), .integer(Int64(number))]
        )
    }

    private static func write(_ count: Int, as writer: Int, _ store: any EntityStore) async throws {
        for number in 0..<count {
            do {
                try await store.write { connection in
                    try insert(writer: writer, number: number, connection)
                    if number % 10 == 9 { throw Abandoned() }
                }
            } catch is Abandoned {}
        }
    }

    /// Reads on until there is nothing more after the writers have ended.
    private static func follow(_ store: any EntityStore, until done: Flag) async throws -> [OutboxRow] {
        var seen: [OutboxRow] = []
        while true {
            let isLast = done.isRaised
            while try await store.stampOutbox() {}
            // Somebody else may be stamping; what they stamp is pending until it can be read.
            let pending = try await pendingRows(store)
            let rows = try await rows(after: seen.last?.position ?? 0, store)
            seen += rows
            if isLast && pending == 0 && rows.isEmpty { return seen }
        }
    }

    private static func pendingRows(_ store: any EntityStore) async throws -> Int64? {
        let sql = "SELECT count(*) AS n FROM sync_outbox WHERE position IS NULL"
        return try await store.read { try $0.execute(sql).first?["n"].integer }
    }

    private static func rows(after position: Int64, _ store: any EntityStore) async throws -> [OutboxRow] {
        let rows = try await store.read { connection in
            try connection.execute(
                "SELECT position, writer, number FROM sync_outbox WHERE position > ? ORDER BY position LIMIT 100",
                [.integer(position)]
            )
        }
        return rows.map { row in
            OutboxRow(
                position: row["position"].integer ?? -1,
                writer: Int(row["writer"].integer ?? -1),
                number: Int(row["number"].integer ?? -1)
            )
        }
    }
}
