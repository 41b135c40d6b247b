import BistroAPI
import Foundation

/// A moment that all tests agree on.
let noon = Date(timeIntervalSince1970: 1_800_000_000)

extension Order {
    /// An order as tests need it.
    static func test(
        _ number: Int = 1,
        table: String = "7",
        note: String? = nil,
        status: OrderStatus = .open,
        version: Int = 1,
        minutesOld: Int = 0,
        items: [OrderItem] = []
    ) -> Order {
        Order(
            id: .test(number),
            reference: "ORD-00000\(number)",
            table: table,
            note: note,
            status: status,
            version: version,
            createdAt: noon.addingTimeInterval(-60 * Double(minutesOld)),
            updatedAt: noon,
            items: items
        )
    }

    /// The same at another version, and otherwise.
    func changed(
        version: Int? = nil,
        table: String? = nil,
        note: String?? = nil,
        status: OrderStatus? = nil,
        items: [OrderItem]? = nil
    ) -> Order {
        Order(
            id: id,
            reference: reference,
            table: table ?? self.table,
            note: note ?? self.note,
            status: status ?? self.status,
            version: version ?? self.version + 1,
            createdAt: createdAt,
            updatedAt: updatedAt,
            items: items ?? self.items
        )
    }
}

extension OrderItem {
    static func test(_ number: Int, _ name: String, _ quantity: Int = 1) -> OrderItem {
        OrderItem(id: .test(100 + number), name: name, quantity: quantity)
    }
}

extension UUID {
    static func test(_ number: Int) -> UUID {
        let byte = UInt8(truncatingIfNeeded: number)
        return UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, byte))
    }
}

extension MenuItem {
    static func test(_ name: String, isAvailable: Bool = true) -> MenuItem {
        MenuItem(
            id: UUID(),
            name: name,
            course: .main,
            priceInCents: 1_405,
            isAvailable: isAvailable,
            version: 1,
            updatedAt: noon
        )
    }
}
