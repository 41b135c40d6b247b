import BistroAPI
import Testing

@testable import BistroTerminal

struct KitchenTableTests {
    private let orders: [Order] = [
        .test(1, note: "No onions", minutesOld: 65, items: [.test(1, "Burger", 2), .test(2, "Crème brûlée")]),
        .test(2, table: "12", status: .ready),
    ]

    private func table(_ columns: Int, _ orders: [Order]? = nil) -> KitchenTable {
        KitchenTable(orders ?? self.orders, unconfirmed: [.test(2)], selection: nil, columns: columns, at: noon)
    }

    @Test func showsEverythingWhereThereIsRoom() {
        #expect(table(80).header.text.split(separator: " ") == ["ORDER", "TABLE", "STATUS", "AGE", "ITEMS", "NOTE"])
        let lines = table(80).lines.map { $0.text.replacing(/\ +/, with: " ") }
        #expect(
            lines == [
                " ORD-000001 7 open 1 h 5 min 2 Burger, 1 Crème brûlée No onions ",
                "~ ORD-000002 12 ready now no dishes yet ",
            ]
        )
    }

    /// Whatever the width, no line is wider, and all are equally wide.
    @Test(arguments: 3...120)
    func keepsWithin(columns: Int) {
        let long = Order.test(
            3,
            table: "漢字漢字漢字漢字",
            note: String(repeating: "é漢🍔", count: 40),
            items: [.test(1, "\u{1B}[31mRed")]
        )
        let widths = Set(
            (table(columns, orders + [long]).lines + [table(columns, orders + [long]).header]).map(\.width)
        )
        #expect(widths.count == 1)
        if columns > 40 { #expect(widths.allSatisfy { $0 <= columns }) }
    }

    @Test func dropsWhatIsLeastNeededFirst() {
        #expect(table(60).header.text.contains("AGE"))
        #expect(!table(60).header.text.contains("NOTE"))
        #expect(!table(50).header.text.contains("AGE"))
        #expect(table(50).header.text.contains("ORDER"))
        #expect(!table(40).header.text.contains("ORDER"))
        #expect(table(40).header.text.contains("STATUS"))
    }

    @Test func clipsALongNoteAndKeepsTheDishes() {
        let order = Order.test(1, note: String(repeating: "n", count: 200), items: [.test(1, "Burger", 2)])
        let line = table(80, [order]).lines[0]
        #expect(line.text.contains("2 Burger"))
        #expect(line.text.contains("n…"))
        #expect(line.width == 80)
    }
}
