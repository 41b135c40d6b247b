import TidingsEntities

/// Fills an empty restaurant, so that the first look is not at an empty room.
enum Opening {
    private static let menu: [(name: String, course: MenuItem.Course, priceInCents: Int)] = [
        ("Onion soup", .starter, 750), ("Caesar salad", .starter, 950), ("Margherita", .main, 1100),
        ("Burger", .main, 1450), ("Steak frites", .main, 2400), ("Crème brûlée", .dessert, 800),
        ("Chocolate mousse", .dessert, 750), ("Lemonade", .drink, 400), ("Espresso", .drink, 280),
    ]

    private static let orders: [(table: String, way: [Order.Status], note: String?, items: [(String, Int)])] = [
        ("4", [.preparing, .ready, .served], nil, [("Margherita", 2), ("Lemonade", 2)]),
        ("2", [.preparing, .ready], nil, [("Steak frites", 1), ("Caesar salad", 1)]),
        ("9", [.preparing], "One without onions", [("Burger", 2), ("Crème brûlée", 2)]),
        ("12", [], nil, [("Onion soup", 3)]),
    ]

    static func fill(_ entities: Entities) async throws {
        guard try await entities.read({ try $0.all(MenuItem.self, limit: 1) }).isEmpty else { return }
        try await entities.write { unit in
            for dish in menu {
                try unit.insert(MenuItem.self) {
                    ($0.name, $0.course, $0.priceInCents) = (dish.name, dish.course, dish.priceInCents)
                }
            }
            for (table, way, note, items) in orders {
                let order = try unit.insert(Order.self) { ($0.table, $0.note) = (table, note) }
                for (name, quantity) in items {
                    try unit.add(OrderItem.self, to: order) { ($0.name, $0.quantity) = (name, quantity) }
                }
                for status in way { try unit.transition(Order.self, order.id, to: status) }
            }
        }
    }
}
