import Foundation
import TestSupport
import Testing
import TidingsBroadcast
import TidingsEntities
import TidingsWire

@Suite("A unit of work", .timeLimit(.patience))
struct UnitOfWorkTests {
    private struct Abandoned: Error {}

    @Test("creates: what the server sets, what the audit says, and what clients are told", arguments: StoreProvider.all)
    func insert(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let id = UUID()
            let context = ChangeContext(identity: .waiter("7"), origin: "m-1", requestID: "r-1", traceID: "t-1")
            let order = try await bench.entities.write(as: context) { unit in
                try unit.insert(Order.self, id: id) { order in
                    order.table = "  7 "
                    order.note = "no salt"
                }
            }
            #expect(order.id == id && order.version == 1 && order.status == .open)
            #expect(order.table == "7" && order.note == "no salt" && order.secret == "kept" && order.tip == nil)
            #expect(order.createdAt == bench.time.now && order.updatedAt == bench.time.now && order.deletedAt == nil)
            #expect(order.reference == "ORD-000001")
            let second = try await bench.makeOrder()
            #expect(second.reference == "ORD-000002")
            let told = try await bench.told()
            #expect(told.map(\.event) == ["created", "created"])
            #expect(told.first?.channels == ["order", "order:\(id.text)", "table:7"])
            #expect(told.first?.payload.text == #"{"entity_id":"\#(id.text)","version":1,"origin":"m-1"}"#)
            let audit = try await bench.rows("SELECT * FROM system_event WHERE entity_type = 'order' ORDER BY seq")
            #expect(audit.first?["type"].text == "order.created" && audit.first?["category"].text == "lifecycle")
            #expect(audit.first?["user_id"].text == "waiter 7" && audit.first?["request_id"].text == "r-1")
            let outbox = try await bench.rows("SELECT * FROM sync_outbox WHERE entity_type = 'order'")
            #expect(outbox.first?["trace_id"].text == "t-1" && outbox.first?["user_id"].text == "waiter 7")
            #expect(outbox.first?["entity_version"].integer == 1)
        }
    }

    @Test("changes: one version more, an entry for each field, and one event", arguments: StoreProvider.all)
    func update(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let order = try await bench.makeOrder()
            bench.time.advance(by: .milliseconds(1500))
            let changed = try await bench.entities.write { unit in
                try unit.update(Order.self, order.id) { order in
                    order.note = "salt"
                    order.tip = 1.5
                    order.secret = "other"
                }
            }
            #expect(changed.version == 2 && changed.note == "salt" && changed.secret == "other")
            #expect(changed.createdAt == order.createdAt && changed.updatedAt == bench.time.now)
            #expect(try await bench.told().map(\.event) == ["created", "updated"])
            // The state beside other fields is told as both.
            try await bench.entities.write { unit in
                try unit.update(Order.self, order.id) { order in
                    order.status = .preparing
                    order.note = nil
                }
            }
            try await bench.entities.write { try $0.transition(Order.self, order.id, to: Order.Status.ready) }
            let told = try await bench.told()
            #expect(told.map(\.event) == ["created", "updated", "updated", "status_changed", "status_changed"])
            #expect(told.compactMap { $0.payload["version"]?.text } == ["1", "2", "3", "3", "4"])
        }
    }

    @Test("that changes nothing leaves nothing", arguments: StoreProvider.all)
    func noChange(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let order = try await bench.makeOrder { $0.tip = 0.5 }
            let item = try await bench.entities.write { try $0.add(OrderItem.self, to: order) { $0.name = "Tea" } }
            let before = try await bench.counts
            bench.time.advance(by: .seconds(60))
            let same = try await bench.entities.write { unit in
                try unit.transition(Order.self, order.id, to: Order.Status.open)
                try unit.update(OrderItem.self, item.id, of: order) { $0.name = " Tea" }
                return try unit.update(Order.self, order.id) { order in
                    order.table = " 7 "
                    order.tip = 0.5
                }
            }
            #expect(same.version == 2 && same.updatedAt == order.updatedAt)
            #expect(try await bench.counts == before)
            // Texts that look alike are not the same text.
            try await bench.entities.write { try $0.update(Order.self, order.id) { $0.note = "\u{E9}" } }
            let other = try await bench.entities.write { try $0.update(Order.self, order.id) { $0.note = "e\u{301}" } }
            #expect(other.version == 4)
        }
    }

    @Test("deletes: rows that are kept are gone for everybody, others go", arguments: StoreProvider.all)
    func delete(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let order = try await bench.makeOrder()
            let seat = try await bench.entities.write { try $0.insert(Seat.self) { $0.label = "window" } }
            try await bench.entities.write { unit in
                try unit.delete(Order.self, order.id)
                try unit.delete(Seat.self, seat.id)
            }
            #expect(try await bench.count("orders") == 1)
            #expect(try await bench.count("seats") == 0)
            let row = try await bench.rows("SELECT version, deleted_at FROM orders").first
            #expect(row?[0].integer == 2 && row?[1] != .null)
            let told = try await bench.told().suffix(2)
            #expect(told.map(\.event) == ["deleted", "deleted"])
            #expect(told.first?.payload.text == #"{"entity_id":"\#(order.id.text)","version":2}"#)
            #expect(told.last?.payload.text == #"{"entity_id":"\#(seat.id.text)"}"#)
            for id in [order.id, UUID()] {
                await expectRefusal(.notFound) { try await bench.entities.write { try $0.get(Order.self, id) } }
                await expectRefusal(.notFound) { try await bench.entities.write { try $0.delete(Order.self, id) } }
            }
            #expect(try await bench.entities.read { try $0.get(Order.self, order.id) } == nil)
            #expect(try await bench.entities.read { try $0.all(Order.self) }.isEmpty)
            #expect(try await bench.entities.read { try $0.find(Order.self, where: \.$table, is: "7") }.isEmpty)
        }
    }

    @Test("keeps children in their order, and tells of them as of their parent", arguments: StoreProvider.all)
    func children(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let order = try await bench.makeOrder()
            let items = try await bench.entities.write { unit in
                try ["Soup", "Tea"].map { name in try unit.add(OrderItem.self, to: order) { $0.name = name } }
            }
            try await bench.entities.write { unit in
                try unit.update(OrderItem.self, items[0].id, of: order) { $0.quantity = 2 }
                try unit.add(OrderItem.self, to: order) { $0.name = "Bread" }
                try unit.remove(OrderItem.self, items[1].id, of: order)
            }
            let read = try #require(try await bench.entities.read { try $0.get(Order.self, order.id) })
            #expect(read.items.map(\.name) == ["Soup", "Bread"])
            #expect(read.items.map(\.quantity) == [2, 1])
            #expect(read.version == 6)
            let told = try await bench.told()
            #expect(
                told.map(\.event) == [
                    "created", "item_added", "item_added", "item_updated", "item_added", "item_removed",
                ]
            )
            let hint = #"{"entity_id":"\#(order.id.text)","version":4,"item_id":"\#(items[0].id.text)"}"#
            #expect(told[3].payload.text == hint)
            #expect(told[3].channels == ["order", "order:\(order.id.text)", "table:7"])
            for id in [items[1].id, UUID()] {
                await expectRefusal(.notFound) {
                    try await bench.entities.write { try $0.remove(OrderItem.self, id, of: order) }
                }
            }
            // Children of another parent are not this one's.
            let other = try await bench.makeOrder()
            await expectRefusal(.notFound) {
                try await bench.entities.write {
                    try $0.update(OrderItem.self, items[0].id, of: other) { $0.quantity = 9 }
                }
            }
            // Those of a deleted parent go with it, or stay out of sight with it.
            try await bench.entities.write { try $0.delete(Order.self, order.id) }
            await expectRefusal(.notFound) {
                try await bench.entities.write { try $0.add(OrderItem.self, to: order) { $0.name = "late" } }
            }
        }
    }

    @Test("rolls back to nothing, wherever it fails", arguments: StoreProvider.all)
    func rollback(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let order = try await bench.makeOrder()
            let before = try await bench.counts
            await #expect(throws: Abandoned.self) {
                try await bench.entities.write { unit in
                    try unit.insert(Order.self) { $0.table = "8" }
                    try unit.update(Order.self, order.id) { $0.note = "gone" }
                    try unit.add(OrderItem.self, to: order) { $0.name = "Tea" }
                    try unit.record("order.paid", about: order)
                    try unit.tell("paid", about: order)
                    throw Abandoned()
                }
            }
            // A failure of the application's own check that comes after it wrote something, even if somebody caught it.
            await expectRefusal(.init(rawValue: "no_refusing")) {
                try await bench.entities.write { unit in
                    _ = try? unit.update(Order.self, order.id) { $0.note = "count and refuse" }
                    try unit.insert(Order.self) { $0.table = "8" }
                }
            }
            // What does not fit a channel's name is not written either.
            let long = String(repeating: "\u{2003}", count: 20) + "x"
            await expectRefusal(.invalid) {
                try await bench.entities.write { unit in
                    _ = try unit.update(Order.self, order.id) { $0.table = "x" + long }
                }
            }
            #expect(try await bench.counts == before)
            #expect(try await bench.count("order_items") == 0)
            let (settings, kept) = try await bench.entities.read { reader in
                (try reader.get(Settings.self), try reader.get(Order.self, order.id))
            }
            #expect(settings.counted == 0)
            #expect(kept?.note == nil && kept?.version == 1)
        }
    }

    @Test("asks the application before it changes anything", arguments: StoreProvider.all)
    func hooks(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let order = try await bench.makeOrder { $0.note = "count" }
            #expect(try await bench.entities.read { try $0.get(Settings.self).counted } == 1)
            let refusal = await expectRefusal(.init(rawValue: "no_refusing")) {
                try await bench.entities.write { try $0.update(Order.self, order.id) { $0.note = "refuse" } }
            }
            #expect(refusal?.message == "Take another note.")
            let nonsense = await expectRefusal(.invalid) {
                try await bench.entities.write { try $0.update(Order.self, order.id) { $0.note = "nonsense" } }
            }
            #expect(nonsense?.faults == [FieldFault(pointer: "/note", code: "sense", message: "makes no sense")])
            let chaos = await expectRefusal(.invalid) { try await bench.makeOrder { $0.note = "chaos" } }
            #expect(chaos?.faults == [FieldFault(pointer: "", code: "chaos", message: "is chaos")])
            // The parent is asked with its children as they would be.
            await expectRefusal(.invalid) {
                try await bench.entities.write { unit in
                    for _ in 0..<4 { try unit.add(OrderItem.self, to: order) { $0.name = "Tea" } }
                }
            }
            #expect(try await bench.count("order_items") == 0)
        }
    }

    @Test("lets states go where they may", arguments: StoreProvider.all)
    func transitions(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            for from in Order.Status.allCases {
                for to in Order.Status.allCases {
                    let order = try await bench.makeOrder()
                    let path: [Order.Status] =
                        switch from {
                        case .open: []
                        case .preparing: [.preparing]
                        case .ready: [.preparing, .ready]
                        case .served: [.preparing, .ready, .served]
                        case .cancelled: [.cancelled]
                        }
                    for state in path {
                        try await bench.entities.write { try $0.transition(Order.self, order.id, to: state) }
                    }
                    if from == to || from.canTransition(to: to) {
                        let moved = try await bench.entities.write { try $0.transition(Order.self, order.id, to: to) }
                        #expect(moved.status == to)
                    } else {
                        let error = await expectRefusal(.illegalTransition, "\(from) to \(to)") {
                            try await bench.entities.write { try $0.update(Order.self, order.id) { $0.status = to } }
                        }
                        #expect(error?.state == from.rawValue)
                        #expect(error?.allowed == from.allowedTransitions.map(\.rawValue))
                    }
                }
            }
            #expect(Order.Status.served.isTerminal && !Order.Status.open.isTerminal)
            let error = await expectRefusal(.invalid) { try await bench.makeOrder { $0.status = .ready } }
            #expect(error?.faults.map(\.code) == ["initial_state"])
        }
    }

    @Test("keeps what is unique unique, among those that are there", arguments: StoreProvider.all)
    func unique(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let insert: @Sendable (String) async throws -> Dish = { name in
                try await bench.entities.write { try $0.insert(Dish.self) { $0.name = name } }
            }
            let soup = try await insert("Soup")
            let again = await expectRefusal(.duplicate) { try await insert("Soup") }
            #expect(
                again?.faults == [FieldFault(pointer: "/name", code: "unique", message: "is taken by another dish")]
            )
            let tea = try await insert("Tea")
            await expectRefusal(.duplicate) {
                try await bench.entities.write { try $0.update(Dish.self, tea.id) { $0.name = "Soup" } }
            }
            try await bench.entities.write { try $0.delete(Dish.self, soup.id) }
            #expect(try await insert("Soup").name == "Soup")
            let sameID = await expectRefusal(.duplicate) {
                try await bench.entities.write { try $0.insert(Dish.self, id: tea.id) { $0.name = "Cake" } }
            }
            #expect(sameID?.faults.isEmpty == true)
            // The identifier of a deleted one that is kept stays taken.
            await expectRefusal(.duplicate) {
                try await bench.entities.write { try $0.insert(Dish.self, id: soup.id) { $0.name = "Pie" } }
            }
        }
    }

    @Test("keeps references whole, to rows that go and to rows that are kept", arguments: StoreProvider.all)
    func references(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let (soup, tea) = try await bench.entities.write { unit in
                (try unit.insert(Dish.self) { $0.name = "Soup" }, try unit.insert(Dish.self) { $0.name = "Tea" })
            }
            let order = try await bench.makeOrder { $0.specialID = soup.id }
            let wrong = await expectRefusal(.invalid) { try await bench.makeOrder { $0.specialID = UUID() } }
            #expect(wrong?.faults.map(\.pointer) == ["/special_id"])
            #expect(wrong?.faults.map(\.code) == ["reference"])
            let child = await expectRefusal(.invalid) {
                try await bench.entities.write { unit in
                    try unit.add(OrderItem.self, to: order) { item in
                        item.name = "x"
                        item.dishID = UUID()
                    }
                }
            }
            #expect(child?.faults.map(\.pointer) == ["/dish_id"])
            let delete: @Sendable (Dish) async throws -> Void = { dish in
                try await bench.entities.write { try $0.delete(Dish.self, dish.id) }
            }
            await expectRefusal(.inUse) { try await delete(soup) }
            let item = try await bench.entities.write { unit in
                try unit.add(OrderItem.self, to: order) { item in
                    item.name = "Tea"
                    item.dishID = tea.id
                }
            }
            await expectRefusal(.inUse) { try await delete(tea) }
            try await bench.entities.write { try $0.update(OrderItem.self, item.id, of: order) { $0.dishID = nil } }
            try await delete(tea)
            // A deleted one is not there, although its row is.
            await expectRefusal(.invalid) { try await bench.makeOrder { $0.specialID = tea.id } }
            // What is deleted itself needs nobody.
            try await bench.entities.write { try $0.delete(Order.self, order.id) }
            try await delete(soup)
            // Rows that go for good are held by the database itself. Two may hold each other, and one itself.
            let (left, right) = try await bench.entities.write { unit in
                let left = try unit.insert(Seat.self) { $0.label = "left" }
                let right = try unit.insert(Seat.self) { seat in
                    seat.label = "right"
                    seat.besideID = left.id
                }
                return (left, right)
            }
            let inUse = await expectRefusal(.inUse) {
                try await bench.entities.write { try $0.delete(Seat.self, left.id) }
            }
            #expect(inUse?.faults.isEmpty == true)
            let own = UUID()
            try await bench.entities.write { unit in
                try unit.insert(Seat.self, id: own) { seat in
                    seat.label = "alone"
                    seat.besideID = own
                }
                try unit.delete(Seat.self, own)
                try unit.delete(Seat.self, right.id)
                try unit.delete(Seat.self, left.id)
            }
            #expect(try await bench.count("seats") == 0)
        }
    }

    @Test("keeps what was created as it was, where that is declared", arguments: StoreProvider.all)
    func fixed(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let dish = try await bench.entities.write { unit in
                try unit.insert(Dish.self) { dish in
                    dish.name = "Soup"
                    dish.course = "starter"
                }
            }
            let error = await expectRefusal(.invalid) {
                try await bench.entities.write { try $0.update(Dish.self, dish.id) { $0.course = "main" } }
            }
            #expect(error?.faults.map(\.code) == ["read_only"])
            let patch = await expectRefusal(.invalid) {
                try await bench.dishes.update(dish.id.text, EntityCall(#"{"course":"starter"}"#))
            }
            #expect(patch?.faults.map(\.code) == ["read_only"])
        }
    }

    @Test("tells what the application says, and what it says to the audit", arguments: StoreProvider.all)
    func ownEvents(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let order = try await bench.makeOrder()
            try await bench.entities.write(as: ChangeContext(origin: "m")) { unit in
                try unit.tell("bell", about: order, ["tone": "high", "entity_id": "forged", "origin": "forged"])
                try unit.record("order.paid", about: order, ["cents": 1200])
            }
            let told = try #require(try await bench.told().last)
            #expect(told.event == "bell")
            #expect(
                told.payload.text == #"{"entity_id":"\#(order.id.text)","version":1,"origin":"m","tone":"high"}"#
            )
            let row = try #require(try await bench.rows("SELECT * FROM system_event ORDER BY seq DESC LIMIT 1").first)
            #expect(row["category"].text == "business" && row["type"].text == "order.paid")
            #expect(row["metadata"].text == #"{"cents":1200}"#)
            let error = await #expect(throws: StoreError.self) {
                try await bench.entities.write { try $0.tell(.stale, about: order) }
            }
            #expect(error?.code == .schema)
        }
    }

    @Test("has exactly one of what there is one of", arguments: StoreProvider.all)
    func singleton(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let settings = try await bench.entities.read { try $0.get(Settings.self) }
            #expect(settings.restaurantName == "Bistro" && settings.version == 1)
            try await bench.entities.write { try $0.update(Settings.self) { $0.restaurantName = "Chez nous" } }
            try await bench.entities.prepare()
            let all = try await bench.entities.read { try $0.all(Settings.self) }
            #expect(all.map(\.restaurantName) == ["Chez nous"])
            for fault in [
                { (unit: UnitOfWork) in _ = try unit.insert(Settings.self) { $0.counted = 2 } },
                { try $0.delete(Settings.self, settings.id) },
            ] as [@Sendable (UnitOfWork) throws -> Void] {
                let error = await #expect(throws: StoreError.self) { try await bench.entities.write { try fault($0) } }
                #expect(error?.code == .schema)
            }
            let service = try bench.settings
            #expect(try await service.get("whatever", as: nil)["restaurant_name"] == #""Chez nous""#)
            await expectRefusal(.notFound) { try await service.create(EntityCall("{}")) }
            await expectRefusal(.notFound) { try await service.delete("", EntityCall("")) }
            await expectRefusal(.versionRequired) { try await service.update("", EntityCall(#"{"counted":1}"#)) }
            #expect(try await service.update("", EntityCall(#"{"counted":1,"version":2}"#))["counted"] == "1")
        }
    }

    @Test("speaks only of entities that were named")
    func unknownTypes() async throws {
        try await StoreProvider.sqlite.run { database in
            let bench = try await Bench(database, [Seat.self])
            let error = await #expect(throws: StoreError.self) {
                try await bench.entities.write { try $0.insert(Settings.self) { _ in } }
            }
            #expect(error?.message == "Settings is not among the entities. Name it where Entities is made.")
        }
    }

    @Test(
        "announces an entity that moves on the channels that it leaves and on those that it comes to",
        arguments: StoreProvider.all
    )
    func moving(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let order = try await bench.makeOrder()
            let id = order.id.text
            try await bench.entities.write { try $0.update(Order.self, order.id) { $0.table = "a b%c" } }
            let told = try #require(try await bench.told().last)
            #expect(told.channels == ["order", "order:\(id)", "table:a%20b%25c", "table:7"])
        }
    }

    @Test("tells the entity itself where that is declared, without what is excluded", arguments: StoreProvider.all)
    func payload(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let dish = try await bench.entities.write { try $0.insert(Dish.self) { $0.name = "Soup" } }
            try await bench.entities.write { try $0.update(Dish.self, dish.id) { $0.price = 5 } }
            try await bench.entities.write { try $0.delete(Dish.self, dish.id) }
            let told = try await bench.told()
            // `deleted` is not among the events that are told.
            #expect(told.map(\.event) == ["created", "updated"])
            #expect(told.last?.payload["entity"]?.names == ["id", "name", "course", "price", "instead_of_id"])
            #expect(told.last?.payload["entity"]?["price"]?.text == "5")
            #expect(told.last?.payload["version"] == nil)
        }
    }
}
