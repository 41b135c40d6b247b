import Foundation
import TestSupport
import Testing
import TidingsBroadcast
import TidingsEntities
import TidingsWire

@Suite("What is old", .timeLimit(.patience))
struct RetentionTests {
    @Test("goes from the outbox when it is old and not among the newest, in order", arguments: StoreProvider.all)
    func outbox(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database) { configuration in
                configuration.outboxRetention = .seconds(60)
                configuration.outboxRows = 3
            }
            for _ in 0..<5 { _ = try await bench.makeOrder() }
            _ = try await bench.entities.store.stampOutbox()
            bench.time.advance(by: .seconds(60))
            #expect(try await bench.entities.sweep() == Entities.Sweep())
            bench.time.advance(by: .milliseconds(1))
            let young = try await bench.makeOrder()
            _ = try await bench.entities.store.stampOutbox()
            // Seven rows with that of the settings: four are neither young nor among the newest three.
            let sweep = try await bench.entities.sweep()
            #expect(sweep.events == 4)
            #expect(try await bench.count("sync_outbox") == 3)
            #expect(try await bench.rows("SELECT value FROM tidings_meta WHERE name = 'purged'").first?[0] == "4")
            #expect(try await bench.entities.sweep() == Entities.Sweep())
            bench.time.advance(by: .seconds(3600))
            #expect(try await bench.entities.sweep() == Entities.Sweep())
            let kept = try await bench.rows("SELECT entity_id FROM sync_outbox ORDER BY position DESC").first?[0].text
            #expect(kept == young.id.text)
        }
    }

    @Test("stays behind something young, so that there is no hole", arguments: StoreProvider.all)
    func prefix(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database) { configuration in
                configuration.outboxRetention = .seconds(60)
                configuration.outboxRows = 0
            }
            for _ in 0..<3 { _ = try await bench.makeOrder() }
            _ = try await bench.entities.store.stampOutbox()
            // The clock of another process was ahead.
            try await bench.entities.store.write { connection in
                try connection.execute(
                    "UPDATE sync_outbox SET created_at = ? WHERE position = 2",
                    [.date(bench.time.now + 3600)]
                )
            }
            bench.time.advance(by: .seconds(61))
            #expect(try await bench.entities.sweep().events == 1)
            bench.time.advance(by: .seconds(3600))
            #expect(try await bench.entities.sweep().events == 3)
            #expect(try await bench.count("sync_outbox") == 0)
            // Positions go on where they were.
            let orders = try bench.orders
            let position = try await orders.create(EntityCall(#"{"table":"7"}"#)).position
            #expect(position?.offset == 5)
            #expect(try await orders.list([], as: nil).position == position)
        }
    }

    @Test("goes in several transactions, by several processes at once", arguments: StoreProvider.all)
    func batches(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database) { configuration in
                configuration.outboxRetention = .seconds(60)
                configuration.outboxRows = 10
                configuration.auditRetention = .seconds(60)
            }
            let other = try await Bench(database, time: bench.time) { configuration in
                configuration.outboxRetention = .seconds(60)
                configuration.outboxRows = 10
                configuration.auditRetention = .seconds(60)
            }
            let order = try await bench.makeOrder()
            try await bench.entities.write { unit in
                for number in 0..<2500 { try unit.tell("bell", about: order, ["number": "\(number)"]) }
                for _ in 0..<1100 { try unit.record("order.rung", about: order) }
            }
            while try await bench.entities.store.stampOutbox() {}
            bench.time.advance(by: .seconds(61))
            async let first = bench.entities.sweep()
            async let second = other.entities.sweep()
            let sweeps = try await [first, second]
            #expect(sweeps.map(\.events).reduce(0, +) == 2492)
            #expect(sweeps.map(\.auditEntries).reduce(0, +) == 1102)
            #expect(try await bench.count("sync_outbox") == 10)
            #expect(try await bench.rows("SELECT value FROM tidings_meta WHERE name = 'purged'").first?[0] == "2492")
        }
    }

    @Test("goes from the audit and from the answers that are kept", arguments: StoreProvider.all)
    func others(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database) { configuration in
                configuration.auditRetention = .seconds(60)
                configuration.idempotencyRetention = .seconds(120)
            }
            let orders = try bench.orders
            _ = try await orders.create(EntityCall(#"{"table":"7"}"#, key: "k"))
            bench.time.advance(by: .seconds(61))
            _ = try await orders.create(EntityCall(#"{"table":"7"}"#, key: "l"))
            // The settings' entry, and the first order's.
            #expect(try await bench.entities.sweep().auditEntries == 2)
            #expect(try await bench.count("system_event") == 1)
            bench.time.advance(by: .seconds(60))
            let sweep = try await bench.entities.sweep()
            #expect(sweep.answers == 1 && sweep.auditEntries == 0)
            #expect(try await bench.count("tidings_idempotency") == 1)
        }
    }

    @Test("is told to whoever resumes from before, and the relay removes it by itself", arguments: StoreProvider.all)
    func resume(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database) { configuration in
                configuration.outboxRetention = .seconds(60)
                configuration.outboxRows = 2
            }
            for _ in 0..<4 { _ = try await bench.makeOrder() }
            _ = try await bench.entities.store.stampOutbox()
            let head = try #require(try await bench.orders.list([], as: nil).position)
            bench.time.advance(by: .seconds(61))
            try await Node(bench) { $0.recentEvents = 0 }.run { node in
                await node.relay.wait { $0.swept == 3 }
                let listener = try await Listener(node.hub)
                for (offset, isRecovered) in [(0, false), (2, false), (3, true), (4, true), (5, true)] {
                    let since = EventPosition(epoch: head.epoch, offset: UInt64(offset))
                    let client = try await Listener(node.hub)
                    let reply = try await client.subscribe("order", since: ["order": since])
                    #expect(reply.subscribed.map(\.recovered) == [isRecovered], "\(offset)")
                }
                try await listener.subscribe("order")
                let order = try await bench.makeOrder()
                #expect(try await listener.event().payload.entityID == order.id.text)
            }
        }
    }
}
