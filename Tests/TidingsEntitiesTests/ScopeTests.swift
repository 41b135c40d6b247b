import Foundation
import TestSupport
import Testing
import TidingsBroadcast
import TidingsEntities
import TidingsWire

@Suite("What somebody may see and do", .timeLimit(.patience))
struct ScopeTests {
    private static let waiter = Identity.waiter("7")

    @Test("ends where the scope ends: what is outside does not exist", arguments: StoreProvider.all)
    func outside(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            let id = try await bench.makeOrder(table: "8").id.text
            let item = try #require(
                try await orders.addChild("items", of: id, EntityCall(#"{"name":"Tea"}"#)).createdID
            )
            let attempts: [(String, @Sendable () async throws -> EntityAnswer)] = [
                ("get", { try await orders.get(id, as: Self.waiter) }),
                ("history", { try await orders.history(of: id, [], as: Self.waiter) }),
                ("update", { try await orders.update(id, EntityCall(#"{"note":"x"}"#, as: Self.waiter)) }),
                ("take over", { try await orders.update(id, EntityCall(#"{"table":"7"}"#, as: Self.waiter)) }),
                ("transition", { try await orders.transition(id, EntityCall(#"{"to":"ready"}"#, as: Self.waiter)) }),
                ("delete", { try await orders.delete(id, EntityCall("", as: Self.waiter)) }),
                ("add", { try await orders.addChild("items", of: id, EntityCall(#"{"name":"x"}"#, as: Self.waiter)) }),
                (
                    "change an item",
                    { try await orders.updateChild("items", item, of: id, EntityCall("{}", as: Self.waiter)) }
                ),
                ("remove", { try await orders.removeChild("items", item, of: id, EntityCall("", as: Self.waiter)) }),
                ("perform", { try await orders.perform("tidy", on: id, EntityCall("", as: Self.waiter)) }),
            ]
            let before = try await bench.counts
            for (name, attempt) in attempts { await expectRefusal(.notFound, "\(name)", attempt) }
            #expect(try await bench.counts == before)
            // What is not there at all is told in the same words.
            let hidden = await expectRefusal(.notFound) { try await orders.get(id, as: Self.waiter) }
            let missing = await expectRefusal(.notFound) { try await orders.get(UUID().text, as: Self.waiter) }
            #expect(hidden?.message == missing?.message)
            for id in ["x", "", id.uppercased() + "0", "8f14e45fceea467fa0e65e1f2a3b4c5d"] {
                await expectRefusal(.notFound) { try await orders.get(id, as: nil) }
            }
            #expect(try await orders.get(id.uppercased(), as: nil)["id"] == "\"\(id)\"")
        }
    }

    @Test("is all there is within the scope", arguments: StoreProvider.all)
    func inside(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            let answer = try await orders.create(EntityCall(#"{"table":"7"}"#, as: Self.waiter))
            let id = try #require(answer.createdID)
            for table in ["6", "8", "8"] { _ = try await bench.makeOrder(table: table) }
            #expect(try await orders.list([], as: Self.waiter).items.compactMap { $0["id"]?.string } == [id])
            #expect(try await orders.list([("table", "8")], as: Self.waiter).items.isEmpty)
            #expect(try await orders.list([("table", "8")], as: nil).items.count == 2)
            #expect(try await orders.list([], as: .role("stranger")).items.isEmpty)
            #expect(try await orders.get(id, as: Self.waiter)["table"] == #""7""#)
            let changed = try await orders.update(
                id,
                EntityCall(#"{"note":"x","status":"preparing"}"#, as: Self.waiter)
            )
            #expect(changed["version"] == "2")
            #expect(try await orders.history(of: id, [], as: Self.waiter).items.count == 3)
            #expect(try await orders.delete(id, EntityCall("", as: Self.waiter)).kind == .deleted)
        }
    }

    @Test("cannot be left, on any way", arguments: StoreProvider.all)
    func leaving(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            let id = try await bench.makeOrder(table: "7").id.text
            let before = try await bench.counts
            await expectRefusal(.forbidden) {
                try await orders.create(EntityCall(#"{"table":"8"}"#, as: Self.waiter))
            }
            await expectRefusal(.forbidden) {
                try await orders.update(id, EntityCall(#"{"table":"8"}"#, as: Self.waiter))
            }
            await expectRefusal(.forbidden) {
                try await orders.perform("move_table", on: id, EntityCall(#"{"table":"8"}"#, as: Self.waiter))
            }
            #expect(try await bench.counts == before)
            #expect(try await orders.get(id, as: Self.waiter)["version"] == "1")
            let moved = try await orders.perform("move_table", on: id, EntityCall(#"{"table":"8"}"#))
            #expect(moved["table"] == #""8""#)
        }
    }

    @Test("can be several conditions at once, in lists as in lookups", arguments: StoreProvider.all)
    func combined(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            let courier = Identity.role("courier")
            var seen: [String] = []
            for table in ["6", "7", "8"] {
                for note in [nil, "note"] {
                    let id = try await bench.makeOrder(table: table) { $0.note = note }.id.text
                    if (try? await orders.get(id, as: courier)) != nil { seen.append(id) }
                }
            }
            #expect(seen.count == 2)
            #expect(Set(try await orders.list([], as: courier).items.compactMap { $0["id"]?.string }) == Set(seen))
        }
    }

    @Test("is asked for by operation", arguments: StoreProvider.all)
    func operations(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            let id = try await bench.makeOrder().id.text
            let item = try #require(
                try await orders.addChild("items", of: id, EntityCall(#"{"name":"Tea"}"#)).createdID
            )
            let before = try await bench.counts
            let attempts: [(EntityOperation, @Sendable (Identity) async throws -> EntityAnswer)] = [
                (.list, { try await orders.list([], as: $0) }),
                (.read, { try await orders.get(id, as: $0) }),
                (.history, { try await orders.history(of: id, [], as: $0) }),
                (.create, { try await orders.create(EntityCall(#"{"table":"7"}"#, as: $0)) }),
                (.update, { try await orders.update(id, EntityCall(#"{"note":"x"}"#, as: $0)) }),
                (.update, { try await orders.update(id, EntityCall(#"{"note":"x","status":"preparing"}"#, as: $0)) }),
                (.transition, { try await orders.update(id, EntityCall(#"{"status":"preparing"}"#, as: $0)) }),
                // A transition among other changes is one too.
                (
                    .transition,
                    { try await orders.update(id, EntityCall(#"{"note":"x","status":"preparing"}"#, as: $0)) }
                ),
                (.transition, { try await orders.transition(id, EntityCall(#"{"to":"preparing"}"#, as: $0)) }),
                (.delete, { try await orders.delete(id, EntityCall("", as: $0)) }),
                (.addChild, { try await orders.addChild("items", of: id, EntityCall(#"{"name":"x"}"#, as: $0)) }),
                (.updateChild, { try await orders.updateChild("items", item, of: id, EntityCall("{}", as: $0)) }),
                (.removeChild, { try await orders.removeChild("items", item, of: id, EntityCall("", as: $0)) }),
                (.init(rawValue: "tidy"), { try await orders.perform("tidy", on: id, EntityCall("", as: $0)) }),
            ]
            for (operation, attempt) in attempts {
                await expectRefusal(.forbidden, "\(operation.rawValue)") {
                    try await attempt(.denied(operation.rawValue))
                }
            }
            #expect(try await bench.counts == before)
            // The state that it is in already is no transition.
            let same = try await orders.update(
                id,
                EntityCall(#"{"note":"x","status":"open"}"#, as: .denied("transition"))
            )
            #expect(same["note"] == #""x""#)
            for (operation, attempt) in attempts where operation != .delete {
                _ = try? await attempt(.denied("nothing"))
            }
            #expect(try await orders.delete(id, EntityCall("", as: .denied("update"))).kind == .deleted)
        }
    }
}

@Suite("Actions", .timeLimit(.patience))
struct ActionTests {
    @Test("have a body of their own, and change what they are done to", arguments: StoreProvider.all)
    func input(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            let id = try await bench.makeOrder().id.text
            let missing = await expectRefusal(.invalid) {
                try await orders.perform("move_table", on: id, EntityCall("{}"))
            }
            #expect(missing?.faults.map { "\($0.pointer) \($0.code)" } == ["/table required"])
            let wrong = await expectRefusal(.invalid) {
                try await orders.perform("move_table", on: id, EntityCall(#"{"table":" ","note":1,"version":1}"#))
            }
            #expect(
                wrong?.faults.map { "\($0.pointer) \($0.code)" } == ["/table length", "/note type", "/version unknown"]
            )
            let moved = try await orders.perform("move_table", on: id, EntityCall(#"{"table":" 8 "}"#))
            #expect(moved["table"] == #""8""# && moved["version"] == "2" && moved.kind == .changed)
            #expect(try await bench.told().map(\.event) == ["created", "updated"])
            await expectRefusal(.notFound) { try await orders.perform("dance", on: id, EntityCall("")) }
            await expectRefusal(.preconditionFailed) {
                try await orders.perform("tidy", on: id, EntityCall("", version: #""1""#))
            }
        }
    }

    @Test("do not take back what they changed on another way", arguments: StoreProvider.all)
    func both(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            let id = try await bench.makeOrder { $0.note = "old" }.id.text
            let body = #"{"table":"8","note":"new"}"#
            let moved = try await orders.perform("move_table", on: id, EntityCall(body))
            #expect(moved["table"] == #""8""# && moved["note"] == #""new""# && moved["version"] == "3")
        }
    }

    @Test("may delete what they are done to", arguments: StoreProvider.all)
    func deleting(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            let id = try await bench.makeOrder().id.text
            #expect(try await orders.perform("hide", on: id, EntityCall("")).kind == .deleted)
            await expectRefusal(.notFound) { try await orders.get(id, as: nil) }
        }
    }

    @Test("change several entities together, or none", arguments: StoreProvider.all)
    func several(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            let (id, other) = (try await bench.makeOrder().id.text, try await bench.makeOrder().id.text)
            for name in ["Tea", "Soup"] {
                _ = try await orders.addChild("items", of: other, EntityCall(#"{"name":"\#(name)","quantity":2}"#))
            }
            let merged = try await orders.perform("merge", on: id, EntityCall(#"{"other":"\#(other)"}"#))
            #expect(try merged.node["items"]?.elements.compactMap { $0["name"]?.string } == ["Tea", "Soup"])
            await expectRefusal(.notFound) { try await orders.get(other, as: nil) }
            let history = try await orders.history(of: id, [], as: nil)
            #expect(
                try history.items.map { $0["type"]?.string } == [
                    "order.merged", "order.item_added", "order.item_added", "order.created",
                ]
            )
            // Four items are more than there may be, so nothing of it happens.
            let third = try await bench.makeOrder().id.text
            for _ in 0..<2 { _ = try await orders.addChild("items", of: third, EntityCall(#"{"name":"Tea"}"#)) }
            let before = try await bench.counts
            await expectRefusal(.invalid) {
                try await orders.perform("merge", on: id, EntityCall(#"{"other":"\#(third)"}"#))
            }
            #expect(try await bench.counts == before)
            #expect(try await orders.get(third, as: nil).node["items"]?.elements.count == 2)
        }
    }
}
