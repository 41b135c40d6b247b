import Foundation
import TestSupport
import Testing
import TidingsBroadcast
import TidingsEntities
import TidingsWire

@Suite("A request that comes again", .timeLimit(.patience))
struct IdempotencyTests {
    @Test("is answered as the first one, and changes nothing", arguments: StoreProvider.all)
    func again(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            let call = EntityCall(#"{"table":"7"}"#, key: "k")
            let first = try await orders.create(call)
            let before = try await bench.counts
            let second = try await orders.create(call)
            #expect(second == first)
            #expect(first.position != nil)
            #expect(try await bench.counts == before)
            let id = try #require(first.createdID)
            // The answer is the one that was given, whatever happened since.
            let patch = EntityCall(#"{"note":"a"}"#, key: "p")
            let patched = try await orders.update(id, patch)
            _ = try await orders.update(id, EntityCall(#"{"note":"b"}"#))
            #expect(try await orders.update(id, patch) == patched)
            let delete = EntityCall("", key: "d")
            #expect(try await orders.delete(id, delete).kind == .deleted)
            #expect(try await orders.delete(id, delete).kind == .deleted)
            #expect(try await orders.create(call) == first)
        }
    }

    @Test("at the same time is made once", arguments: StoreProvider.all)
    func together(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            let answers = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<10 {
                    group.addTask { try await orders.create(EntityCall(#"{"table":"7"}"#, key: "k")).json }
                }
                return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
            }
            #expect(answers.count == 1)
            #expect(try await bench.count("orders") == 1)
        }
    }

    @Test(
        "with another body is refused; from somebody else or elsewhere it is another one",
        arguments: StoreProvider.all
    )
    func others(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            let body = #"{"table":"7"}"#
            let first = try await orders.create(EntityCall(body, key: "k"))
            await expectRefusal(.idempotencyKeyReused) {
                try await orders.create(EntityCall(#"{"table": "7"}"#, key: "k"))
            }
            let others = [
                EntityCall(body, as: .waiter("7"), key: "k"), EntityCall(body, key: "l"),
                EntityCall(body, key: "k", route: "y"), EntityCall(body),
            ]
            for call in others { #expect(try await orders.create(call).createdID != first.createdID) }
            #expect(try await bench.count("orders") == 5)
        }
    }

    @Test("after a failure counts, and after the time is over", arguments: StoreProvider.all)
    func failures(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database) { $0.idempotencyRetention = .seconds(60) }
            let orders = try bench.orders
            let refused = EntityCall(#"{"table":"7","note":"refuse"}"#, key: "k")
            await expectRefusal(.init(rawValue: "no_refusing")) { try await orders.create(refused) }
            #expect(try await bench.count("tidings_idempotency") == 0)
            let call = EntityCall(#"{"table":"7"}"#, key: "k")
            let first = try await orders.create(call)
            bench.time.advance(by: .seconds(60))
            #expect(try await orders.create(call) == first)
            bench.time.advance(by: .milliseconds(1))
            let later = try await orders.create(call)
            #expect(later.createdID != first.createdID)
            #expect(try await bench.count("tidings_idempotency") == 1)
        }
    }
}

@Suite("Positions of answers", .timeLimit(.patience))
struct PositionTests {
    @Test("grow with each change, and a read has the one of what it saw", arguments: StoreProvider.all)
    func growing(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            let created = try await orders.create(EntityCall(#"{"table":"7"}"#))
            let id = try #require(created.createdID)
            let changed = try await orders.update(id, EntityCall(#"{"note":"a","status":"preparing"}"#))
            let (first, second) = (try #require(created.position), try #require(changed.position))
            #expect(first.epoch == second.epoch)
            // Two events were told: the answer has the position of the last one.
            #expect(second.offset == first.offset + 2)
            #expect(try await orders.get(id, as: nil).position == second)
            #expect(try await orders.list([], as: nil).position == second)
            #expect(try await orders.history(of: id, [], as: nil).position == second)
            // Nothing was told, so there is no position.
            #expect(try await orders.update(id, EntityCall(#"{"note":"a"}"#)).position == nil)
        }
    }
}
