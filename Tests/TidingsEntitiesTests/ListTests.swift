import Foundation
import TestSupport
import Testing
import TidingsEntities
import TidingsWire

@Suite("Lists", .timeLimit(.patience))
struct ListTests {
    /// What a list has, by the field `note`.
    private static func notes(_ answer: EntityAnswer) throws -> [String] {
        try answer.items.map { $0["note"]?.string ?? "-" }
    }

    @Test("show the newest first, with children and without what is excluded", arguments: StoreProvider.all)
    func standard(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            for number in 1...3 {
                let order = try await bench.makeOrder { $0.note = "\(number)" }
                try await bench.entities.write { try $0.add(OrderItem.self, to: order) { $0.name = "n\(number)" } }
                bench.time.advance(by: .milliseconds(1))
            }
            let answer = try await bench.orders.list([], as: nil)
            #expect(try Self.notes(answer) == ["3", "2", "1"])
            #expect(try answer.items.map { $0["items"]?.elements.first?["name"]?.string } == ["n3", "n2", "n1"])
            #expect(
                try answer.items.first?.names == [
                    "id", "reference", "table", "note", "phone", "tip", "special_id", "status", "version", "created_at",
                    "updated_at", "items",
                ]
            )
            #expect(
                try answer.items.first?["items"]?.elements.first?.names == [
                    "id", "name", "quantity", "dish_id", "updated_at",
                ]
            )
            #expect(answer["next_cursor"] == "null" && answer.entityTag == nil && answer.kind == .found)
        }
    }

    @Test("are filtered by fields: one value, one of several, several fields", arguments: StoreProvider.all)
    func filters(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            for (number, table) in ["7", "7", "8", "9"].enumerated() {
                let order = try await bench.makeOrder(table: table) { order in
                    order.note = "\(number)"
                    order.tip = Double(number) / 2
                }
                if number % 2 == 1 {
                    try await bench.entities.write {
                        try $0.transition(Order.self, order.id, to: Order.Status.preparing)
                    }
                }
            }
            let reference = try await orders.list([("note", "3")], as: nil).items.first?["reference"]?.string ?? ""
            let created = try await orders.list([("note", "3")], as: nil).items.first?["created_at"]?.string ?? ""
            let cases: [([(String, String)], [String])] = [
                ([("table", "7")], ["0", "1"]), ([("table", "7"), ("table", "9")], ["0", "1", "3"]),
                ([("table", "7"), ("status", "preparing")], ["1"]), ([("table", " 7 ")], ["0", "1"]),
                ([("tip", "0.5")], ["1"]), ([("tip", "1")], ["2"]), ([("version", "2")], ["1", "3"]),
                ([("reference", reference)], ["3"]), ([("created_at", created)], ["0", "1", "2", "3"]),
                ([("note", "")], []), ([("note", "' OR 1=1 --")], []), ([("table", "none")], []),
            ]
            for (parameters, expected) in cases {
                let answer = try await orders.list(parameters.map { ($0.0, $0.1) } + [("sort", "note")], as: nil)
                #expect(try Self.notes(answer) == expected, "\(parameters)")
            }
        }
    }

    @Test("refuse parameters that they do not know, and values that are none", arguments: StoreProvider.all)
    func wrongParameters(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            _ = try await bench.makeOrder()
            let wrong: [[(String, String)]] = [
                [("colour", "red")], [("secret", "kept")], [("deleted_at", "")], [("items", "x")], [("", "")],
                [("limit", "0")], [("limit", "201")], [("limit", "x")], [("limit", "-1")],
                [("limit", "5"), ("limit", "6")],
                [("sort", "colour")], [("sort", "secret")], [("sort", "")], [("sort", "-")], [("sort", "--note")],
                [("sort", "deleted_at")], [("cursor", "")], [("cursor", "!")], [("cursor", "eyJ9")],
                [("tip", "x")], [("tip", "inf")], [("tip", "nan")], [("version", "1.5")], [("version", "1e400")],
                [("created_at", "today")], [("created_at", "9999-12-31T23:59:59.9999Z")], [("id", "7")],
                [("note", "a\u{0}b")], [("sort", "note"), ("sort", "note")],
                Array(repeating: ("table", "7"), count: 201),
            ]
            for parameters in wrong {
                await expectRefusal(.invalidParameter, "\(parameters.prefix(3))") {
                    try await orders.list(parameters.map { ($0.0, $0.1) }, as: nil)
                }
            }
        }
    }

    @Test("take a cursor for the same list only", arguments: StoreProvider.all)
    func cursors(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            for number in 0..<4 { _ = try await bench.makeOrder { $0.note = "\(number)" } }
            let first = try await orders.list([("sort", "note"), ("limit", "2"), ("table", "7")], as: nil)
            let cursor = try #require(try first.next)
            for parameters in [
                [], [("sort", "-note"), ("table", "7")], [("sort", "note")], [("sort", "note"), ("table", "8")],
                [("sort", "tip"), ("table", "7")],
            ] {
                await expectRefusal(.invalidParameter, "\(parameters)") {
                    try await orders.list(parameters + [("cursor", cursor)], as: nil)
                }
            }
            // Another limit and another order of the parameters are the same list.
            let rest = try await orders.list(
                [("cursor", cursor), ("table", "7"), ("limit", "5"), ("sort", "note")],
                as: nil
            )
            #expect(try Self.notes(rest) == ["2", "3"])
            // A cursor that somebody changed is refused or leads somewhere else, and breaks nothing.
            for place in cursor.indices {
                var changed = cursor
                changed.replaceSubrange(place...place, with: cursor[place] == "A" ? "B" : "A")
                do {
                    _ = try await orders.list([("cursor", changed), ("table", "7"), ("sort", "note")], as: nil)
                } catch let error as EntityError {
                    #expect(error.code == .invalidParameter)
                }
            }
        }
    }

    /// The order of a list, spelled out again.
    private struct Row {
        let id: String
        let note: String?
        let tip: Double?
        let table: String
    }

    @Test(
        "page by page neither skip nor repeat, while rows come and go",
        arguments: StoreProvider.all,
        [1, 2, 3] as [UInt64]
    )
    func pages(_ provider: StoreProvider, _ seed: UInt64) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            var random = SeededGenerator(seed: seed)
            var rows: [Row] = []
            for _ in 0..<40 { rows.append(try await Self.insert(bench, &random)) }
            let sorts: [(String, (Row, Row) -> Bool)] = [
                ("note", { Self.precedes($0.note, $1.note, $0.id, $1.id) }),
                ("tip", { Self.precedes($0.tip, $1.tip, $0.id, $1.id) }),
                ("table", { Self.precedes($0.table, $1.table, $0.id, $1.id) }),
                ("id", { $0.id < $1.id }),
            ]
            for (name, precedes) in sorts {
                for isDescending in [false, true] {
                    let sort = (isDescending ? "-" : "") + name
                    var seen: [String] = []
                    var cursor: String?
                    let there = rows
                    var fresh: Set<String> = []
                    repeat {
                        let limit = random.number(in: 1...9)
                        let parameters =
                            [("sort", sort), ("limit", "\(limit)")] + (cursor.map { [("cursor", $0)] } ?? [])
                        let page = try await orders.list(parameters, as: nil)
                        let ids = try page.items.compactMap { $0["id"]?.string }
                        #expect(ids.count == limit || (try? page.next) == .some(nil), "\(sort), seed \(seed)")
                        seen += ids
                        cursor = try page.next
                        let row = try await Self.insert(bench, &random)
                        rows.append(row)
                        fresh.insert(row.id)
                    } while cursor != nil
                    #expect(Set(seen).count == seen.count, "\(sort) repeats, seed \(seed)")
                    var expected = there.sorted(by: precedes).map(\.id)
                    if isDescending { expected = Self.descending(there, precedes, by: name) }
                    #expect(seen.filter { !fresh.contains($0) } == expected, "\(sort), seed \(seed)")
                }
            }
        }
    }

    private static func insert(_ bench: Bench, _ random: inout SeededGenerator) async throws -> Row {
        let note = random.once(in: 3) ? nil : ["a", "b", "é", ""][random.number(in: 0...3)]
        let tip = random.once(in: 3) ? nil : [0, 0.1, 1e20][random.number(in: 0...2)]
        let table = "\(random.number(in: 1...3))"
        let order = try await bench.makeOrder(table: table) { order in
            order.note = note
            order.tip = tip
        }
        return Row(id: order.id.text, note: note, tip: tip, table: table)
    }

    /// Rows without a value come last; of the same values the identifier decides.
    private static func precedes<Value: Comparable>(
        _ left: Value?,
        _ right: Value?,
        _ id: String,
        _ other: String
    ) -> Bool {
        switch (left, right) {
        case (nil, nil): id < other
        case (nil, _): false
        case (_, nil): true
        case (let left?, let right?): left == right ? id < other : left < right
        }
    }

    /// The other way round, but for rows without a value, which are last again.
    private static func descending(_ rows: [Row], _ precedes: (Row, Row) -> Bool, by name: String) -> [String] {
        let isMissing: (Row) -> Bool = { name == "note" ? $0.note == nil : name == "tip" ? $0.tip == nil : false }
        let parts = [rows.filter { !isMissing($0) }, rows.filter(isMissing)]
        return parts.flatMap { $0.sorted(by: precedes).reversed().map(\.id) }
    }
}
