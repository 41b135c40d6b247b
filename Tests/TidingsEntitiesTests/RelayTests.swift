import Dispatch
import Foundation
import TestSupport
import Testing
import TidingsBroadcast
import TidingsEntities
import TidingsTesting
import TidingsWire

@Suite("The relay", .timeLimit(.patience))
struct RelayTests {
    private struct Abandoned: Error {}

    @Test("tells what was committed, in order, with the positions that the answers have", arguments: StoreProvider.all)
    func order(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            try await Node(Bench(database)).run { node in
                let orders = try node.bench.orders
                let listener = try await Listener(node.hub)
                let created = try await orders.create(EntityCall(#"{"table":"7"}"#))
                let id = try #require(created.createdID)
                try await node.settle()
                let reply = try await listener.subscribe("order", "table:7", ChannelName("order:\(id)"), "unrelated")
                #expect(reply.subscribed.count == 4)
                let call = EntityCall(
                    context: ChangeContext(identity: .waiter("7"), origin: "m-1", traceID: "t-1"),
                    body: Array(#"{"note":"a","status":"preparing"}"#.utf8)
                )
                let changed = try await orders.update(id, call)
                var heard: [BroadcastEvent] = []
                for _ in 0..<6 { heard.append(try await listener.event()) }
                for channel: ChannelName in ["order", try ChannelName("order:\(id)"), "table:7"] {
                    let told = heard.filter { $0.channel == channel }
                    #expect(told.map(\.name) == [.updated, .statusChanged], "\(channel)")
                    #expect(told.last?.position == changed.position, "\(channel)")
                    #expect(told.first?.position == heard.first?.position, "\(channel)")
                }
                #expect(heard[0].payload.string("origin") == "m-1" && heard[0].payload.entityID == id)
                try await listener.expectNothing()
            }
        }
    }

    @Test("tells of a move on the channels of both tables", arguments: StoreProvider.all)
    func moving(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            try await Node(Bench(database)).run { node in
                let order = try await node.bench.makeOrder(table: "7")
                try await node.settle()
                let (left, right) = (try await Listener(node.hub), try await Listener(node.hub))
                try await left.subscribe("table:7")
                try await right.subscribe("table:8")
                try await node.bench.entities.write { try $0.update(Order.self, order.id) { $0.table = "8" } }
                let (gone, come) = (try await left.event(), try await right.event())
                #expect(gone.channel == "table:7" && come.channel == "table:8")
                #expect(gone.position == come.position && gone.payload == come.payload)
                // From now on the old table hears nothing.
                try await node.bench.entities.write { try $0.update(Order.self, order.id) { $0.note = "x" } }
                #expect(try await right.event().name == .updated)
                try await left.expectNothing()
            }
        }
    }

    @Test("tells other nodes of the same database too, with the same positions", arguments: StoreProvider.all)
    func nodes(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            try await Node(Bench(database)).run { first in
                try await Node(Bench(database)).run { second in
                    let (here, there) = (try await Listener(first.hub), try await Listener(second.hub))
                    try await here.subscribe("order")
                    try await there.subscribe("order")
                    for node in [first, second, first] { _ = try await node.bench.makeOrder() }
                    for _ in 0..<3 {
                        let (near, far) = (try await here.event(), try await there.event())
                        #expect(near.position == far.position && near.payload == far.payload)
                    }
                }
            }
        }
    }

    @Test("tells nothing of what was rolled back, and of what is not committed yet", arguments: StoreProvider.all)
    func commits(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            try await Node(Bench(database)).run { node in
                let entities = node.bench.entities
                let listener = try await Listener(node.hub)
                try await listener.subscribe("order")
                _ = try? await entities.write { unit in
                    try unit.insert(Order.self) { $0.table = "lost" }
                    throw Abandoned()
                }
                let (arrivals, arrive) = AsyncStream<Void>.makeStream()
                let permit = DispatchSemaphore(value: 0)
                // The write that was held open is at its end: everything is written but nothing is committed.
                async let held: Void = entities.store.write { connection in
                    try connection.execute(
                        """
                        INSERT INTO sync_outbox (event_id, channels, event, entity_type, entity_id, payload, created_at)
                        VALUES (?, '["order"]', 'held', 'order', 'x', '{}', ?)
                        """,
                        [.uuid(UUID()), .date(Date())]
                    )
                    arrive.yield()
                    permit.wait()
                }
                for await _ in arrivals { break }
                let other: Task<Order, any Error> = Task { try await node.bench.makeOrder() }
                if !entities.store.dialect.stampsOnInsert {
                    // Others are not held up by it.
                    #expect(try await listener.event().payload.entityID == other.value.id.text)
                }
                try await listener.expectNothing()
                permit.signal()
                try await held
                #expect(try await listener.event().name == "held")
                if entities.store.dialect.stampsOnInsert {
                    #expect(try await listener.event().payload.entityID == other.value.id.text)
                }
                try await listener.expectNothing()
            }
        }
    }

    @Test(
        "of a server that comes back answers who comes back with a position",
        arguments: StoreProvider.all,
        [0, 10_000]
    )
    func restart(_ provider: StoreProvider, _ recentEvents: Int) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let order = try await bench.makeOrder()
            let known = try await Node(bench).run { node in
                let listener = try await Listener(node.hub)
                return try await listener.subscribe("order", "table:7").subscribed.first?.position
            }
            let position = try #require(known)
            // While no relay ran: what is committed is told after the start.
            for number in 0..<5 {
                try await bench.entities.write { try $0.update(Order.self, order.id) { $0.note = "\(number)" } }
                _ = try await bench.makeOrder(table: "8")
            }
            let expected = (2...6).map(String.init)
            try await Node(bench) { $0.recentEvents = recentEvents }.run { node in
                let listener = try await Listener(node.hub)
                let reply = try await listener.subscribe("table:7", since: ["table:7": position])
                #expect(reply.subscribed.map(\.recovered) == [true])
                var versions: [String] = []
                for _ in expected {
                    let event = try await listener.event()
                    versions.append(try JSONNode(parsing: event.payload.json, maximumDepth: 4)["version"]?.text ?? "")
                }
                #expect(versions == expected)
                try await listener.expectNothing()
                // A position of the future, of another life, and one that is not known any more are not recovered.
                let epoch = position.epoch
                for since in [EventPosition(epoch: epoch, offset: 9999), EventPosition(epoch: "x" + epoch, offset: 1)] {
                    let other = try await Listener(node.hub)
                    let reply = try await other.subscribe("table:7", since: ["table:7": since])
                    #expect(reply.subscribed.map(\.recovered) == [false])
                }
            }
        }
    }

    @Test("gives the topic dialect the names that are declared", arguments: StoreProvider.all)
    func topicNames(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            try await Node(Bench(database)).run { node in
                let order = try await node.bench.makeOrder()
                try await node.settle()
                let listener = try await Listener(node.hub)
                try await listener.subscribe("order")
                try await node.bench.entities.write {
                    try $0.transition(Order.self, order.id, to: Order.Status.preparing)
                }
                // The extended dialect has the event's own name.
                #expect(try await listener.event().name == .statusChanged)
                let log = try await node.bench.rows("SELECT event FROM sync_outbox WHERE entity_type = 'order'")
                #expect(log.compactMap { $0[0].text } == ["created", "status_changed"])
            }
        }
    }

    // MARK: Poison

    static let poisons: [(column: String, value: String, reason: StaleReason?)] = [
        ("payload", "{", .setAside), ("payload", "[1]", .setAside), ("event", "stale", .setAside),
        ("event", "a b", .setAside), ("channels", "nonsense", .gap), ("channels", "{}", .gap),
        ("channels", "[1]", .gap),
        ("channels", #"["a b"]"#, .gap), ("channels", "[]", .gap), ("channels", #"["a b","order"]"#, nil),
    ]

    @Test("sets aside what cannot be read, and goes on", arguments: StoreProvider.all, poisons)
    func poison(
        _ provider: StoreProvider,
        _ test: (column: String, value: String, reason: StaleReason?)
    ) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let (first, poisoned, last) = (
                try await bench.makeOrder(), try await bench.makeOrder(), try await bench.makeOrder()
            )
            let start = try await bench.orders.list([], as: nil).position
            // The epoch is known before anything was told.
            let since = EventPosition(epoch: try #require(start).epoch, offset: 0)
            try await bench.entities.store.write { connection in
                try connection.execute(
                    "UPDATE sync_outbox SET \(test.column) = ? WHERE entity_id = ?",
                    [.text(test.value), .text(poisoned.id.text)]
                )
            }
            // Whoever comes back is told the same, from memory and from the table. On what is no channel nobody missed it.
            for recentEvents in [10_000, 0] {
                try await Node(bench) { $0.recentEvents = recentEvents }.run { node in
                    let listener = try await Listener(node.hub)
                    let reply = try await listener.subscribe("order", since: ["order": since])
                    if test.reason == .gap, test.value != #"["a b"]"# {
                        #expect(reply.subscribed.map(\.recovered) == [false], "\(recentEvents)")
                        return
                    }
                    #expect(reply.subscribed.map(\.recovered) == [true])
                    #expect(try await listener.event().payload.entityID == first.id.text)
                    if test.reason == .setAside {
                        let stale = try await listener.event()
                        #expect(stale.name == .stale && stale.payload.string("reason") == "set_aside")
                    } else if test.reason == nil {
                        #expect(try await listener.event().payload.entityID == poisoned.id.text)
                    }
                    #expect(try await listener.event().payload.entityID == last.id.text)
                    try await listener.expectNothing()
                }
            }
            // Whoever is there is told when it comes.
            try await Node(bench).run { node in
                let listener = try await Listener(node.hub)
                try await listener.subscribe("order")
                let before = try await bench.makeOrder()
                try await bench.entities.store.write { connection in
                    try connection.execute(
                        """
                        INSERT INTO sync_outbox (event_id, channels, event, entity_type, entity_id, payload, created_at)
                        VALUES (?, ?, ?, 'order', 'x', ?, ?)
                        """,
                        [
                            .uuid(UUID()), .text(test.column == "channels" ? test.value : #"["order"]"#),
                            .text(test.column == "event" ? test.value : "updated"),
                            .text(test.column == "payload" ? test.value : "{}"), .date(Date()),
                        ]
                    )
                }
                let after = try await bench.makeOrder()
                #expect(try await listener.event().payload.entityID == before.id.text)
                let strange = try await listener.event()
                #expect(strange.payload.string("reason") == test.reason?.rawValue)
                #expect(strange.name == (test.reason == nil ? .updated : .stale))
                #expect(try await listener.event().payload.entityID == after.id.text)
                try await listener.expectNothing()
                let position = strange.position
                let expected = test.reason == nil ? [] : [position]
                #expect(node.relay.status.setAside.map(Optional.some) == expected)
                try await node.relay.checkHealth()
            }
        }
    }

    @Test("tells what was mended before it was set aside", arguments: StoreProvider.all)
    func mended(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            // It would look again until the end of the test.
            try await Node(bench) { $0.attempts = 1000 }.run { node in
                let listener = try await Listener(node.hub)
                try await listener.subscribe("order")
                try await bench.entities.store.write { connection in
                    try connection.execute(
                        """
                        INSERT INTO sync_outbox (event_id, channels, event, entity_type, entity_id, payload, created_at)
                        VALUES (?, '["order"]', 'updated', 'order', 'x', 'broken', ?)
                        """,
                        [.uuid(UUID()), .date(Date())]
                    )
                }
                await node.relay.wait { $0.retries > 0 }
                try await listener.expectNothing()
                try await bench.entities.store.write {
                    try $0.execute("UPDATE sync_outbox SET payload = '{}' WHERE entity_id = 'x'")
                }
                #expect(try await listener.event().name == .updated)
                #expect(node.relay.status.setAside.isEmpty)
            }
        }
    }

    // MARK: The database

    @Test("makes everybody refetch when the outbox was replaced or went back", arguments: StoreProvider.all)
    func replaced(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            for _ in 0..<3 { _ = try await bench.makeOrder() }
            try await Node(bench).run { node in
                let listener = try await Listener(node.hub)
                let known = try #require(try await listener.subscribe("order").subscribed.first?.position)
                let damage: [@Sendable (any SQLConnection) throws -> Void] = [
                    { connection in
                        try connection.execute("UPDATE tidings_meta SET value = 'another' WHERE name = 'epoch'")
                    },
                    { connection in
                        // As a backup would, that is older than what was told.
                        try connection.execute(
                            "DELETE FROM sync_outbox WHERE position = (SELECT MAX(position) FROM sync_outbox)"
                        )
                    },
                ]
                var epochs = [known.epoch]
                for damage in damage {
                    try await bench.entities.store.write(damage)
                    let stale = try await listener.event()
                    #expect(stale.name == .stale && stale.payload.string("reason") == "epoch")
                    let order = try await bench.makeOrder()
                    let event = try await listener.event()
                    #expect(event.payload.entityID == order.id.text)
                    epochs.append(try #require(event.position).epoch)
                }
                #expect(Set(epochs).count == 3)
                // What was known before is not recovered.
                let other = try await Listener(node.hub)
                let reply = try await other.subscribe("order", since: ["order": known])
                #expect(reply.subscribed.map(\.recovered) == [false])
            }
        }
    }

    @Test("is ready when it has begun, and as long as the database answers", arguments: StoreProvider.all)
    func health(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let node = Node(bench) { $0.patience = .zero }
            await #expect(throws: StoreError.self) { try await node.relay.checkHealth() }
            try await node.run { node in
                await node.relay.wait { $0.position != nil && $0.failure == nil }
                try await node.relay.checkHealth()
                try await bench.entities.store.write { try $0.execute("ALTER TABLE sync_outbox RENAME TO away") }
                await node.relay.wait { $0.failure != nil }
                await #expect(throws: StoreError.self) { try await node.relay.checkHealth() }
                try await bench.entities.store.write { try $0.execute("ALTER TABLE away RENAME TO sync_outbox") }
                await node.relay.wait { $0.failure == nil }
                try await node.relay.checkHealth()
            }
        }
    }
}
