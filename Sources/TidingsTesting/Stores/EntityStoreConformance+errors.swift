import TidingsEntities

extension EntityStoreConformance {
    static let errorChecks = [uniqueValue, uniquePair, missingRow, namedRow, missingValue, noSecrets]

    private static let uniqueValue = check("a value that is there already is told apart, with its constraint") {
        store in
        try await createOrders(store)
        for sql in [
            "INSERT INTO purchase (id, number) VALUES (3, 'A')", "UPDATE purchase SET number = 'A' WHERE id = 2",
        ] {
            let error = try await expectError(.unique, sql) { try await store.write { try $0.execute(sql) } }
            guard error.constraint?.contains("number") == true else {
                throw ConformanceFailure(
                    "the constraint: expected one with “number”, found \(error.constraint ?? "none")"
                )
            }
        }
        try await expectError(.unique, "a primary key that is there") {
            try await store.write { try $0.execute("INSERT INTO purchase (id, number) VALUES (1, 'C')") }
        }
    }

    private static let uniquePair = check("so is a pair of values") { store in
        try await createOrders(store)
        try await store.write { connection in
            try connection.execute("CREATE UNIQUE INDEX pair_of_values ON purchase_item (purchase_id, name)")
            try connection.execute("INSERT INTO purchase_item (id, purchase_id, name) VALUES (2, 1, 'soup')")
        }
        let error = try await expectError(.unique, "a pair that is there") {
            try await store.write { connection in
                try connection.execute("INSERT INTO purchase_item (id, purchase_id, name) VALUES (3, 1, 'soup')")
            }
        }
        guard error.constraint != nil else { throw ConformanceFailure("the constraint is not named") }
        try await store.write { connection in
            try connection.execute("INSERT INTO purchase_item (id, purchase_id, name) VALUES (3, 2, 'soup')")
        }
    }

    private static let missingRow = check("a row cannot name one that is not there") { store in
        try await createOrders(store)
        try await expectError(.foreignKey, "naming a missing row") {
            try await store.write { connection in
                try connection.execute("INSERT INTO purchase_item (id, purchase_id, name) VALUES (9, 99, 'x')")
            }
        }
    }

    private static let namedRow = check("a row cannot go while others name it") { store in
        try await createOrders(store)
        try await expectError(.foreignKey, "deleting a row that is named") {
            try await store.write { try $0.execute("DELETE FROM purchase WHERE id = 1") }
        }
        try await store.write { connection in
            try connection.execute("DELETE FROM purchase_item WHERE purchase_id = 1")
            try connection.execute("DELETE FROM purchase WHERE id = 1")
        }
    }

    private static let missingValue = check("a required value cannot be missing") { store in
        try await createOrders(store)
        try await expectError(.other, "a null where none may be") {
            try await store.write { try $0.execute("INSERT INTO purchase (id, number) VALUES (3, ?)", [.null]) }
        }
    }

    private static let noSecrets = check("errors contain no parameter") { store in
        try await createOrders(store)
        try await store.write { try $0.execute("UPDATE purchase SET number = 'hush-hush' WHERE id = 1") }
        let statements = [
            "INSERT INTO purchase (id, number) VALUES (8, ?)", "INSERT INTO purchase (id, number) VALUES (?, 'D')",
            "INSERT INTO nowhere VALUES (?)", "UPDATE purchase SET id = ? WHERE id = 2",
        ]
        for sql in statements {
            do {
                try await store.write { connection in
                    try connection.execute(sql, ["hush-hush"])
                    throw Abandoned()
                }
            } catch is Abandoned {
            } catch let error as StoreError {
                guard !"\(error) \(error.constraint ?? "")".contains("hush") else {
                    throw ConformanceFailure("the error of “\(sql)” tells the parameter: \(error)")
                }
            }
        }
    }

    private static func createOrders(_ store: any EntityStore) async throws {
        try await store.write { connection in
            let (integer, text) = (connection.dialect.columnType(.integer), connection.dialect.columnType(.text))
            try connection.execute("CREATE TABLE purchase (id \(integer) PRIMARY KEY, number \(text) NOT NULL UNIQUE)")
            try connection.execute(
                """
                CREATE TABLE purchase_item (
                    id \(integer) PRIMARY KEY, purchase_id \(integer) NOT NULL REFERENCES purchase (id), name \(text)
                )
                """
            )
            try connection.execute("INSERT INTO purchase (id, number) VALUES (1, 'A'), (2, 'B')")
            try connection.execute("INSERT INTO purchase_item (id, purchase_id, name) VALUES (1, 1, 'bread')")
        }
    }
}
