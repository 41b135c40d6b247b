import Testing

@testable import TidingsEntities

@Suite("Names")
struct NamesTests {
    @Test(
        "properties and types become snake case, acronyms included",
        arguments: [
            ("createdAt", "created_at"), ("orderID", "order_id"), ("imageURLPath", "image_url_path"), ("a", "a"),
            ("OrderItem", "order_item"), ("URL", "url"), ("HTTPRequest", "http_request"), ("line2", "line2"),
            ("line2Text", "line2_text"), ("already_snake", "already_snake"), ("iOSVersion", "i_os_version"),
            ("x_Y", "x_y"), ("", ""),
        ]
    )
    func snakeCase(_ name: String, _ expected: String) {
        #expect(FieldName.snakeCase(name) == expected)
    }

    @Test(
        "a name that can stand for itself is small letters, digits and single underscores",
        arguments: [
            ("order", true), ("order_item2", true), (String(repeating: "a", count: 48), true), ("", false),
            ("2nd", false), ("_order", false), ("order_", false), ("order__item", false), ("Order", false),
            ("öl", false), ("order-item", false), (String(repeating: "a", count: 49), false),
        ]
    )
    func sound(_ name: String, _ isSound: Bool) {
        #expect(FieldName.isSound(name) == isSound)
    }

    @Test("joined names fit every database, and those that differ stay different")
    func joined() {
        let long = String(repeating: "a", count: 48)
        #expect(SQLName.joined("orders", "name", "unique") == "orders_name_unique")
        let (first, second) = (SQLName.joined(long, long + "b", "index"), SQLName.joined(long, long + "c", "index"))
        #expect(first.utf8.count == 63 && second.utf8.count == 63)
        #expect(first != second)
        #expect(SQLName.quoted(#"a"b"#) == #""a""b""#)
    }
}
