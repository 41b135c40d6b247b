import BistroAPI
import TestSupport
import Testing
import TidingsSync

@testable import BistroTerminal

@Suite(.timeLimit(.patience))
struct OrderEntryTests {
    private let restaurant = MemoryRestaurant()
    private let sync: SyncClient

    init() throws {
        sync = try restaurant.client()
    }

    private func entry(_ terminal: MemoryTerminal, note: String? = nil) async throws -> OrderEntry {
        try await sync.queries.fetch(sync.orders.entry(table: "7"))
        let dialogue = Dialogue(terminal, prompt: "> ")
        return OrderEntry(table: "7", note: note, menu: Menu(dishes: restaurant.menu), sync, dialogue)
    }

    @Test func showsEachDishBeforeTheAnswer() async throws {
        let terminal = MemoryTerminal()
        let entry = try await entry(terminal)
        let running = Task { await entry.run() }
        await terminal.shows("nothing ordered yet")
        restaurant.hold("POST /orders")
        terminal.type("bur 2\r")
        await terminal.shows("~ Table 7  open\n~ 1  2 × Burger\n~ not confirmed yet")
        terminal.type("lem\r")
        await terminal.shows("~ 2  1 × Lemonade")
        restaurant.release()
        await terminal.shows("  Table 7  ORD-000001  open\n  1  2 × Burger\n  2  1 × Lemonade\n>")
        terminal.type("send\r")
        await running.value
        #expect(await entry.result() == restaurant.orders[0])
        #expect(await entry.failures == 0)
        #expect(terminal.look.screen.surprises == [])
        #expect(!terminal.readsKeys)
    }

    @Test(arguments: 0..<10)
    func showsDishesInTheOrderInWhichTheyWereTyped(_ time: Int) async throws {
        let terminal = MemoryTerminal()
        let entry = try await entry(terminal)
        let running = Task { await entry.run() }
        restaurant.hold("POST /orders")
        terminal.type((1...6).map { "bur \($0)\r" }.joined())
        await terminal.shows((1...6).map { "~ \($0)  \($0) × Burger" }.joined(separator: "\n"))
        restaurant.release()
        terminal.type("send\r")
        await running.value
        #expect(restaurant.orders[0].items.map(\.quantity) == Array(1...6))
    }

    @Test func takesARefusedDishBack() async throws {
        let terminal = MemoryTerminal()
        let entry = try await entry(terminal)
        let running = Task { await entry.run() }
        terminal.type("bur\r")
        await terminal.shows("  1  1 × Burger\n>")
        restaurant.refuse("POST /orders/", .problem(409, "order_closed", "The order is closed."))
        terminal.type("lem\r")
        await terminal.shows("1 Lemonade was not added: The order is closed.")
        await terminal.hides("1 × Lemonade")
        terminal.type("send\r")
        await running.value
        #expect(await entry.failures == 1)
        #expect(await entry.result()?.dishes == "1 Burger")
    }

    @Test func givesUpTheDishesOfAnOrderThatWasRefused() async throws {
        let terminal = MemoryTerminal()
        let entry = try await entry(terminal)
        let running = Task { await entry.run() }
        restaurant.refuse("POST /orders", .problem(409, "kitchen_closed", "The kitchen is closed."))
        restaurant.hold("POST /orders")
        terminal.type("bur\rlem\r")
        await terminal.shows("~ 2  1 × Lemonade")
        restaurant.release()
        await terminal.shows("Nothing was ordered (1 Burger, 1 Lemonade): The kitchen is closed.")
        await terminal.shows("nothing ordered yet")
        // The next one begins again.
        restaurant.accept()
        terminal.type("lem 3\r")
        await terminal.shows("  1  3 × Lemonade\n>")
        terminal.type("send\r")
        await running.value
        #expect(restaurant.orders.map(\.dishes) == ["3 Lemonade"])
        #expect(await entry.failures == 1)
    }

    @Test func changesTheNoteAndTakesDishesBack() async throws {
        let terminal = MemoryTerminal()
        let entry = try await entry(terminal)
        let running = Task { await entry.run() }
        terminal.type("bur 2\rlem\rnote No ice\r")
        await terminal.shows("  Note: No ice\n  1  2 × Burger\n  2  1 × Lemonade\n>")
        terminal.type("remove 1\rremove 7\r")
        await terminal.shows("There is no dish number 7.")
        await terminal.shows("  Note: No ice\n  1  1 × Lemonade\n>")
        terminal.type("note\r")
        await terminal.hides("  Note")
        terminal.type("\u{4}")
        await running.value
        #expect(restaurant.orders[0].dishes == "1 Lemonade")
        #expect(restaurant.orders[0].note == nil)
    }

    @Test func writesTheNoteThoughSomebodyElseHasChangedTheOrder() async throws {
        let terminal = MemoryTerminal()
        let entry = try await entry(terminal)
        let running = Task { await entry.run() }
        terminal.type("bur\r")
        await terminal.shows("  1  1 × Burger\n>")
        restaurant.change(restaurant.orders[0].changed(version: 9))
        terminal.type("note Hot\r")
        await terminal.shows("  Note: Hot\n  1  1 × Burger\n>")
        terminal.type("send\r")
        await running.value
        #expect(restaurant.orders[0].note == "Hot")
        #expect(await entry.failures == 0)
    }

    @Test func countsDishesAsTheyWereTyped() async throws {
        let terminal = MemoryTerminal(isTerminal: false)
        let entry = try await entry(terminal)
        terminal.type("bur 2\nlem\nremove 1\nnote Hot\n")
        terminal.end()
        await entry.run()
        #expect(restaurant.orders[0].dishes == "1 Lemonade")
        #expect(restaurant.orders[0].note == "Hot")
        #expect(terminal.look.errors == [])
    }

    @Test func ordersWhatIsPipedIn() async throws {
        let terminal = MemoryTerminal(isTerminal: false)
        let entry = try await entry(terminal)
        terminal.type("bur 2\npizza\nnote Hot\nlem")
        terminal.end()
        await entry.run()
        #expect(restaurant.orders.map(\.dishes) == ["2 Burger, 1 Lemonade"])
        #expect(restaurant.orders[0].note == "Hot")
        #expect(terminal.look.errors == ["There is no pizza on the menu."])
        #expect(await entry.failures == 1)
    }

    @Test func ordersWhatIsNamedAtOnce() async throws {
        let terminal = MemoryTerminal(isTerminal: false)
        let entry = try await entry(terminal, note: "Hot")
        await entry.take([.init(dish: "Burger", quantity: 2), .init(dish: "Lemonade", quantity: 1)])
        #expect(await entry.result()?.receipt == "ORD-000001 for table 7: 2 Burger, 1 Lemonade, note: Hot")
        #expect(await entry.failures == 0)
    }

    @Test func ordersNothingWhereNothingIsTyped() async throws {
        let terminal = MemoryTerminal(isTerminal: false)
        let entry = try await entry(terminal)
        terminal.type("note\nsend\nbur\n")
        await entry.run()
        #expect(restaurant.orders == [])
        #expect(await entry.result() == nil)
    }
}
