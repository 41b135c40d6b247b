import Foundation
import TestSupport
import Testing
import TidingsEntities
import TidingsWire

/// Who wins when several change the same entity.
@Suite("Changes of the same entity", .timeLimit(.patience))
struct LockTests {
    @Test("that name another version are refused with the entity as it is", arguments: StoreProvider.all)
    func versions(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            let id = try await bench.makeOrder().id.text
            _ = try await orders.update(id, EntityCall(#"{"note":"a","version":1}"#))
            let stale = await expectRefusal(.staleVersion) {
                try await orders.update(id, EntityCall(#"{"note":"b","version":1}"#))
            }
            #expect(stale?.current?["version"]?.text == "2")
            #expect(stale?.current?["note"]?.text == #""a""#)
            #expect(stale?.current?["secret"] == nil)
            await expectRefusal(.staleVersion) { try await orders.delete(id, EntityCall(#"{"version":1}"#)) }
            await expectRefusal(.staleVersion) {
                try await orders.transition(id, EntityCall(#"{"to":"ready","version":3}"#))
            }
            for version in ["\"2\"", "null", "true", "1.5"] {
                await expectRefusal(.invalid) {
                    try await orders.update(id, EntityCall("{\"note\":\"b\",\"version\":\(version)}"))
                }
            }
            // Without a version the last one wins.
            #expect(try await orders.update(id, EntityCall(#"{"note":"c"}"#))["version"] == "3")
            await expectRefusal(.staleVersion) {
                try await bench.entities.write { unit in
                    try unit.update(Order.self, #require(UUID(uuidString: id)), ifVersion: 2) { $0.note = "d" }
                }
            }
        }
    }

    @Test("that name another entity tag are refused", arguments: StoreProvider.all)
    func entityTags(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let (orders, seats) = (try bench.orders, try bench.seats)
            let created = try await orders.create(EntityCall(#"{"table":"7"}"#))
            let id = try #require(created.createdID)
            #expect(created.entityTag == #""1""#)
            let other = await expectRefusal(.preconditionFailed) {
                try await orders.update(id, EntityCall(#"{"note":"a"}"#, version: #""2""#))
            }
            #expect(other?.current?["version"]?.text == "1")
            await expectRefusal(.preconditionFailed) {
                try await orders.update(id, EntityCall(#"{"note":"a"}"#, version: #"W/"1""#))
            }
            #expect(
                try await orders.update(id, EntityCall(#"{"note":"a"}"#, version: #""1""#)).entityTag == #""2""#
            )
            let several = EntityCall(body: Array(#"{"note":"b"}"#.utf8), ifMatch: [#""1""#, #""2""#])
            #expect(try await orders.update(id, several).entityTag == #""3""#)
            #expect(try await orders.update(id, EntityCall(#"{"note":"c"}"#, version: "*")).entityTag == #""4""#)
            await expectRefusal(.notFound) {
                try await orders.update(UUID().text, EntityCall(#"{"note":"c"}"#, version: "*"))
            }
            await expectRefusal(.preconditionFailed) {
                try await orders.addChild("items", of: id, EntityCall(#"{"name":"Tea"}"#, version: #""3""#))
            }
            let added = try await orders.addChild("items", of: id, EntityCall(#"{"name":"Tea"}"#, version: #""4""#))
            #expect(added.entityTag == #""5""#)
            // Without a version, what the entity says tells it apart.
            let seat = try await seats.create(EntityCall(#"{"label":"window"}"#))
            let seatID = try #require(seat.createdID)
            #expect(try await seats.get(seatID, as: nil).entityTag == seat.entityTag)
            let moved = try await seats.update(seatID, EntityCall(#"{"label":"door"}"#, version: seat.entityTag))
            #expect(moved.entityTag != seat.entityTag)
            await expectRefusal(.preconditionFailed) {
                try await seats.delete(seatID, EntityCall("", version: seat.entityTag))
            }
            #expect(try await seats.delete(seatID, EntityCall("", version: moved.entityTag)).kind == .deleted)
        }
    }

    @Test("of one version: of fifty at the same time one wins", arguments: StoreProvider.all)
    func fifty(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            let id = try await bench.makeOrder().id.text
            let results = await withTaskGroup(of: Result<EntityAnswer, any Error>.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        await Self.result {
                            try await orders.update(id, EntityCall("{\"note\":\"n\(number)\",\"version\":1}"))
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let winners = results.compactMap { try? $0.get() }
            #expect(winners.count == 1)
            for case .failure(let error) in results where !(error is EntityError) { Issue.record(error) }
            let losers = results.compactMap { result -> EntityError? in
                if case .failure(let error as EntityError) = result { error } else { nil }
            }
            #expect(losers.count == 49)
            #expect(losers.allSatisfy { $0.code == .staleVersion })
            #expect(losers.allSatisfy { $0.current?["note"]?.text == winners.first?["note"] })
            #expect(try await orders.get(id, as: nil)["version"] == "2")
            #expect(try await bench.told().map(\.event) == ["created", "updated"])
        }
    }

    @Test("to two states: one wins, and the other is told where it is", arguments: StoreProvider.all)
    func transitions(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            for _ in 0..<10 {
                let id = try await bench.makeOrder().id.text
                async let first = Self.result { try await orders.transition(id, EntityCall(#"{"to":"preparing"}"#)) }
                async let second = Self.result { try await orders.update(id, EntityCall(#"{"status":"served"}"#)) }
                async let third = Self.result { try await orders.transition(id, EntityCall(#"{"to":"cancelled"}"#)) }
                let results = await [first, third]
                _ = await second
                // Cancelled may follow preparing, but not the other way round.
                let state = try await orders.get(id, as: nil)["status"]
                #expect(state == #""cancelled""#)
                let codes = results.map { result -> EntityError? in
                    if case .failure(let error as EntityError) = result { error } else { nil }
                }
                #expect(codes[1] == nil)
                if let lost = codes[0] {
                    #expect(lost.code == .illegalTransition && lost.state == "cancelled" && lost.allowed.isEmpty)
                }
                if case .failure(let error as EntityError) = await second {
                    #expect(error.code == .illegalTransition)
                } else {
                    Issue.record("open became served")
                }
            }
        }
    }

    @Test("to two states of which only one can follow: exactly one wins", arguments: StoreProvider.all)
    func exclusiveTransitions(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            for _ in 0..<10 {
                let id = try await bench.makeOrder().id.text
                _ = try await orders.transition(id, EntityCall(#"{"to":"preparing"}"#))
                async let ready = Self.result { try await orders.transition(id, EntityCall(#"{"to":"ready"}"#)) }
                async let cancelled = Self.result {
                    try await orders.transition(id, EntityCall(#"{"to":"cancelled"}"#))
                }
                let results = await [ready, cancelled]
                #expect(results.count { (try? $0.get()) != nil } == 1)
                let lost = results.compactMap { result -> EntityError? in
                    if case .failure(let error as EntityError) = result { error } else { nil }
                }
                #expect(lost.map(\.code) == [.illegalTransition])
                let state = try await orders.get(id, as: nil)["status"]
                #expect(lost.first?.state.map { "\"\($0)\"" } == state)
                #expect(lost.first?.current?["status"]?.text == state)
            }
        }
    }

    @Test("made of parents and children at once are all made, one after the other", arguments: StoreProvider.all)
    func children(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let order = try await bench.makeOrder()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<3 {
                    group.addTask {
                        _ = try await bench.entities.write { unit in
                            try unit.add(OrderItem.self, to: order) { $0.name = "n\(number)" }
                        }
                    }
                    group.addTask {
                        _ = try await bench.entities.write { unit in
                            try unit.update(Order.self, order.id) { $0.tip = Double(number + 1) }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let kept = try await bench.entities.read { try $0.get(Order.self, order.id) }
            #expect(kept?.version == 7)
            #expect(Set(kept?.items.map(\.name) ?? []) == ["n0", "n1", "n2"])
            let versions = try await bench.told().compactMap { $0.payload["version"]?.text }
            #expect(versions == ["1", "2", "3", "4", "5", "6", "7"])
        }
    }

    @Test("that refer to something while it is deleted: one of the two is refused", arguments: StoreProvider.all)
    func references(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            for number in 0..<20 {
                let dish = try await bench.entities.write { try $0.insert(Dish.self) { $0.name = "n\(number)" } }
                async let deleted = Self.result {
                    try await bench.entities.write { try $0.delete(Dish.self, dish.id) }
                }
                async let ordered = Self.result { try await bench.makeOrder { $0.specialID = dish.id } }
                let (isDeleted, isOrdered) = await ((try? deleted.get()) != nil, (try? ordered.get()) != nil)
                #expect(isDeleted != isOrdered)
            }
        }
    }

    private static func result<Value: Sendable>(
        _ body: @Sendable () async throws -> Value
    ) async -> Result<Value, any Error> {
        do {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }
}
