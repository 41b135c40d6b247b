import TidingsEntities

extension EntityStoreConformance {
    static let closingChecks = [closing, closingWaits]

    private static let closing = check("a closed store refuses work and can be closed again") { store in
        try await createAccounts(store, [1])
        await store.close()
        await store.close()
        try await expectError(.closed, "reading after closing") { _ = try await amounts(store) }
        try await expectError(.closed, "writing after closing") {
            try await store.write { try $0.execute("UPDATE account SET amount = 2") }
        }
    }

    private static let closingWaits = check("closing waits for the transactions that run") { store in
        try await createAccounts(store, [1])
        let gate = BodyGate()
        async let written = store.write { connection in
            try gate.pass()
            return try connection.execute("UPDATE account SET amount = 2 RETURNING amount").first?["amount"]
        }
        try await gate.arrival()
        async let closed: Void = store.close()
        gate.open()
        try expect(try await written, 2, "what the transaction returned")
        await closed
        try await expectError(.closed, "reading after closing") { _ = try await amounts(store) }
    }
}
