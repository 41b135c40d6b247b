import TidingsEntities

extension EntityStoreConformance {
    static let transactionChecks = [
        commit, rollback, rollbackOfTables, rollbackBySQL, swallowedFailure, afterAFailure, resultOfABody, ownWrites,
        nothingWrittenByReads,
    ]

    private static let commit = check("what a transaction wrote is there when it returns") { store in
        try await createAccounts(store, [1, 2])
        try await store.write { connection in
            try connection.execute("UPDATE account SET amount = amount + 10")
            try connection.execute("INSERT INTO account (id, amount) VALUES (?, ?)", [7, 70])
        }
        try expect(try await amounts(store), [11, 12, 70], "the rows")
    }

    private static let rollback = check("nothing is kept of a transaction whose body throws") { store in
        try await createAccounts(store, [1, 2])
        do {
            try await store.write { connection in
                try connection.execute("DELETE FROM account WHERE id = 0")
                try connection.execute("UPDATE account SET amount = 100")
                try connection.execute("INSERT INTO account (id, amount) VALUES (7, 70)")
                throw Abandoned()
            }
            throw ConformanceFailure("the transaction succeeded")
        } catch is Abandoned {}
        try expect(try await amounts(store), [1, 2], "the rows")
    }

    private static let rollbackOfTables = check("a table is not there if its transaction was rolled back") { store in
        do {
            try await store.write { connection in
                try connection.execute("CREATE TABLE account (id \(connection.dialect.columnType(.integer)))")
                throw Abandoned()
            }
        } catch is Abandoned {}
        let table = try await store.read { try $0.table(named: "account") }
        try expect(table, nil, "the table")
    }

    private static let rollbackBySQL = check("a body cannot end its transaction itself") { store in
        try await createAccounts(store, [1])
        try await expectError(.other, "ROLLBACK within a body") {
            try await store.write { try $0.execute("ROLLBACK") }
        }
        try await store.write { try $0.execute("UPDATE account SET amount = 2") }
        try expect(try await amounts(store), [2], "the rows")
    }

    private static let swallowedFailure = check("a transaction with a failed statement fails, whatever its body does") {
        store in
        try await createAccounts(store, [1])
        try await expectError(.unique, "a transaction that swallowed an error") {
            try await store.write { connection in
                try connection.execute("UPDATE account SET amount = 100")
                _ = try? connection.execute("INSERT INTO account (id, amount) VALUES (0, 5)")
                _ = try? connection.execute("UPDATE account SET amount = 200")
            }
        }
        try expect(try await amounts(store), [1], "the rows")
    }

    private static let afterAFailure = check("a transaction that failed leaves the store as good as new") { store in
        try await createAccounts(store, [0])
        for round in 1...30 {
            do {
                try await store.write { connection in
                    try connection.execute("UPDATE account SET amount = amount + 100")
                    if round.isMultiple(of: 2) { try connection.execute("this is no statement") }
                    throw Abandoned()
                }
            } catch is Abandoned {} catch is StoreError {}
            try await store.write { try $0.execute("UPDATE account SET amount = amount + 1") }
        }
        try expect(try await amounts(store), [30], "the rows")
    }

    private static let resultOfABody = check("a transaction gives what its body returned, and runs it once") { store in
        try await createAccounts(store, [1])
        let written = try await store.write { connection in
            try connection.execute("UPDATE account SET amount = amount * 2 RETURNING amount").map { $0[0] }
        }
        try expect(written, [2], "the result of writing")
        try expect(try await store.read { try amounts($0) }, [2], "the result of reading")
    }

    private static let ownWrites = check("a transaction sees what it wrote itself") { store in
        try await createAccounts(store, [1])
        let seen = try await store.write { connection in
            try connection.execute("INSERT INTO account (id, amount) VALUES (5, 50)")
            try connection.execute("UPDATE account SET amount = 2 WHERE id = 0")
            return try amounts(connection)
        }
        try expect(seen, [2, 50], "the rows")
    }

    private static let nothingWrittenByReads = check("nothing is kept of what a reading body writes") { store in
        try await createAccounts(store, [1])
        try await expectError(.other, "writing within read") {
            try await store.read { try $0.execute("UPDATE account SET amount = 100") }
        }
        try expect(try await amounts(store), [1], "the rows")
    }
}
