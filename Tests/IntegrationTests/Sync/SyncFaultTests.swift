import BistroAPI
import Foundation
import SocketTestSupport
import TestSupport
import Testing
import TidingsSync

@Suite("Screens of one server", .timeLimit(.patience))
struct SyncFaultTests {
    /// A server for a test.
    private func serve(_ body: (RestaurantServer) async throws -> Void) async throws {
        let server = try await RestaurantServer()
        try await server.start()
        do {
            try await body(server)
        } catch {
            try await server.close()
            throw error
        }
        try await server.close()
    }

    @Test("each shows what the others change, and their own changes at once")
    func severalScreens() async throws {
        try await serve { server in
            let screens = [try await SyncScreen(of: server.port), try await SyncScreen(of: server.port)]
            let lists = screens.map { $0.observe($0.sync.orders.list()) }
            for screen in screens { try await screen.connected() }
            let order = OrderCreate(table: "7")
            let handle = screens[0].sync.queries.start(screens[0].sync.orders.create, order)
            try await lists[0].shows("the order is there at once") { $0.data?.items.map(\.id) == [order.id] }
            try await lists[1].shows("the order is there") { $0.data?.items.map(\.table) == ["7"] }
            #expect(try await handle.value().reference == "ORD-000001")
            try await screens[1].sync.queries.mutate(screens[1].sync.orders.transition, .init(order.id, to: .preparing))
            try await lists[0].shows("it is being prepared") { $0.data?.items.map(\.status) == [.preparing] }
            try await screens[0].sync.queries.mutate(
                screens[0].sync.orders.addItem,
                .init(to: order.id, OrderItemCreate(name: "Burger", quantity: 2))
            )
            try await lists[1].shows("it has a burger") { $0.data?.items.first?.items.map(\.name) == ["Burger"] }
            for screen in screens { await screen.end() }
        }
    }

    @Test("a cut of ten seconds with a hundred changes: resumed, exactly the changed orders are fetched")
    func resumed() async throws {
        try await serve { server in
            let tables = (1...5).map { "\($0)" }
            var orders: [UUID] = []
            for table in tables { orders.append(try await server.openOrder(table: table)) }
            let screen = try await SyncScreen(of: server.port)
            let details = orders.map { screen.observe(screen.sync.orders.detail($0)) }
            for detail in details { try await detail.shows("the order is there") { $0.data != nil && !$0.isFetching } }
            try await screen.connected()
            try await server.note("before", on: orders)
            for detail in details {
                try await detail.shows("it is noted") { $0.data?.note == "before" && !$0.isFetching }
            }
            screen.broadcasts.refuse()
            screen.broadcasts.cut()
            try await screen.disconnected()
            screen.asked.clear()
            for number in 1...50 {
                try await server.note("change \(number)", on: Array(orders.prefix(2)))
                // How often something changes, not how long anything may take.
                try await Task.sleep(for: .milliseconds(200))
            }
            screen.broadcasts.heal()
            for detail in details.prefix(2) {
                try await detail.shows("the last change") { $0.data?.note == "change 50" && !$0.isStale }
            }
            try await screen.connected()
            #expect(details.dropFirst(2).map { $0.data?.note } == ["before", "before", "before"])
            let asked = Set(screen.asked.all)
            #expect(asked == Set(orders.prefix(2).map { "GET /orders/\($0.uuidString.lowercased())" }))
            // Fifty events each, heard at once.
            #expect(screen.asked.all.count <= 6)
            await screen.end()
        }
    }

    @Test("past what the server remembers, everything of the channel is fetched once, and nothing else")
    func notResumed() async throws {
        try await serve { server in
            let orders = [try await server.openOrder(table: "1"), try await server.openOrder(table: "2")]
            let screen = try await SyncScreen(of: server.port)
            let details = orders.map { screen.observe(screen.sync.orders.detail($0)) }
            let menu = screen.observe(screen.sync.menuItems.list())
            for detail in details { try await detail.shows("the order is there") { $0.data != nil && !$0.isFetching } }
            try await menu.shows("the menu is there") { $0.data != nil }
            try await screen.connected()
            try await server.note("before", on: orders)
            for detail in details {
                try await detail.shows("it is noted") { $0.data?.note == "before" && !$0.isFetching }
            }
            screen.broadcasts.refuse()
            screen.broadcasts.cut()
            try await screen.disconnected()
            screen.asked.clear()
            screen.answered.clear()
            try await server.stop()
            try await server.note("meanwhile", on: Array(orders.prefix(1)))
            try await server.loseHistory()
            try await server.start()
            screen.broadcasts.heal()
            try await details[0].shows("what happened") {
                $0.data?.note == "meanwhile" && !$0.isFetching && !$0.isStale
            }
            try await details[1].shows("what did not") { !$0.isFetching && !$0.isStale }
            try await screen.connected()
            let paths = orders.map { "GET /orders/\($0.uuidString.lowercased())" }
            #expect(paths.map { screen.answered.count($0) } == [1, 1], "of \(screen.asked.all)")
            await screen.end()
        }
    }

    @Test("without broadcasts there is polling, and with them there is not")
    func polling() async throws {
        try await serve { server in
            let order = try await server.openOrder(table: "1")
            let screen = try await SyncScreen(of: server.port)
            let detail = screen.observe(screen.sync.orders.detail(order))
            let fallback = PollingFallback(of: ["orders"], every: .milliseconds(30), in: screen.sync)
            try await screen.connected()
            try await detail.shows("the order is there") { $0.data != nil }
            screen.broadcasts.refuse()
            screen.broadcasts.cut()
            for number in 1...3 {
                try await server.note("\(number)", on: [order])
                try await detail.shows("the change") { $0.data?.note == "\(number)" }
            }
            screen.broadcasts.heal()
            try await screen.connected()
            try await server.note("last", on: [order])
            try await detail.shows("the change that was heard of") { $0.data?.note == "last" && !$0.isFetching }
            // Each is fetched because it was heard of, and in all that time nothing else is. What polling began last may
            // still be under way the first time.
            try await eventually("polling has ended") {
                screen.asked.clear()
                for number in 1...20 {
                    let note = "heard \(number), \(UUID())"
                    try await server.note(note, on: [order])
                    try await detail.shows("the change") { $0.data?.note == note && !$0.isFetching }
                }
                return screen.asked.all.count == 20
            }
            withExtendedLifetime(fallback) {}
            await screen.end()
        }
    }

    @Test("a network that is slow, that closes half a connection, or that is silent keeps no screen wrong")
    func otherFaults() async throws {
        try await serve { server in
            let order = try await server.openOrder(table: "1")
            let screen = try await SyncScreen(of: server.port, noticesSilence: true)
            let detail = screen.observe(screen.sync.orders.detail(order))
            try await screen.connected()
            try await detail.shows("the order is there") { $0.data != nil }
            for proxy in [screen.broadcasts, screen.requests] { proxy.delay(by: .milliseconds(50)) }
            try await server.note("slow", on: [order])
            try await detail.shows("what came late") { $0.data?.note == "slow" }
            screen.broadcasts.heal()
            screen.requests.heal()
            screen.broadcasts.halfClose()
            try await server.note("half", on: [order])
            try await detail.shows("what happened meanwhile") { $0.data?.note == "half" }
            try await screen.connected()
            // Nobody closes this one: only its silence tells.
            screen.broadcasts.lose(.everything)
            try await server.note("silent", on: [order])
            try await screen.disconnected()
            screen.broadcasts.heal()
            try await detail.shows("what was swallowed") { $0.data?.note == "silent" }
            await screen.end()
        }
    }

    @Test("a change whose answer is lost is pending until it is known, and made once")
    func lostAnswer() async throws {
        try await serve { server in
            let screen = try await SyncScreen(of: server.port)
            let list = screen.observe(screen.sync.orders.list())
            try await screen.connected()
            try await list.shows("nothing") { $0.data?.items.isEmpty == true }
            screen.requests.loseAnswer(to: "POST /orders")
            let order = OrderCreate(table: "7")
            let handle = screen.sync.queries.start(screen.sync.orders.create, order)
            try await list.shows("it is there at once") { $0.data?.items.map(\.id) == [order.id] }
            #expect(try await handle.value().id == order.id)
            #expect(screen.asked.count("POST /orders") == 2)
            try await list.shows("one order") { $0.data?.items.map(\.reference) == ["ORD-000001"] && !$0.isStale }
            await screen.end()
        }
    }

    @Test("a server that stops during a change: it stays pending, and is rolled back where that is asked for")
    func stopped() async throws {
        try await serve { server in
            let patient = try await SyncScreen(of: server.port)
            let hasty = try await SyncScreen(of: server.port) { $0.mutations.retry = .never }
            let order = try await server.openOrder(table: "1")
            let details = [patient, hasty].map { $0.observe($0.sync.orders.detail(order)) }
            for detail in details { try await detail.shows("the order is there") { $0.data != nil } }
            for screen in [patient, hasty] { try await screen.connected() }
            try await server.stop()
            let handles = [patient, hasty].map { screen in
                screen.sync.queries.start(
                    screen.sync.orders.update,
                    .init(order, OrderUpdate(note: .to("from \(screen === patient ? "patient" : "hasty")")))
                )
            }
            await #expect(throws: APIError.self) { try await handles[1].value() }
            #expect(details[1].data?.note == nil)
            #expect(details[0].data?.note == "from patient")
            #expect(details[0].hasOptimisticChanges)
            try await server.start()
            #expect(try await handles[0].value().note == "from patient")
            for detail in details {
                try await detail.shows("what was made") { $0.data?.note == "from patient" && $0.data?.version == 2 }
            }
            for screen in [patient, hasty] { await screen.end() }
        }
    }
}
