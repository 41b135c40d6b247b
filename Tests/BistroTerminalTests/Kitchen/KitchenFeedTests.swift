import BistroAPI
import TestSupport
import Testing
import TidingsSync

@testable import BistroTerminal

@Suite(.timeLimit(.patience))
struct KitchenFeedTests {
    @Test func printsALineForEachChange() async throws {
        let restaurant = MemoryRestaurant(orders: [.test(1, items: [.test(1, "Burger", 2)])])
        let (sync, terminal) = (try restaurant.client(), MemoryTerminal(isTerminal: false))
        let feed = KitchenFeed(query: sync.orders.kitchen(tables: []), sync: sync, terminal: terminal)
        let running = Task { try await feed.run() }
        await terminal.writes("ORD-000001 appeared: table 7, open, 2 Burger\n")

        restaurant.change(restaurant.orders[0].changed(status: .ready))
        sync.queries.invalidate(.under(Orders.entity.keys.lists))
        await terminal.writes("ORD-000001 ready\n")

        restaurant.delete(.test(1))
        sync.queries.invalidate(.under(Orders.entity.keys.lists))
        await terminal.writes("ORD-000001 left\n")
        #expect(terminal.look.output.split(separator: "\n").count == 3)
        running.cancel()
        try await running.value
    }

    @Test func saysOnceThatItIsNotUpToDate() async throws {
        let restaurant = MemoryRestaurant(orders: [.test(1)])
        let (sync, terminal) = (try restaurant.client(), MemoryTerminal(isTerminal: false))
        let feed = KitchenFeed(query: sync.orders.kitchen(tables: []), sync: sync, terminal: terminal)
        let running = Task { try await feed.run() }
        await terminal.writes("ORD-000001 appeared")
        restaurant.refuse("GET /orders", .unreachable)
        for _ in 0..<2 { await sync.queries.invalidate(.under(Orders.entity.keys.lists)).finished() }
        restaurant.accept()
        restaurant.change(restaurant.orders[0].changed(status: .ready))
        sync.queries.invalidate(.under(Orders.entity.keys.lists))
        await terminal.writes("ORD-000001 ready")
        let sentence = "Not up to date: The server cannot be reached, or the connection was lost."
        #expect(terminal.look.errors == [sentence])
        #expect(!terminal.look.output.contains("left"))
        running.cancel()
        try await running.value
    }

    @Test func endsWhenNobodyReads() async throws {
        let restaurant = MemoryRestaurant(orders: [.test(1)])
        let (sync, terminal) = (try restaurant.client(), MemoryTerminal(isTerminal: false))
        terminal.close()
        let feed = KitchenFeed(query: sync.orders.kitchen(tables: []), sync: sync, terminal: terminal)
        await #expect(throws: TerminalClosed.self) { try await feed.run() }
    }
}
