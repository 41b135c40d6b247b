import TidingsEntities

extension EntityStoreConformance {
    static let cancellationChecks = [cancelledBefore, cancelledWhileWaiting, cancelledReading, cancelledWriting]

    /// A statement that does not end by itself.
    private static let endless = """
        WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 1000000000)
        SELECT count(*) AS n FROM counted
        """

    private static let cancelledBefore = check("a body does not run in a task that is cancelled") { store in
        try await createAccounts(store, [1])
        let gate = BodyGate()
        let task = Task {
            // Nobody arrives: this ends when the task is cancelled.
            try? await gate.arrival()
            try await store.write { try $0.execute("UPDATE account SET amount = 2") }
        }
        task.cancel()
        try await expectCancelled(task, "writing in a cancelled task")
        try expect(try await amounts(store), [1], "the rows")
    }

    private static let cancelledWhileWaiting = check("a transaction that waits for another can be cancelled") { store in
        try await createAccounts(store, [1])
        let (gate, started) = (BodyGate(), BodyGate())
        async let first: Void = store.write { connection in
            try connection.execute("UPDATE account SET amount = amount + 10")
            try gate.pass()
        }
        try await gate.arrival()
        let second = Task {
            started.announce()
            try await store.write { try $0.execute("UPDATE account SET amount = amount + 100") }
        }
        try await started.arrival()
        second.cancel()
        try await expectCancelled(second, "a transaction that was cancelled while it waited")
        gate.open()
        try await first
        try expect(try await amounts(store), [11], "the rows")
    }

    private static let cancelledReading = check("cancelling interrupts a statement that reads") { store in
        let gate = BodyGate()
        let task = Task {
            try await store.read { connection in
                gate.announce()
                return try connection.execute(endless).count
            }
        }
        try await gate.arrival()
        task.cancel()
        try await expectCancelled(task, "a read that was cancelled")
        try expect(try await store.read { try $0.execute("SELECT 1 AS n").first?["n"] }, 1, "a read afterwards")
    }

    private static let cancelledWriting = check("cancelling interrupts a transaction, of which nothing is kept") {
        store in
        try await createAccounts(store, [1])
        for _ in 0..<5 {
            let gate = BodyGate()
            let task = Task {
                try await store.write { connection in
                    try connection.execute("UPDATE account SET amount = 100")
                    gate.announce()
                    // A body that goes on regardless commits nothing either.
                    _ = try? connection.execute(endless)
                }
            }
            try await gate.arrival()
            task.cancel()
            try await expectCancelled(task, "a transaction that was cancelled")
            try await store.write { try $0.execute("UPDATE account SET amount = amount + 1") }
        }
        try expect(try await amounts(store), [6], "the rows")
    }
}
