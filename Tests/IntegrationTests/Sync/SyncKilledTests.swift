import BistroAPI
import Foundation
import SocketTestSupport
import Testing
import TidingsQuerySQLite
import TidingsSync

@Suite("Screens of a server that is killed", .timeLimit(.minutes(3)), .serialized)
struct SyncKilledTests {
    @Test(
        "a change during which the server dies is made once, and every screen agrees with the database",
        arguments: ["before it came", "after it was made"]
    )
    func killed(moment: String) async throws {
        var server = try await BistroServer.start()
        let order = try #require(UUID(uuidString: try await server.openOrder(table: "7")))
        let screens = [try await SyncScreen(of: server.port), try await SyncScreen(of: server.port)]
        let details = screens.map { $0.observe($0.sync.orders.detail(order)) }
        for detail in details { try await detail.shows("the order is there") { $0.data != nil } }
        for screen in screens { try await screen.connected() }
        if moment == "before it came" {
            screens[0].requests.lose(.everything)
        } else {
            screens[0].requests.loseAnswer(to: "POST /orders")
        }
        let sync = screens[0].sync
        let item = OrderItemCreate(name: "Burger", quantity: 2)
        let handle = sync.queries.start(sync.orders.addItem, .init(to: order, item))
        try await details[0].shows("the burger is there at once") { $0.data?.items.map(\.id) == [item.id] }
        if moment == "after it was made" {
            try await details[1].shows("the burger has come") { $0.data?.items.map(\.id) == [item.id] }
        }
        server = try await server.killAndRestart()
        #expect(details[0].data?.items.map(\.id) == [item.id])
        screens[0].requests.heal()
        screens[0].requests.cut()
        #expect(try await handle.value().quantity == 2)
        for detail in details {
            try await detail.shows("one burger, for sure") {
                $0.data?.items.map(\.id) == [item.id] && !$0.hasOptimisticChanges && !$0.isFetching && !$0.isStale
            }
        }
        let kept = try await server.request("GET", "/orders/\(order.uuidString.lowercased())")
        #expect((kept["items"] as? [Any])?.count == 1)
        #expect(kept["version"] as? Int == 2)
        #expect(details.map { $0.data?.version } == [2, 2])
        for screen in screens { await screen.end() }
        #expect(try await server.stop() == 0)
    }

    @Test("a change that is kept in a file outlives the client that made it, and is made once")
    func clientKilled() async throws {
        let server = try await BistroServer.start()
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("cache-\(UUID().uuidString).sqlite")
        defer {
            for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file.path + suffix) }
        }
        let order = OrderCreate(table: "7")
        do {
            let persister = try SQLiteQueryPersister(path: file.path)
            let screen = try await SyncScreen(of: server.port) { $0.queries.persister = persister }
            screen.sync.orders.registerMutations()
            try await screen.connected()
            screen.requests.lose(.everything)
            _ = screen.sync.queries.start(screen.sync.orders.create, order)
            try await eventually("the change is on its way") { screen.asked.count("POST /orders") == 1 }
            await screen.sync.queries.flush()
            await screen.end()
        }
        let persister = try SQLiteQueryPersister(path: file.path)
        let screen = try await SyncScreen(of: server.port) { $0.queries.persister = persister }
        screen.sync.orders.registerMutations()
        let list = screen.observe(screen.sync.orders.list(.init(table: ["7"])))
        try await list.shows("the order has been made") {
            $0.data?.items.map(\.id) == [order.id] && $0.data?.items.first?.reference.isEmpty == false
        }
        #expect(screen.sync.queries.mutations().allSatisfy { !$0.status.isPending || $0.status == .sending })
        await screen.end()
        #expect(try await server.stop() == 0)
    }
}
