import TidingsEntities

extension EntityStoreConformance {
    static let statementChecks = [
        questionMarks, boundParameters, columnsByName, manyRows, repeatedStatements, wrongStatements, countedKeys,
        changedTable,
    ]

    private static let questionMarks = check("a question mark in quotes or a comment is no parameter") { store in
        let rows = try await store.read { connection in
            try connection.execute(
                """
                SELECT 'really?' AS "what?", 'it''s ?' AS b, ? AS c, -- and this?
                    /* or ? this */ 'end -- ?' AS d, '/* ? */' AS e, ? AS f
                """,
                ["one", "two"]
            )
        }
        let row = rows.first.map { row in ["what?", "b", "c", "d", "e", "f"].map { row[$0].text } }
        try expect(row, ["really?", "it's ?", "one", "end -- ?", "/* ? */", "two"], "the row")
    }

    private static let boundParameters = check("a parameter is a value, whatever is in it") { store in
        try await store.write { connection in
            let text = connection.dialect.columnType(.text)
            try connection.execute("CREATE TABLE note (id \(connection.dialect.countedKey), body \(text))")
        }
        let bodies = ["'; DELETE FROM note; --", "$1", "?", "\\", "E'\\\\'", "$$", "note\"", "%s"]
        for body in bodies {
            try await store.write { connection in
                try connection.execute("INSERT INTO note (body) VALUES (?)", [.text(body)])
                let found = try connection.execute("SELECT body FROM note WHERE body = ?", [.text(body)])
                try expect(found.map { $0["body"] }, [.text(body)], "what is found")
            }
        }
        let count = try await store.read { try $0.execute("SELECT count(*) AS n FROM note").first?["n"] }
        try expect(count, .integer(Int64(bodies.count)), "the number of rows")
    }

    private static let columnsByName = check("a row has its values by name and by place") { store in
        let row = try await store.read { try $0.execute("SELECT 1 AS a, 'x' AS b, NULL AS c").first }
        try expect(row.map { [$0["a"], $0["b"], $0["c"], $0["d"]] }, [1, "x", .null, .null], "by name")
        try expect(row.map { [$0[0], $0[1], $0[2], $0[3], $0[-1]] }, [1, "x", .null, .null, .null], "by place")
    }

    private static let manyRows = check("a statement returns all its rows, and none where there is none") { store in
        try await createAccounts(store, Array(0..<1500))
        try expect(try await amounts(store), Array(0..<1500), "the rows")
        let none = try await store.read { try $0.execute("SELECT * FROM account WHERE amount < ?", [0]) }
        try expect(none.count, 0, "rows of an empty result")
        let changed = try await store.write { try $0.execute("DELETE FROM account") }
        try expect(changed.count, 0, "rows of a statement that returns none")
    }

    private static let repeatedStatements = check("a statement may be used again with other kinds of parameters") {
        store in
        try await createAccounts(store, [5])
        for value: SQLValue in [5, .null, 5, 6, .null, 5] {
            let count = try await store.read { connection in
                try connection.execute("SELECT amount FROM account WHERE amount = ?", [value]).count
            }
            try expect(count, value == 5 ? 1 : 0, "rows for \(value)")
        }
    }

    private static let wrongStatements = check("what is not one whole statement with its parameters is refused") {
        store in
        try await createAccounts(store, [1])
        let wrong: [(String, [SQLValue])] = [
            ("this is no statement", []),
            ("SELECT * FROM nowhere", []),
            ("SELECT amount FROM account WHERE id = ?", []),
            ("SELECT amount FROM account WHERE id = ?", [0, 1]),
            ("SELECT amount FROM account", [1]),
            ("UPDATE account SET amount = 5; UPDATE account SET amount = 6", []),
            ("", []),
            ("-- nothing", []),
        ]
        for (sql, parameters) in wrong {
            try await expectError(.other, "“\(sql)” with \(parameters.count) parameters") {
                try await store.write { try $0.execute(sql, parameters) }
            }
        }
        try expect(try await amounts(store), [1], "the rows")
    }

    private static let countedKeys = check("a counted key grows and is never given twice") { store in
        try await store.write { connection in
            let text = connection.dialect.columnType(.text)
            try connection.execute("CREATE TABLE note (id \(connection.dialect.countedKey), body \(text))")
        }
        var last: Int64 = 0
        for _ in 0..<5 {
            let id = try await store.write { connection in
                let id = try connection.execute("INSERT INTO note (body) VALUES ('x') RETURNING id").first?["id"]
                    .integer
                try connection.execute("DELETE FROM note")
                return id
            }
            guard let id, id > last else { throw ConformanceFailure("the key \(id ?? -1) follows \(last)") }
            last = id
        }
    }

    private static let changedTable = check("a statement sees columns that came since it was used last") { store in
        try await createAccounts(store, [1])
        for round in 0..<4 {
            let row = try await store.read { try $0.execute("SELECT * FROM account WHERE id = ?", [0]).first }
            try expect(row?["amount"], 1, "the column that was there")
            if round > 0 { try expect(row?["added\(round)"], "new", "the column that came") }
            try await store.write { connection in
                let text = connection.dialect.columnType(.text)
                try connection.execute("ALTER TABLE account ADD COLUMN added\(round + 1) \(text) DEFAULT 'new'")
            }
        }
    }
}
