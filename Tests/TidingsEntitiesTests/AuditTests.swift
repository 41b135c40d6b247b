import Foundation
import TestSupport
import Testing
import TidingsBroadcast
import TidingsEntities
import TidingsWire

@Suite("The audit", .timeLimit(.patience))
struct AuditTests {
    @Test("says what happened, by whom, and from what to what", arguments: StoreProvider.all)
    func content(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            let order = try await bench.makeOrder { $0.note = "a" }
            bench.time.advance(by: .seconds(1))
            let context = ChangeContext(identity: .waiter("7"), requestID: "r-9")
            let item = try await bench.entities.write(as: context) { unit in
                try unit.update(Order.self, order.id) { order in
                    order.note = nil
                    order.tip = 2.5
                    order.phone = "555-1234"
                    order.secret = "classified"
                    order.status = .preparing
                }
                let item = try unit.add(OrderItem.self, to: order) { $0.name = "Tea" }
                return try unit.update(OrderItem.self, item.id, of: order) { item in
                    item.quantity = 3
                    item.cost = 7
                }
            }
            let history = try await orders.history(of: order.id.text, [], as: nil)
            let lines = try history.items.reversed().map { entry in
                ["type", "category", "field", "old", "new", "state_from", "state_to", "metadata"]
                    .map { entry[$0]?.text ?? "-" }.joined(separator: " ")
            }
            let mention = #"{"item_id":"\#(item.id.text)"}"#
            #expect(
                lines == [
                    #""order.created" "lifecycle" null null null null null null"#,
                    #""order.changed.note" "change" "note" "a" null null null null"#,
                    #""order.changed.phone" "change" "phone" "[redacted]" "[redacted]" null null null"#,
                    #""order.changed.tip" "change" "tip" null 2.5 null null null"#,
                    #""order.state.open.preparing" "state" null null null "open" "preparing" null"#,
                    #""order.item_added" "change" null null null null null \#(mention)"#,
                    #""order_item.changed.quantity" "change" "quantity" 1 3 null null \#(mention)"#,
                    #""order.item_updated" "change" null null null null null \#(mention)"#,
                ]
            )
            let newest = try #require(try history.items.first)
            #expect(newest["user_id"]?.string == "waiter 7" && newest["request_id"]?.string == "r-9")
            #expect(newest["timestamp"]?.string == "2027-01-15T08:00:01.000Z")
            #expect(try history.items.last?["user_id"]?.text == "null")
            // What is excluded or redacted is nowhere, not even in the table.
            for row in try await bench.rows("SELECT * FROM system_event") {
                for column in ["type", "field", "old_value", "new_value", "metadata"] {
                    let text = row[column].text ?? ""
                    #expect(!text.contains("secret") && !text.contains("cost"))
                    #expect(!text.contains("classified") && !text.contains("555-1234"))
                }
            }
        }
    }

    @Test("is read page by page, newest first, also while more is written", arguments: StoreProvider.all)
    func pages(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let orders = try bench.orders
            let order = try await bench.makeOrder()
            let other = try await bench.makeOrder()
            let change: @Sendable (Int) async throws -> Void = { number in
                try await bench.entities.write { unit in
                    try unit.update(Order.self, order.id) { $0.note = "\(number)" }
                    try unit.update(Order.self, other.id) { $0.note = "\(number)" }
                }
            }
            for number in 1...9 { try await change(number) }
            var seen: [String] = []
            var cursor: String?
            repeat {
                let parameters = [("limit", "4")] + (cursor.map { [("cursor", $0)] } ?? [])
                let page = try await orders.history(of: order.id.text, parameters, as: nil)
                seen += try page.items.compactMap { $0["new"]?.string ?? $0["type"]?.string }
                cursor = try page.next
                try await change(100 + seen.count)
            } while cursor != nil
            #expect(seen == (1...9).reversed().map(String.init) + ["order.created"])
            for parameters in [
                [("cursor", "x")], [("cursor", "0")], [("limit", "0")], [("limit", "201")], [("sort", "id")],
            ] {
                await expectRefusal(.invalidParameter, "\(parameters)") {
                    try await orders.history(of: order.id.text, parameters, as: nil)
                }
            }
            await expectRefusal(.invalidParameter) {
                try await orders.history(of: order.id.text, [("limit", "1"), ("limit", "2")], as: nil)
            }
        }
    }
}
