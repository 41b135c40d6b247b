import BistroAPI
import Testing

@testable import BistroTerminal

struct KitchenNewsTests {
    static let order = Order.test(1, note: "hot", items: [.test(1, "Burger", 2)])

    @Test(
        arguments: [
            (order.changed(), []),
            (order.changed(status: .preparing), ["ORD-000001 preparing"]),
            (order.changed(items: []), ["ORD-000001 items: no dishes yet"]),
            (order.changed(items: [.test(1, "Burger", 3), .test(2, "Tea")]), ["ORD-000001 items: 3 Burger, 1 Tea"]),
            (order.changed(table: "9"), ["ORD-000001 table: 9"]),
            (order.changed(note: .some(nil)), ["ORD-000001 note: none"]),
            (order.changed(note: "a\nb\u{1B}[2J"), ["ORD-000001 note: a b\u{FFFD}[2J"]),
            (order.changed(note: "cold", status: .ready), ["ORD-000001 ready", "ORD-000001 note: cold"]),
        ] as [(Order, [String])]
    )
    func tellsEachDifference(_ new: Order, _ lines: [String]) {
        var news = KitchenNews()
        _ = news.lines(for: [Self.order])
        #expect(news.lines(for: [new]) == lines)
        #expect(news.lines(for: [new]) == [])
    }

    @Test func tellsWhoComesAndGoes() {
        var news = KitchenNews()
        let second = Order.test(2, table: "Bar")
        #expect(
            news.lines(for: [Self.order]) == ["ORD-000001 appeared: table 7, open, 2 Burger, note: hot"]
        )
        #expect(
            news.lines(for: [second]) == ["ORD-000001 left", "ORD-000002 appeared: table Bar, open, no dishes yet"]
        )
        #expect(news.lines(for: []) == ["ORD-000002 left"])
    }
}
