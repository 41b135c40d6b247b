import BistroAPI
import TestSupport
import Testing
import TidingsSync

@testable import BistroTerminal

@Suite(.timeLimit(.patience))
struct KitchenScreenTests {
    private let restaurant = MemoryRestaurant(orders: [.test(1), .test(2, table: "9", status: .preparing)])
    private let terminal = MemoryTerminal()
    private let sync: SyncClient
    private let screen: KitchenScreen

    init() throws {
        sync = try restaurant.client()
        screen = KitchenScreen(sync.orders.kitchen(tables: []), tables: [], of: sync, on: terminal, now: { noon })
    }

    @Test func showsAnAdvanceBeforeTheAnswer() async throws {
        let running = Task { try await screen.run() }
        await terminal.shows("  ORD-000001  7      open")
        restaurant.hold("POST /orders")
        terminal.type("\u{1B}[B\r")
        await terminal.shows("~ ORD-000001  7      preparing")
        // The second press of two.
        terminal.type("\r")
        await terminal.shows("ORD-000001 is on its way already.")
        restaurant.release()
        await terminal.shows("  ORD-000001  7      preparing")
        #expect(restaurant.orders[0].status == .preparing)
        terminal.type("q")
        try await running.value
        #expect(terminal.look.screen.surprises == [])
    }

    /// Both come before anything else is known of the first.
    @Test func takesTwoQuickPressesForOne() async throws {
        let running = Task { try await screen.run() }
        await terminal.shows("ORD-000001")
        terminal.type("j\r\r")
        await terminal.shows("ORD-000001 is on its way already.")
        await terminal.shows("  ORD-000001  7      preparing")
        terminal.type("q")
        try await running.value
        #expect(restaurant.orders[0].status == .preparing)
    }

    @Test func takesARefusedAdvanceBack() async throws {
        let running = Task { try await screen.run() }
        await terminal.shows("ORD-000001")
        restaurant.refuse("POST /orders", .problem(503, "busy", "Too much to do."))
        terminal.type("j ")
        await terminal.shows("ORD-000001 is open as before: Too much to do.")
        await terminal.shows("  ORD-000001  7      open")
        terminal.type("q")
        try await running.value
    }

    @Test func waitsForTheAnswerBeforeItEnds() async throws {
        let running = Task { try await screen.run() }
        await terminal.shows("ORD-000001")
        restaurant.hold("POST /orders")
        terminal.type("j\rq")
        await terminal.shows("Waiting for the answer")
        restaurant.release()
        try await running.value
        #expect(restaurant.orders[0].status == .preparing)
    }

    @Test func givesTheTerminalBack() async throws {
        let running = Task { try await screen.run() }
        await terminal.shows("ORD-000001")
        #expect(terminal.readsKeys)
        #expect(terminal.look.screen.isAlternate)
        #expect(!terminal.look.screen.showsCursor)
        running.cancel()
        try await running.value
        #expect(!terminal.readsKeys)
        #expect(!terminal.look.screen.isAlternate)
        #expect(terminal.look.screen.showsCursor)
    }

    @Test func followsTheSizeOfTheTerminal() async throws {
        let running = Task { try await screen.run() }
        await terminal.shows("ORD-000001")
        terminal.resize(columns: 40, rows: 5)
        await screen.redraw()
        #expect(terminal.look.screen.lines.count == 5)
        #expect(terminal.look.screen.text.contains("9      preparing"))
        #expect(terminal.look.screen.surprises == [])
        running.cancel()
        try await running.value
    }

    @Test func writesNoControlsOfTheData() async throws {
        restaurant.change(restaurant.orders[0].changed(note: "\u{1B}]0;owned\u{7}\u{9B}31m"))
        let running = Task { try await screen.run() }
        await terminal.shows("]0;owned")
        #expect(terminal.look.screen.surprises == [])
        running.cancel()
        try await running.value
    }

    @Test func saysWhatIsNotUpToDate() async throws {
        let running = Task { try await screen.run() }
        await terminal.shows("ORD-000001")
        restaurant.refuse("GET /orders", .unreachable)
        sync.queries.invalidate(.under(Orders.entity.keys.lists))
        await terminal.shows("Not up to date: The server cannot be reached")
        restaurant.accept()
        sync.queries.invalidate(.under(Orders.entity.keys.lists))
        await terminal.hides("Not up to date")
        running.cancel()
        try await running.value
    }

    @Test func endsWhenTheTerminalIsGone() async throws {
        let running = Task { try await screen.run() }
        await terminal.shows("ORD-000001")
        terminal.close()
        terminal.type("j")
        await #expect(throws: TerminalClosed.self) { try await running.value }
    }
}
