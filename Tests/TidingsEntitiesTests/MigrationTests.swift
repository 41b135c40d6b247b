import Foundation
import Synchronization
import TestSupport
import Testing
import TidingsEntities
import TidingsWire

@Suite("Tables that are made from declarations", .timeLimit(.patience))
struct MigrationTests {
    @Test("are made once, and calling it again changes nothing", arguments: StoreProvider.all)
    func twice(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let order = try await bench.makeOrder()
            let before = try await bench.counts
            try await bench.entities.prepare()
            let again = try await Bench(database)
            try await again.entities.prepare()
            #expect(try await again.counts == before)
            #expect(try await again.entities.read { try $0.get(Order.self, order.id)?.table } == "7")
        }
    }

    @Test("are made once by processes that start together", arguments: StoreProvider.all)
    func together(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let stores = try (0..<4).map { _ in try database.store() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for store in stores {
                    group.addTask { try await Entities(Bench.restaurant, in: store).prepare() }
                }
                try await group.waitForAll()
            }
            let bench = try await Bench(database)
            #expect(try await bench.count("settings") == 1)
            #expect(try await bench.count("tidings_meta") == 2)
            #expect(try await bench.count("sync_outbox") == 1)
        }
    }

    @Test("grow with the declaration, and rows that are there get what is declared", arguments: StoreProvider.all)
    func growth(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let old = try await Bench(database, [V1.Note.self])
            let id = try await old.entities.write { try $0.insert(V1.Note.self) { $0.body = "x" } }.id
            let bench = try await Bench(database, [V2.Note.self, V2.Author.self])
            let note = try #require(try await bench.entities.read { try $0.get(V2.Note.self, id) })
            #expect(note.body == "x" && note.title == nil && note.stars == 3 && note.isPublic && note.version == 1)
            #expect(note.language == "it's" && note.state == .draft && note.since == Date(timeIntervalSince1970: 1.5))
            #expect(note.lines.isEmpty && note.authorID == nil)
            let author = try await bench.entities.write { try $0.insert(V2.Author.self) { $0.name = "A" } }
            let changed = try await bench.entities.write { unit in
                try unit.add(V2.Line.self, to: note) { $0.text = "l" }
                return try unit.update(V2.Note.self, id) { $0.authorID = author.id }
            }
            #expect(changed.version == 3)
            // The new index is there.
            await expectRefusal(.duplicate) {
                try await bench.entities.write { try $0.insert(V2.Note.self) { $0.body = "x" } }
            }
            // The old declaration goes on beside the new one, as while servers are replaced one by one.
            await expectRefusal(.duplicate) {
                try await old.entities.write { try $0.insert(V1.Note.self) { $0.body = "x" } }
            }
            try await old.entities.write { try $0.insert(V1.Note.self) { $0.body = "y" } }
            #expect(
                try await bench.entities.read { try $0.find(V2.Note.self, where: \.$body, is: "y") }.first?.stars == 3
            )
        }
    }

    @Test("are left alone if adding is not enough, and every difference is told", arguments: StoreProvider.all)
    func refusals(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let old = try await Bench(database, [V2.Note.self, V2.Author.self])
            try await old.entities.write { try $0.insert(V2.Note.self) { $0.body = "x" } }
            try await old.entities.store.write { connection in
                try connection.execute("ALTER TABLE authors ADD COLUMN own INTEGER NOT NULL DEFAULT 0")
            }
            let tables = ["notes", "authors", "lines"]
            let before = try await old.entities.store.read { connection in try tables.map(connection.table) }
            let entities = try Entities([V3.Extra.self, V3.Note.self, V3.Author.self], in: database.store())
            let error = await #expect(throws: StoreError.self) { try await entities.prepare() }
            #expect(error?.code == .schema)
            let type = old.entities.store.dialect.columnType
            let text = error?.message.split(separator: "\n").map(String.init) ?? []
            let expected = [
                "The database is not what the entities are declared to be:",
                "  - notes.body is \(type(.text)) and is declared as \(type(.integer)). Declare it as it is, or move its "
                    + "values to a new field.",
                "  - notes.title may be null and is declared as not optional. Declare it as it is, or alter it by hand.",
                "  - notes.stars may not be null and is declared as optional. Declare it as it is, or alter it by hand.",
                "  - notes.added is missing, and has neither a default nor may it be null: rows that are there would have "
                    + "no value. Give it a default or make it optional.",
                "  - notes.is_public is not declared and may not be null, so nothing could be inserted. Declare it, or drop "
                    + "the column by hand.",
                "  - authors.own is not declared and may not be null, so nothing could be inserted. Declare it, or drop "
                    + "the column by hand.",
            ]
            for line in expected { #expect(text.contains(line), "\(line)\n\(error?.message ?? "")") }
            #expect(try await old.entities.store.read { connection in try tables.map(connection.table) } == before)
            #expect(try await old.entities.store.read { try $0.table(named: "extras") } == nil)
            #expect(try await old.count("notes") == 1)
        }
    }

    @Test("are left alone if rows are there that a unique field does not allow", arguments: StoreProvider.all)
    func doubles(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let old = try await Bench(database, [V1.Note.self])
            for _ in 0..<2 { try await old.entities.write { try $0.insert(V1.Note.self) { $0.body = "same" } } }
            let entities = try Entities([V2.Note.self, V2.Author.self], in: database.store())
            let error = await #expect(throws: StoreError.self) { try await entities.prepare() }
            #expect(error?.code == .schema)
            #expect(error?.message.contains("\"notes_body_unique\"") == true)
            #expect(try await old.entities.store.read { try $0.table(named: "authors") } == nil)
        }
    }

    @Test("are whole or not there at all, wherever the process dies meanwhile", arguments: StoreProvider.all)
    func crashes(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let store = try database.store()
            var statement = 0
            var isDone = false
            while !isDone {
                let failing = FailingStore(store: store, after: statement)
                do {
                    try await Entities(Bench.restaurant, in: failing).prepare()
                    isDone = true
                } catch is FailingStore.Died {
                    #expect(try await store.read { try $0.table(named: "tidings_meta") } == nil, "\(statement)")
                    #expect(try await store.read { try $0.table(named: "orders") } == nil, "\(statement)")
                }
                statement += 1
            }
            #expect(statement > 20)
            let bench = try await Bench(database)
            #expect(try await bench.makeOrder().reference == "ORD-000001")
            #expect(try await bench.entities.read { try $0.get(Settings.self).version } == 1)
        }
    }

    @Test("begin a new life of the outbox when it is made anew", arguments: StoreProvider.all)
    func newOutbox(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            let before = try await orders.create(EntityCall(#"{"table":"7"}"#)).position
            try await bench.entities.store.write { try $0.execute("DROP TABLE sync_outbox") }
            try await bench.entities.prepare()
            let after = try await orders.create(EntityCall(#"{"table":"7"}"#)).position
            #expect(before?.epoch != nil && after?.epoch != nil && before?.epoch != after?.epoch)
        }
    }

    @Test("have to be made before anything else")
    func missing() async throws {
        try await StoreProvider.sqlite.run { database in
            let store = try database.store()
            let entities = try Entities(Bench.restaurant, in: store)
            await #expect(throws: StoreError.self) { try await entities.read { try $0.get(Settings.self) } }
            try await entities.prepare()
            try await store.write { try $0.execute("DELETE FROM tidings_meta") }
            let service = try #require(entities.services.first)
            let error = await #expect(throws: StoreError.self) { try await service.list([], as: nil) }
            #expect(error?.code == .schema)
            #expect(error?.message == "The database has no outbox. Call `prepare()` of Entities first.")
        }
    }
}

/// A store whose process dies after some statements of a transaction that writes.
private struct FailingStore: EntityStore {
    struct Died: Error {}

    let store: any EntityStore
    let after: Int
    var dialect: SQLDialect { store.dialect }

    func read<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws -> Result {
        try await store.read(body)
    }

    func write<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws -> Result {
        let left = after
        return try await store.write { try body(Connection(connection: $0, left: left)) }
    }

    func stampOutbox() async throws -> Bool { try await store.stampOutbox() }
    func watchOutbox(_ changed: @escaping @Sendable () -> Void) async { await store.watchOutbox(changed) }
    func close() async { await store.close() }

    private final class Connection: SQLConnection {
        private let connection: any SQLConnection
        private var left: Int
        var dialect: SQLDialect { connection.dialect }

        init(connection: any SQLConnection, left: Int) {
            self.connection = connection
            self.left = left
        }

        func execute(_ sql: String, _ parameters: [SQLValue]) throws -> [SQLRow] {
            guard left > 0 else { throw Died() }
            left -= 1
            return try connection.execute(sql, parameters)
        }

        func table(named name: String) throws -> SQLTable? { try connection.table(named: name) }
        func lockSchema() throws { try connection.lockSchema() }
    }
}

// MARK: - One declaration after the other

private enum V1 {
    struct Note: Entity {
        @Key var id: UUID
        @Field var body: String
    }
}

private enum V2 {
    enum State: String, EntityState {
        case draft, done
        static let states = EntityStates<State>(initial: .draft, [.draft: [.done]])
    }

    struct Note: Entity {
        @Key var id: UUID
        @Field(.unique) var body: String
        @Field(.indexed) var title: String?
        @Field var stars = 3
        @Field var isPublic = true
        @Field var language = "it's"
        @Field var weight = 0.5
        @Field var since = Date(timeIntervalSince1970: 1.5)
        @Field var state: State
        @Field(.references(Author.self)) var authorID: UUID?
        @Children var lines: [Line]
        @Version var version: Int
    }

    struct Line: Entity {
        @Key var id: UUID
        @Field var text: String
    }

    struct Author: Entity {
        @Key var id: UUID
        @Field var name: String
    }
}

private enum V3 {
    struct Note: Entity {
        @Key var id: UUID
        @Field var body: Int
        @Field var title: String
        @Field var stars: Int?
        @Field var added: String
        @Field var language = ""
        @Field var weight = 0.5
        @Field var since = Date(timeIntervalSince1970: 1.5)
        @Field var state: V2.State
        @Version var version: Int
    }

    struct Author: Entity {
        @Key var id: UUID
        @Field var name: String
    }

    struct Extra: Entity {
        @Key var id: UUID
    }
}
