import TidingsEntities

extension EntityStoreConformance {
    static let isolationChecks = [
        oneMoment, readsDoNotWait, readsAtTheSameTime, noLostUpdate, returningCounts, transfers,
    ]

    private static let oneMoment = check("a read sees one moment, whatever is committed meanwhile") { store in
        try await createAccounts(store, [1, 2])
        let gate = BodyGate()
        async let seen = store.read { connection in
            let before = try amounts(connection)
            try gate.pass()
            return [before, try amounts(connection)]
        }
        try await gate.arrival()
        try await store.write { connection in
            try connection.execute("UPDATE account SET amount = amount + 10")
            try connection.execute("INSERT INTO account (id, amount) VALUES (7, 70)")
        }
        gate.open()
        try expect(try await seen, [[1, 2], [1, 2]], "the rows that the read saw")
        try expect(try await amounts(store), [11, 12, 70], "the rows afterwards")
    }

    private static let readsDoNotWait = check("a read neither waits for a transaction that writes nor sees it") {
        store in
        try await createAccounts(store, [1])
        let gate = BodyGate()
        async let written: Void = store.write { connection in
            try connection.execute("UPDATE account SET amount = 2")
            try gate.pass()
        }
        try await gate.arrival()
        try expect(try await amounts(store), [1], "the rows before the commit")
        gate.open()
        try await written
        try expect(try await amounts(store), [2], "the rows after the commit")
    }

    private static let readsAtTheSameTime = check("bodies may block their threads without holding up others") { store in
        try await createAccounts(store, [1])
        let gate = BodyGate()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await store.read { connection in
                        try gate.pass()
                        try expect(try amounts(connection), [1], "the rows")
                    }
                }
            }
            for _ in 0..<4 { try await gate.arrival() }
            for _ in 0..<4 { gate.open() }
            try await group.waitForAll()
        }
    }

    private static let noLostUpdate = check("a row that was selected for a change is not changed by others") { store in
        try await createAccounts(store, [0])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    try await store.write { connection in
                        let locking = connection.dialect.lockingClause
                        let row = try connection.execute("SELECT amount FROM account WHERE id = 0 \(locking)").first
                        guard let amount = row?["amount"].integer else { throw ConformanceFailure("no row") }
                        try connection.execute("UPDATE account SET amount = ? WHERE id = 0", [.integer(amount + 1)])
                    }
                }
            }
            try await group.waitForAll()
        }
        try expect(try await amounts(store), [40], "the sum of 40 changes")
    }

    private static let returningCounts = check("of racing changes of one row each sees the one before it") { store in
        try await createAccounts(store, [0])
        let seen = try await withThrowingTaskGroup(of: Int64?.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    try await store.write { connection in
                        let sql = "UPDATE account SET amount = amount + 1 WHERE id = 0 RETURNING amount"
                        return try connection.execute(sql).first?["amount"].integer
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1 ?? -1) }
        }
        try expect(seen.sorted(), Array(1...40), "what the changes returned")
    }

    private static let transfers = check("readers and writers at the same time never see half a transaction") { store in
        try await createAccounts(store, Array(repeating: 100, count: 8))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for round in 0..<20 {
                        let (from, to) = (Int64((writer + round) % 8), Int64((writer + round * 3 + 1) % 8))
                        try await store.write { connection in
                            // In the order of the rows, so that nobody waits for somebody who waits for them.
                            for id in [from, to].sorted() {
                                let change: SQLValue = .integer((id == to ? 1 : 0) - (id == from ? 1 : 0))
                                try connection.execute(
                                    "UPDATE account SET amount = amount + ? WHERE id = ?",
                                    [change, .integer(id)]
                                )
                            }
                        }
                    }
                }
            }
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<20 {
                        let sum = try await amounts(store).reduce(0) { $0 + ($1 ?? 0) }
                        try expect(sum, 800, "the sum of all accounts")
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
