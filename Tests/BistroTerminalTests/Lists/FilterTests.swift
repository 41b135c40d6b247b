import BistroAPI
import Foundation
import TestSupport
import Testing
import TidingsSync

@Suite("What a list is asked for with", .timeLimit(.patience))
struct FilterTests {
    private let restaurant = MemoryRestaurant()
    private let id = UUID()
    /// No number of seconds is exactly as many milliseconds.
    private let date = Date(timeIntervalSince1970: 1_790_000_000.757)

    @Test("orders: every field goes with the request and into the key")
    func orders() async throws {
        let sync = try restaurant.client()
        let filter = Orders.Filter(
            id: [id],
            reference: ["ORD-000002", "ORD-000001"],
            table: ["7"],
            note: ["No onions"],
            status: [.preparing, .open],
            version: [12],
            createdAt: [date],
            updatedAt: [date],
            sort: "-table",
            limit: 20
        )
        let list = sync.orders.list(filter)
        _ = try await sync.queries.fetch(list)
        let query = [
            "id=\(id.uuidString.lowercased())", "reference=ORD-000002", "reference=ORD-000001", "table=7",
            "note=No%20onions", "status=preparing", "status=open", "version=12",
            "created_at=2026-09-21T14%3A13%3A20.757Z", "updated_at=2026-09-21T14%3A13%3A20.757Z", "sort=-table",
            "limit=20",
        ]
        #expect(restaurant.requests == ["GET /orders?" + query.joined(separator: "&")])
        let key: [String: QueryKey.Segment] = [
            "id": .array([.string(id.uuidString.lowercased())]),
            "reference": .array(["ORD-000001", "ORD-000002"]),
            "table": .array(["7"]),
            "note": .array(["No onions"]),
            "status": .array(["open", "preparing"]),
            "version": .array(["12"]),
            "created_at": .array(["2026-09-21T14:13:20.757Z"]),
            "updated_at": .array(["2026-09-21T14:13:20.757Z"]),
            "sort": "-table",
            "limit": 20,
        ]
        #expect(list.key == Orders.entity.keys.list(key))
        #expect(sync.orders.pages(filter).query.key == Orders.entity.keys.pages(key))
    }

    @Test("menu items: every field goes with the request and into the key")
    func menuItems() async throws {
        let sync = try restaurant.client()
        let filter = MenuItems.Filter(
            id: [id],
            name: ["Crème brûlée"],
            course: [.main, .dessert],
            priceInCents: [800, 1450],
            isAvailable: [true],
            version: [1, 2],
            updatedAt: [date],
            sort: "name",
            limit: 5
        )
        let list = sync.menuItems.list(filter)
        _ = try await sync.queries.fetch(list)
        let query = [
            "id=\(id.uuidString.lowercased())", "name=Cr%C3%A8me%20br%C3%BBl%C3%A9e", "course=main", "course=dessert",
            "price_in_cents=800", "price_in_cents=1450", "is_available=true", "version=1", "version=2",
            "updated_at=2026-09-21T14%3A13%3A20.757Z", "sort=name", "limit=5",
        ]
        #expect(restaurant.requests == ["GET /menu_items?" + query.joined(separator: "&")])
        let key: [String: QueryKey.Segment] = [
            "id": .array([.string(id.uuidString.lowercased())]),
            "name": .array(["Crème brûlée"]),
            "course": .array(["dessert", "main"]),
            "price_in_cents": .array(["1450", "800"]),
            "is_available": .array(["true"]),
            "version": .array(["1", "2"]),
            "updated_at": .array(["2026-09-21T14:13:20.757Z"]),
            "sort": "name",
            "limit": 5,
        ]
        #expect(list.key == MenuItems.entity.keys.list(key))
    }

    @Test("what nobody asks for is neither sent nor in the key")
    func everything() async throws {
        let sync = try restaurant.client()
        _ = try await sync.queries.fetch(sync.orders.list())
        #expect(restaurant.requests == ["GET /orders"])
        #expect(sync.orders.list().key == Orders.entity.keys.list([:]))
    }

    @Test("a new order is shown at once in the lists that ask for one like it, and in no other")
    func place() async throws {
        let sync = try restaurant.client()
        let order = OrderCreate(table: "7", note: "Birthday")
        let all = sync.orders.list()
        let admitting: [Orders.Filter] = [
            .init(id: [order.id]), .init(table: ["7", "8"]), .init(note: ["Birthday"]), .init(status: [.open]),
        ]
        let others: [Orders.Filter] = [
            .init(id: [id]), .init(reference: ["ORD-000001"]), .init(table: ["8"]), .init(note: ["Window"]),
            .init(status: [.ready]), .init(version: [1]), .init(createdAt: [date]), .init(updatedAt: [date]),
            .init(note: ["Birthday"], createdAt: [date]),
        ]
        for filter in admitting + others { _ = try await sync.queries.fetch(sync.orders.list(filter)) }
        _ = try await sync.queries.fetch(all)
        restaurant.hold("POST /orders")
        let handle = sync.queries.start(sync.orders.create, order)
        for await snapshot in sync.queries.snapshots(of: all) where snapshot.data?.items.count == 1 { break }
        for filter in admitting {
            #expect(sync.queries.data(of: sync.orders.list(filter))?.items.map(\.id) == [order.id], "\(filter)")
        }
        for filter in others { #expect(sync.queries.data(of: sync.orders.list(filter))?.items == [], "\(filter)") }
        restaurant.release()
        try await handle.value()
    }
}
