import BistroAPI
import Foundation
import SocketTestSupport
import TestSupport
import Testing
import TidingsQuerySQLite
import TidingsSync

@Suite("Screens of a server that is killed", .timeLimit(.patience), .serialized)
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
        try await withCacheFile { file in
            let order = OrderCreate(table: "7")
            let before = try await screen(of: server, keepingIn: file)
            try await before.connected()
            before.requests.lose(.everything)
            _ = before.sync.queries.start(before.sync.orders.create, order)
            try await eventually("the change is on its way") { before.asked.count("POST /orders") == 1 }
            await before.sync.queries.flush()
            await before.end()
            let after = try await screen(of: server, keepingIn: file)
            let list = after.observe(after.sync.orders.list(.init(table: ["7"])))
            try await list.shows("the order has been made") {
                $0.data?.items.map(\.id) == [order.id] && $0.data?.items.first?.reference.isEmpty == false
            }
            #expect(after.sync.queries.mutations().allSatisfy { !$0.status.isPending || $0.status == .sending })
            await after.end()
        }
        #expect(try await server.stop() == 0)
    }

    @Test("a change that was made before the client ended, and answered after, is the same change in the next one")
    func answeredAfterTheEnd() async throws {
        let server = try await BistroServer.start()
        let order = try #require(UUID(uuidString: try await server.openOrder(table: "7")))
        let path = "/orders/\(order.uuidString.lowercased())"
        try await withCacheFile { file in
            let before = try await screen(of: server, keepingIn: file) {
                $0.mutations.retry = RetryPolicy(retries: nil, delay: .fixed(.seconds(600)))
            }
            let shown = before.observe(before.sync.orders.detail(order))
            try await shown.shows("the order is there") { $0.data?.version == 1 }
            try await before.connected()
            before.requests.loseAnswer(to: "PATCH /orders")
            _ = before.sync.queries.start(before.sync.orders.update, .init(order, OrderUpdate(note: .to("mine"))))
            // Somebody else goes on from there, and the client hears of it.
            try await eventually("it was made") { try await server.request("GET", path)["version"] as? Int == 2 }
            _ = try await server.request("POST", path + "/items", ["name": "Burger", "quantity": 1])
            try await shown.shows("somebody else's change has come") { $0.data?.version == 3 }
            await before.sync.queries.flush()
            await before.end()
            let after = try await screen(of: server, keepingIn: file)
            let again = after.observe(after.sync.orders.detail(order))
            try await eventually("the change is confirmed") {
                after.asked.count("PATCH \(path)") == 1
                    && after.sync.queries.mutations().allSatisfy { $0.status == .confirmed }
            }
            try await again.shows("it was made once") {
                $0.data?.version == 3 && $0.data?.note == "mine" && !$0.hasOptimisticChanges
            }
            await after.end()
        }
        #expect(try await server.request("GET", path)["version"] as? Int == 3)
        #expect(try await server.stop() == 0)
    }

    // MARK: Parts

    private func withCacheFile(_ body: (String) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        try await body(folder.file("cache.sqlite"))
    }

    private func screen(
        of server: BistroServer,
        keepingIn file: String,
        _ configure: (inout SyncClient.Configuration) -> Void = { _ in }
    ) async throws -> SyncScreen {
        let persister = try SQLiteQueryPersister(path: file)
        let screen = try await SyncScreen(of: server.port) {
            $0.queries.persister = persister
            configure(&$0)
        }
        screen.sync.orders.registerMutations()
        return screen
    }
}
