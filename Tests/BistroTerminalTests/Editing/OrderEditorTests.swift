import BistroAPI
import TestSupport
import Testing
import TidingsSync

@testable import BistroTerminal

@Suite(.timeLimit(.patience))
struct OrderEditorTests {
    private let restaurant: MemoryRestaurant
    private let sync: SyncClient
    private let order = Order.test(1, items: [.test(1, "Burger", 2), .test(2, "Lemonade")])

    init() throws {
        restaurant = MemoryRestaurant(orders: [order])
        sync = try restaurant.client()
    }

    private func editor(_ terminal: MemoryTerminal) async throws -> OrderEditor {
        let order = try await sync.queries.fetch(sync.orders.detail(order.id, live: false))
        return OrderEditor(order, menu: Menu(dishes: restaurant.menu), sync, Dialogue(terminal, prompt: "> "))
    }

    /// Somebody else changes the order, and the client hears of it.
    private func change(_ changed: Order) {
        restaurant.change(changed)
        sync.queries.invalidate(.under(Orders.entity.keys.all))
    }

    @Test func savesFieldsAndDishes() async throws {
        let terminal = MemoryTerminal(isTerminal: false)
        let editor = try await editor(terminal)
        terminal.type("table 9\nnote Hot\nquantity 1 5\nremove 2\nadd lem 3\nsave\n")
        terminal.end()
        try await editor.run()
        let saved = restaurant.orders[0]
        #expect((saved.table, saved.note, saved.dishes) == ("9", "Hot", "5 Burger, 3 Lemonade"))
        #expect(terminal.look.output.contains("Saved: ORD-000001 is at version 5."))
        #expect(terminal.look.errors == [])
        #expect(await editor.failures == 0)
    }

    @Test func fetchesNothingWhileItIsChanged() async throws {
        let terminal = MemoryTerminal()
        let editor = try await editor(terminal)
        let running = Task { try await editor.run() }
        terminal.type("note Hot\r")
        await terminal.shows("* note    Hot  was none")
        change(order.changed(table: "20"))
        await terminal.shows("! Changed by somebody else: `reload`, or `save` anyway will conflict.")
        #expect(restaurant.requests.count { $0.hasPrefix("GET /orders/") } == 1)
        #expect(terminal.look.screen.text.contains("  table   7"))
        // The draft is kept.
        terminal.type("reload\r")
        await terminal.shows("They changed table: 7 → 20")
        await terminal.shows("  table   20")
        await terminal.hides("! Changed")
        #expect(terminal.look.screen.text.contains("* note    Hot  was none"))
        terminal.type("save\r")
        await terminal.shows("Saved: ORD-000001 is at version 3.")
        terminal.type("quit\r")
        try await running.value
        #expect(restaurant.orders[0].note == "Hot")
        #expect(terminal.look.screen.surprises == [])
    }

    @Test func showsAConflictFieldByField() async throws {
        let terminal = MemoryTerminal(columns: 100, rows: 20)
        let editor = try await editor(terminal)
        let running = Task { try await editor.run() }
        terminal.type("note mine\rtable 9\r")
        await terminal.shows("* note    mine")
        restaurant.change(order.changed(table: "20", note: "theirs"))
        terminal.type("save\r")
        await terminal.shows("Not saved: somebody else was faster. Choose `mine` or `theirs`, then `save` again.")
        await terminal.shows("? 1  table: yours 9, theirs 20\n? 2  note: yours mine, theirs theirs")
        terminal.type("save\r")
        await terminal.shows("Choose what to keep")
        // They are on the screen: that is no news any more.
        #expect(!terminal.look.screen.text.contains("! Changed"))
        terminal.type("theirs table\rmine 2\rsave\r")
        await terminal.shows("Saved: ORD-000001 is at version 3.")
        await terminal.hides("Changed here and by somebody else")
        #expect(restaurant.orders[0].table == "20")
        #expect(restaurant.orders[0].note == "mine")
        terminal.type("\u{4}")
        try await running.value
    }

    @Test func savesAgainWhatNobodyElseTouched() async throws {
        let terminal = MemoryTerminal(isTerminal: false)
        let editor = try await editor(terminal)
        restaurant.change(order.changed(status: .preparing))
        terminal.type("note mine\nsave\nsave\n")
        terminal.end()
        try await editor.run()
        #expect(terminal.look.output.contains("They changed status: open → preparing"))
        #expect(!terminal.look.output.contains("was changed by somebody else"))
        #expect(
            terminal.look.errors == [
                "Not saved: somebody else was faster. That does not touch what you changed: `save` again."
            ]
        )
        #expect(restaurant.orders[0].note == "mine")
        #expect(restaurant.orders[0].status == .preparing)
    }

    /// What counts is the version that was shown, not the newest one that the client happens to know.
    @Test func conflictsWithWhatWasLearnedElsewhere() async throws {
        let terminal = MemoryTerminal()
        let editor = try await editor(terminal)
        let running = Task { try await editor.run() }
        await terminal.shows("version 1")
        let theirs = order.changed(note: "theirs")
        restaurant.change(theirs)
        sync.queries.setData(theirs, for: sync.orders.detail(order.id))
        await terminal.shows("! Changed by somebody else")
        terminal.type("note mine\rsave\r")
        await terminal.shows("Not saved: somebody else was faster.")
        #expect(restaurant.orders[0] == theirs)
        terminal.type("quit\rquit\r")
        try await running.value
    }

    /// Dishes have requests of their own, but nothing of them is sent on top of what nobody here has seen.
    @Test func changesNoDishOfAnOrderThatHasChanged() async throws {
        let terminal = MemoryTerminal(isTerminal: false)
        let editor = try await editor(terminal)
        let theirs = order.changed(items: [.test(1, "Burger", 9)])
        restaurant.change(theirs)
        terminal.type("quantity 1 5\nsave\nquit\n")
        try await editor.run()
        #expect(restaurant.orders[0] == theirs)
        #expect(terminal.look.output.contains("? 1  Burger: yours 5 ×, theirs 9 ×"))
    }

    @Test func keepsTheRestWhereADishIsRefused() async throws {
        let terminal = MemoryTerminal(isTerminal: false)
        let editor = try await editor(terminal)
        restaurant.refuse("DELETE /orders/", .problem(503, "busy", "Too much to do."))
        terminal.type("note Hot\nquantity 1 5\nremove 2\nsave\nshow\n")
        terminal.end()
        await #expect(throws: CommandFailure("ORD-000001 was changed and not saved.")) { try await editor.run() }
        #expect(restaurant.orders[0].note == "Hot")
        #expect(restaurant.orders[0].dishes == "5 Burger, 1 Lemonade")
        #expect(terminal.look.errors == ["Too much to do."])
        #expect(terminal.look.output.hasSuffix("  1  5 × Burger\n* 2  removed Lemonade  was 1 ×\n"))
    }

    @Test func keepsTheDraftWhileTheServerIsAway() async throws {
        let terminal = MemoryTerminal(isTerminal: false)
        let editor = try await editor(terminal)
        restaurant.refuse("PATCH", .unreachable)
        terminal.type("note Hot\nsave\nquit\n")
        try await editor.run()
        #expect(terminal.look.errors == ["The server cannot be reached, or the connection was lost."])
        #expect(await editor.failures == 1)
        #expect(restaurant.orders[0].note == nil)
    }

    @Test func saysThatTheOrderIsGone() async throws {
        let terminal = MemoryTerminal()
        let editor = try await editor(terminal)
        let running = Task { try await editor.run() }
        terminal.type("note Hot\r")
        await terminal.shows("* note")
        restaurant.delete(order.id)
        terminal.type("save\r")
        await terminal.shows("! Deleted by somebody else: there is nothing to save any more.")
        terminal.type("quit\rquit\r")
        try await running.value
    }

    @Test func saysThatItWaits() async throws {
        let terminal = MemoryTerminal()
        let editor = try await editor(terminal)
        let running = Task { try await editor.run() }
        restaurant.hold("PATCH")
        terminal.type("note Hot\rsave\r")
        await terminal.shows("One moment…")
        restaurant.release()
        await terminal.hides("One moment…")
        await terminal.shows("  note    Hot")
        terminal.type("quit\r")
        try await running.value
    }

    @Test func asksBeforeADraftIsDropped() async throws {
        let terminal = MemoryTerminal()
        let editor = try await editor(terminal)
        let running = Task { try await editor.run() }
        terminal.type("note Hot\rquit\r")
        await terminal.shows("What you changed is not saved: `save`, or `quit` once more.")
        terminal.type("quit\r")
        try await running.value
    }

    @Test func isNotStaleByItsOwnChanges() async throws {
        let terminal = MemoryTerminal(isTerminal: false)
        let editor = try await editor(terminal)
        terminal.type("add lem\nsave\nnote Hot\nsave\nshow\n")
        terminal.end()
        try await editor.run()
        #expect(!terminal.look.output.contains("changed by somebody else"))
        #expect(restaurant.orders[0].dishes == "2 Burger, 1 Lemonade, 1 Lemonade")
    }

    @Test(arguments: [
        ("status served", "What is open can become preparing or cancelled."),
        ("remove 3", "There is no dish number 3."),
        ("mine", "There is no such conflict."), ("sing", "What is sing? `help` says what can be done."),
        ("add pizza", "There is no pizza on the menu."),
    ])
    func refuses(_ line: String, _ sentence: String) async throws {
        let terminal = MemoryTerminal(isTerminal: false)
        let editor = try await editor(terminal)
        terminal.type(line + "\n")
        terminal.end()
        try await editor.run()
        #expect(terminal.look.errors == [sentence])
    }
}
