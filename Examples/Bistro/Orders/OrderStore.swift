import Foundation
import GRDB
import HTTPTypes
import TidingsHummingbird

/// The orders in SQLite. Every change is one transaction and makes the order's version one higher.
struct OrderStore: Sendable {
    private let database: DatabasePool

    /// Opens the file, and makes it and its tables if they are missing.
    init(path: String) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        database = try DatabasePool(path: path, configuration: configuration)
        try Self.migrator.migrate(database)
    }

    func checkHealth() async throws {
        try await database.read { _ = try Int.fetchOne($0, sql: "SELECT 1") }
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("orders") { database in
            try database.create(table: "orders") { table in
                table.primaryKey("id", .text)
                table.column("table", .text).notNull()
                table.column("status", .text).notNull()
                table.column("note", .text)
                table.column("version", .integer).notNull()
                table.column("created_at", .text).notNull()
                table.column("updated_at", .text).notNull()
            }
            try database.create(table: "order_items") { table in
                table.primaryKey("id", .text)
                table.belongsTo("order", inTable: "orders", onDelete: .cascade).notNull()
                table.column("name", .text).notNull()
                table.column("quantity", .integer).notNull()
            }
        }
        return migrator
    }
}

// MARK: - Reading

extension OrderStore {
    /// Every order, newest first.
    func list() async throws -> [Order] {
        try await database.read { database in
            let items = try Dictionary(
                grouping: Row.fetchAll(database, sql: "SELECT * FROM order_items ORDER BY rowid"),
                by: { $0["orderId"] as String }
            )
            return try Row.fetchAll(database, sql: "SELECT * FROM orders ORDER BY created_at DESC, rowid DESC")
                .map { Order($0, items: items[$0["id"], default: []]) }
        }
    }

    func order(_ id: String) async throws -> Order {
        try await database.read { try Self.order(id, in: $0) }
    }

    private static func order(_ id: String, in database: Database) throws -> Order {
        guard let row = try Row.fetchOne(database, sql: "SELECT * FROM orders WHERE id = ?", arguments: [id]) else {
            throw Problem(.notFound, code: "not_found", detail: "There is no such order.")
        }
        let items = try Row.fetchAll(
            database,
            sql: "SELECT * FROM order_items WHERE orderId = ? ORDER BY rowid",
            arguments: [id]
        )
        return Order(row, items: items)
    }
}

// MARK: - Changing

extension OrderStore {
    func create(_ new: NewOrder, status: Order.Status = .open) async throws -> Order {
        let table = try new.table.checked("table", length: 1...20)
        let note = try new.note?.checkedNote()
        let (id, now) = (UUID().uuidString.lowercased(), Self.now())
        return try await database.write { database in
            try database.execute(
                sql: """
                    INSERT INTO orders (id, "table", status, note, version, created_at, updated_at)
                    VALUES (?, ?, ?, ?, 1, ?, ?)
                    """,
                arguments: [id, table, status.rawValue, note, now, now]
            )
            return try Self.order(id, in: database)
        }
    }

    func addItem(_ new: NewOrderItem, to id: String) async throws -> (item: OrderItem, order: Order) {
        let quantity = new.quantity ?? 1
        guard (1...99).contains(quantity) else { throw Problem.invalid("quantity", "is 1–99") }
        let item = OrderItem(
            id: UUID().uuidString.lowercased(),
            name: try new.name.checked("name", length: 1...60),
            quantity: quantity
        )
        return try await database.write { database in
            guard !(try Self.order(id, in: database).status.next.isEmpty) else {
                throw Problem(.conflict, code: "closed", detail: "The order is closed. Open a new one for the table.")
            }
            try database.execute(
                sql: "INSERT INTO order_items (id, orderId, name, quantity) VALUES (?, ?, ?, ?)",
                arguments: [item.id, id, item.name, item.quantity]
            )
            try Self.touch(id, in: database)
            return (item, try Self.order(id, in: database))
        }
    }

    /// The order after the change, and whether there was one.
    func update(_ id: String, _ change: OrderChange) async throws -> (order: Order, changed: Bool) {
        try await database.write { database in
            let before = try Self.order(id, in: database)
            let table = try change.table?.checked("table", length: 1...20) ?? before.table
            let note = try change.note.map { try $0?.checkedNote() } ?? before.note
            let status = change.status ?? before.status
            guard status == before.status || before.status.next.contains(status) else {
                throw Problem(
                    .conflict,
                    code: "illegal_transition",
                    detail: "An order that is \(before.status.rawValue) cannot become \(status.rawValue)."
                )
            }
            guard (table, note, status) != (before.table, before.note, before.status) else { return (before, false) }
            try database.execute(
                sql: "UPDATE orders SET \"table\" = ?, note = ?, status = ? WHERE id = ?",
                arguments: [table, note, status.rawValue, id]
            )
            try Self.touch(id, in: database)
            return (try Self.order(id, in: database), true)
        }
    }

    private static func touch(_ id: String, in database: Database) throws {
        try database.execute(
            sql: "UPDATE orders SET version = version + 1, updated_at = ? WHERE id = ?",
            arguments: [now(), id]
        )
    }

    private static func now() -> String {
        Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}

// MARK: - Opening time

extension OrderStore {
    /// A handful of orders, so that the first look is not at an empty room.
    func seedIfEmpty() async throws {
        guard try await list().isEmpty else { return }
        let orders: [(table: String, status: Order.Status, note: String?, items: [(String, Int)])] = [
            ("4", .served, nil, [("Margherita", 2), ("Lemonade", 2)]),
            ("2", .ready, nil, [("Steak frites", 1), ("Caesar salad", 1)]),
            ("9", .preparing, "One without onions", [("Burger", 2), ("Crème brûlée", 2)]),
            ("12", .open, nil, [("Onion soup", 3)]),
        ]
        for (table, status, note, items) in orders {
            let order = try await create(NewOrder(table: table, note: note))
            for (name, quantity) in items {
                _ = try await addItem(NewOrderItem(name: name, quantity: quantity), to: order.id)
            }
            try await database.write {
                try $0.execute(
                    sql: "UPDATE orders SET status = ? WHERE id = ?",
                    arguments: [status.rawValue, order.id]
                )
            }
        }
    }
}

extension Order {
    fileprivate init(_ row: Row, items: [Row]) {
        self.init(
            id: row["id"],
            table: row["table"],
            status: Status(rawValue: row["status"]) ?? .open,
            note: row["note"],
            items: items.map { OrderItem(id: $0["id"], name: $0["name"], quantity: $0["quantity"]) },
            version: row["version"],
            createdAt: row["created_at"],
            updatedAt: row["updated_at"]
        )
    }
}

extension String {
    /// The text without white space around it, if it is as long as it may be.
    fileprivate func checked(_ field: String, length: ClosedRange<Int>) throws -> String {
        let text = trimmingCharacters(in: .whitespacesAndNewlines)
        guard length.contains(text.count) else {
            throw Problem.invalid(field, "has \(length.lowerBound)–\(length.upperBound) characters")
        }
        return text
    }
}

extension String {
    /// The text as a note; an empty one is none.
    fileprivate func checkedNote() throws -> String? {
        let note = try checked("note", length: 0...200)
        return note.isEmpty ? nil : note
    }
}

extension Problem {
    fileprivate static func invalid(_ field: String, _ rule: String) -> Problem {
        Problem(.unprocessableContent, code: "invalid_\(field)", detail: "\"\(field)\" \(rule).")
    }
}
