import TidingsEntities
import TidingsWire

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension EntityStoreConformance {
    static let valueChecks = [
        integers, reals, texts, largeText, booleans, dates, orderOfDates, identifiers, nulls, refusedValues,
    ]

    private static let integers = check("integers come back as they were") { store in
        let values = [0, 1, -1, Int64.max, Int64.min, 9_007_199_254_740_993, -9_007_199_254_740_993, 1 << 31, 1 << 32]
        try await expectKept(.integer, values.map(SQLValue.integer), by: store)
    }

    private static let reals = check("numbers come back bit by bit, but for the sign of zero") { store in
        let values = [
            0.0, -0.0, 1, -1, 0.1, -0.1, .pi, 1.0 / 3, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
            .leastNormalMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 1e300, 1e-300,
            4_503_599_627_370_497.5, 1e15, 1e16, 9_007_199_254_740_992, 123_456_789.123_456_78,
        ]
        try await expectKept(.real, values.map(SQLValue.real), by: store)
    }

    private static let texts = check("texts come back byte for byte") { store in
        let values = [
            "", " ", "  two spaces  ", "it's", "\"quoted\"", "a\\b\\n", "%_?$1 ?? :x @x", "'; DROP TABLE kept; --", "1",
            "1.50",
            "line\nline\r\n\ttab", "\u{1}\u{7f}\u{feff}", "ÄÖÜ ß é e\u{301}", "🍔👨‍👩‍👧‍👦🇩🇪", "\u{10ffff}", "null", "true",
        ]
        let kept = try await keep(.text, values.map(SQLValue.text), in: store)
        try expect(kept.map { Array($0.text?.utf8 ?? "no text".utf8) }, values.map { Array($0.utf8) }, "the bytes")
    }

    private static let largeText = check("a text of two megabytes comes back whole") { store in
        let text = String(repeating: "0123456789 é🍔 ", count: 120_000)
        let kept = try await keep(.text, [.text(text)], in: store)
        try expect(kept.first?.text?.utf8.count, text.utf8.count, "the length")
        guard kept.first?.text == text else { throw ConformanceFailure("the text came back changed") }
    }

    private static let booleans = check("truth values come back as such or as 0 and 1") { store in
        let kept = try await keep(.boolean, [true, false], in: store)
        guard kept == [true, false] || kept == [1, 0] else { throw ConformanceFailure("kept as \(kept)") }
    }

    private static let dates = check("dates come back to the millisecond") { store in
        let texts = [
            "1970-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.001Z",
            "1901-02-03T04:05:06.007Z",
            "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", "2026-03-29T01:59:59.999Z",
            "2000-02-29T12:00:00.500Z",
        ]
        let kept = try await keep(.date, try texts.map { .date(try date($0)) }, in: store)
        try expect(kept.map(text(of:)), texts, "the dates")
    }

    private static let orderOfDates = check("dates are ordered by time") { store in
        let texts = [
            "0999-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00.000Z",
            "2026-01-01T00:00:00.000Z",
            "2026-01-01T00:00:00.001Z", "2026-01-01T00:00:00.010Z", "9999-01-01T00:00:00.000Z",
        ]
        let values = try texts.map { SQLValue.date(try date($0)) }
        _ = try await keep(.date, values.reversed(), in: store)
        let ordered = try await store.read { connection in
            try connection.execute(
                "SELECT kept FROM kept WHERE kept >= ? AND kept < ? ORDER BY kept",
                [values[1], values[6]]
            )
        }
        try expect(ordered.map { text(of: $0["kept"]) }, Array(texts[1..<6]), "the dates in order")
    }

    private static let identifiers = check("identifiers come back as such or as text in lower case") { store in
        let texts = [
            "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "0198c5b2-7d3e-7abc-8def-0123456789ab",
        ]
        let kept = try await keep(.uuid, texts.compactMap { UUID(uuidString: $0).map(SQLValue.uuid) }, in: store)
        let found = kept.map { value in
            if case .uuid(let uuid) = value { uuid.uuidString.lowercased() } else { value.text ?? "\(value)" }
        }
        try expect(found, texts, "the identifiers")
    }

    private static let nulls = check("a row of nulls comes back as one, and a null is the same as another") { store in
        let types = FieldType.allCases
        let row = try await store.write { connection in
            let columns = types.map { "c_\($0.rawValue) \(connection.dialect.columnType($0))" }
            try connection.execute(
                "CREATE TABLE kept (id \(connection.dialect.countedKey), \(columns.joined(separator: ", ")))"
            )
            let names = types.map { "c_\($0.rawValue)" }.joined(separator: ", ")
            let places = types.map { _ in "?" }.joined(separator: ", ")
            try connection.execute("INSERT INTO kept (\(names)) VALUES (\(places))", types.map { _ in .null })
            let isSame = types.map { "c_\($0.rawValue) \(connection.dialect.isSame) ?" }.joined(separator: " AND ")
            let found = try connection.execute("SELECT \(names) FROM kept WHERE \(isSame)", types.map { _ in .null })
            return found.map { row in types.indices.map { row[$0] } }
        }
        try expect(row, [types.map { _ in .null }], "the rows")
    }

    private static let refusedValues = check("what a database cannot hold is refused") { store in
        try await store.write { connection in
            try connection.execute(
                "CREATE TABLE kept (t \(connection.dialect.columnType(.text)), r \(connection.dialect.columnType(.real)))"
            )
        }
        let refused: [(String, SQLValue)] = [
            ("t", "before\u{0}after"), ("r", .real(.nan)), ("r", .real(.infinity)), ("r", .real(-.infinity)),
        ]
        for (column, value) in refused {
            try await expectError(.other, "storing \(value)") {
                try await store.write { try $0.execute("INSERT INTO kept (\(column)) VALUES (?)", [value]) }
            }
        }
        let rows = try await store.read { try $0.execute("SELECT count(*) AS n FROM kept") }
        try expect(rows.first?["n"], 0, "the number of rows")
    }

    // MARK: Parts

    /// Stores values in a table `kept` and reads them back.
    private static func keep(
        _ type: FieldType,
        _ values: [SQLValue],
        in store: any EntityStore
    ) async throws -> [SQLValue] {
        try await store.write { connection in
            let dialect = connection.dialect
            try connection.execute("CREATE TABLE kept (id \(dialect.countedKey), kept \(dialect.columnType(type)))")
            for value in values { try connection.execute("INSERT INTO kept (kept) VALUES (?)", [value]) }
        }
        return try await store.read { connection in
            try connection.execute("SELECT kept FROM kept ORDER BY id").map { $0["kept"] }
        }
    }

    private static func expectKept(_ type: FieldType, _ values: [SQLValue], by store: any EntityStore) async throws {
        try expect(try await keep(type, values, in: store), values, "the values")
        for value in values {
            let found = try await store.read { try $0.execute("SELECT kept FROM kept WHERE kept = ?", [value]) }
            guard found.contains(where: { $0["kept"] == value }) else {
                throw ConformanceFailure("\(value) is not found by its value")
            }
        }
    }

    private static func date(_ text: String) throws -> Date {
        guard let date = Timestamp.date(text) else { throw ConformanceFailure("\(text) is no date") }
        return date
    }

    private static func text(of value: SQLValue) -> String? {
        if case .date(let date) = value { Timestamp.text(date) } else { value.text }
    }
}
