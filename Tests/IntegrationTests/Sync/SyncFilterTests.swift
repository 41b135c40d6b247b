import BistroAPI
import Foundation
import TestSupport
import Testing
import TidingsSync

@Suite("Filters of lists", .timeLimit(.patience))
struct SyncFilterTests {
    @Test("each finds what has the value, and nothing else")
    func filters() async throws {
        let server = try await BistroServer.start()
        let sync = try SyncClient(baseURL: server.page)
        let orders = try await sync.queries.fetch(sync.orders.list()).items
        #expect(!orders.isEmpty)
        for order in orders {
            let filters: [(Orders.Filter, (Order) -> Bool)] = [
                (.init(id: [order.id]), { $0.id == order.id }),
                (.init(reference: [order.reference]), { $0.reference == order.reference }),
                (.init(table: [order.table]), { $0.table == order.table }),
                (.init(note: order.note.map { [$0] } ?? []), { order.note == nil || $0.note == order.note }),
                (.init(status: [order.status]), { $0.status == order.status }),
                (.init(version: [order.version]), { $0.version == order.version }),
                (.init(createdAt: [order.createdAt]), { $0.createdAt == order.createdAt }),
                (.init(updatedAt: [order.updatedAt]), { $0.updatedAt == order.updatedAt }),
            ]
            for (filter, condition) in filters {
                let found = try await sync.queries.fetch(sync.orders.list(filter)).items
                #expect(found == orders.filter(condition), "\(filter)")
            }
        }
        #expect(try await server.stop() == 0)
    }

    @Test("dishes: each finds what has the value, and nothing else")
    func dishes() async throws {
        let server = try await BistroServer.start()
        let sync = try SyncClient(baseURL: server.page)
        let dishes = try await sync.queries.fetch(sync.menuItems.list()).items
        #expect(!dishes.isEmpty)
        for dish in dishes {
            let filters: [(MenuItems.Filter, (MenuItem) -> Bool)] = [
                (.init(id: [dish.id]), { $0.id == dish.id }),
                (.init(name: [dish.name]), { $0.name == dish.name }),
                (.init(course: [dish.course]), { $0.course == dish.course }),
                (.init(priceInCents: [dish.priceInCents]), { $0.priceInCents == dish.priceInCents }),
                (.init(isAvailable: [dish.isAvailable]), { $0.isAvailable == dish.isAvailable }),
                (.init(version: [dish.version]), { $0.version == dish.version }),
                (.init(updatedAt: [dish.updatedAt]), { $0.updatedAt == dish.updatedAt }),
            ]
            for (filter, condition) in filters {
                let found = try await sync.queries.fetch(sync.menuItems.list(filter)).items
                #expect(found == dishes.filter(condition), "\(filter)")
            }
        }
        #expect(try await server.stop() == 0)
    }
}
