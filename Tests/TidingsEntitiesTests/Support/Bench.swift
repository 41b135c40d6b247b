import Foundation
import Synchronization
import Testing
import TidingsBroadcast
import TidingsEntities
import TidingsWire

/// Entities on a database of a test, with a clock that the test moves.
struct Bench: Sendable {
    let entities: Entities
    let time: TestTime

    static let restaurant: [any Entity.Type] = [Order.self, Dish.self, Seat.self, Settings.self]

    init(
        _ database: StoreProvider.TestDatabase,
        _ types: [any Entity.Type] = Self.restaurant,
        time: TestTime = TestTime(),
        _ configure: (inout Entities.Configuration) -> Void = { _ in }
    ) async throws {
        var configuration = Entities.Configuration()
        configuration.now = { time.now }
        configure(&configuration)
        self.time = time
        entities = try Entities(types, in: database.store(), configuration: configuration)
        try await entities.prepare()
    }

    func service(_ name: String) throws -> EntityService {
        try #require(entities.services.first { $0.name == name })
    }

    var orders: EntityService { get throws { try service("order") } }
    var dishes: EntityService { get throws { try service("dish") } }
    var seats: EntityService { get throws { try service("seat") } }
    var settings: EntityService { get throws { try service("settings") } }

    /// An order with whatever else is said of it.
    func makeOrder(
        table: String = "7",
        _ body: @escaping @Sendable (inout Order) -> Void = { _ in }
    ) async throws -> Order {
        try await entities.write { unit in
            try unit.insert(Order.self) { order in
                order.table = table
                body(&order)
            }
        }
    }

    /// Rows of any table.
    func rows(_ sql: String, _ parameters: [SQLValue] = []) async throws -> [SQLRow] {
        try await entities.store.read { try $0.execute(sql, parameters) }
    }

    func count(_ table: String) async throws -> Int64? {
        try await rows("SELECT count(*) FROM \(table)").first?[0].integer
    }

    /// How many rows each table has in which a change leaves something.
    var counts: [Int64?] {
        get async throws {
            [try await count("orders"), try await count("system_event"), try await count("sync_outbox")]
        }
    }

    /// The events of the outbox, in the order in which they were written, but for those of the settings that are made
    /// at the start.
    func told() async throws -> [Told] {
        let order = entities.store.dialect.stampsOnInsert ? "position" : "seq"
        let rows = try await rows(
            "SELECT event, channels, payload FROM sync_outbox WHERE entity_type <> 'settings' ORDER BY \(order)"
        )
        return try rows.map { row in
            Told(
                event: row[0].text ?? "",
                channels: try JSONDecoder().decode([String].self, from: Data((row[1].text ?? "").utf8)),
                payload: try JSONNode(parsing: Array((row[2].text ?? "").utf8), maximumDepth: 32)
            )
        }
    }

    struct Told {
        let event: String
        let channels: [String]
        let payload: JSONNode
    }
}

/// What time it is for a test.
final class TestTime: Sendable {
    private let state = Mutex(Date(timeIntervalSince1970: 1_800_000_000))

    var now: Date { state.withLock { $0 } }

    func advance(by duration: Duration) {
        state.withLock { $0 += duration / .seconds(1) }
    }
}

// MARK: - Requests

extension EntityCall {
    /// A request with a body.
    init(_ body: String, as identity: Identity? = nil, version: String? = nil, key: String? = nil, route: String = "x")
    {
        self.init(
            context: ChangeContext(identity: identity),
            body: Array(body.utf8),
            ifMatch: version.map { [$0] },
            idempotencyKey: key,
            route: route
        )
    }
}

extension Identity {
    /// Somebody who serves one table.
    static func waiter(_ table: String) -> Identity {
        Identity(subject: "waiter \(table)", attributes: ["table": table])
    }

    static func role(_ role: String) -> Identity { Identity(subject: role, attributes: ["role": role]) }

    /// Somebody who may not do something.
    static func denied(_ operations: String...) -> Identity {
        Identity(subject: "guest", attributes: ["denied": operations.joined(separator: " ")])
    }
}

extension EntityAnswer {
    var node: JSONNode { get throws { try JSONNode(parsing: json, maximumDepth: 32) } }

    /// A member as it is written in JSON.
    subscript(name: String) -> String? {
        guard let node = try? node, let member = node[name] else { return nil }
        return String(decoding: member.json, as: UTF8.self)
    }

    /// The members of `items`.
    var items: [JSONNode] {
        get throws { try node["items"]?.elements ?? [] }
    }

    /// The cursor of the page that follows.
    var next: String? { get throws { try node["next_cursor"]?.string } }
}

extension UUID {
    /// As it stands in JSON.
    var text: String { uuidString.lowercased() }
}

/// Expects that something is refused with a code.
@discardableResult
func expectRefusal<Value>(
    _ code: EntityError.Code,
    _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Value
) async -> EntityError? {
    do {
        _ = try await body()
        Issue.record("\(comment ?? "this") was not refused with \(code.rawValue)", sourceLocation: sourceLocation)
    } catch let error as EntityError {
        #expect(error.code == code, comment ?? "\(error)", sourceLocation: sourceLocation)
        return error
    } catch {
        Issue.record(
            "\(comment ?? "this") failed with \(error) instead of \(code.rawValue)",
            sourceLocation: sourceLocation
        )
    }
    return nil
}
