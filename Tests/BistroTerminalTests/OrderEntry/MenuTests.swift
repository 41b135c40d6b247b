import Testing

@testable import BistroTerminal

struct MenuTests {
    private let menu = Menu(dishes: [
        .test("Burger"), .test("Caesar salad"), .test("Crème brûlée"), .test("Steak frites"), .test("Menu 2"),
        .test("Menu"),
        .test("Tartare", isAvailable: false), .test("Tea"),
    ])

    @Test(arguments: [
        ("burger", "Burger", 1), ("BUR", "Burger", 1), ("burger 2", "Burger", 2), ("2 burger", "Burger", 2),
        ("burger=99", "Burger", 99), (" burger = 3 ", "Burger", 3), ("creme", "Crème brûlée", 1),
        ("crème b 2", "Crème brûlée", 2),
        ("frites", "Steak frites", 1), ("caesar  salad", "Caesar salad", 1), ("menu 2", "Menu 2", 1),
        ("menu", "Menu", 1),
        ("menu 2 4", "Menu 2", 4), ("menu 3", "Menu", 3), ("te", "Tea", 1),
    ])
    func findsADish(_ text: String, _ dish: String, _ quantity: Int) throws {
        #expect(try menu.choose(text) == Menu.Choice(dish: dish, quantity: quantity))
    }

    @Test(arguments: [
        ("pizza", "There is no pizza on the menu."), ("c", "c may be Caesar salad or Crème brûlée: type more of it."),
        ("burger 0", "A quantity is 1–99, not 0."), ("burger -1", "A quantity is 1–99, not -1."),
        ("burger=many", "A quantity is 1–99, not many."), ("burger=", "A quantity is 1–99, not ."),
        ("burger 100", "A quantity is 1–99, not 100."), ("tar", "Tartare is sold out."), ("=2", "Which dish?"),
        ("pi\u{1B}zza", "There is no pi\u{FFFD}zza on the menu."),
    ])
    func saysWhyNot(_ text: String, _ sentence: String) {
        #expect(throws: CommandFailure(sentence)) { try menu.choose(text) }
    }

    @Test func tellsPrices() {
        #expect(menu.lines.first?.text == "Burger  €14.05")
        #expect(menu.lines.map(\.text).contains("Tartare  sold out"))
    }
}
