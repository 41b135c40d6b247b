import Foundation
import Testing
import TidingsWire

@testable import TidingsEntities

@Suite("Schemas of OpenAPI documents")
struct OpenAPISchemaTests {
    private let document: DescribedDocument

    init() throws {
        document = try DescribedDocument()
    }

    @Test(
        "say what a field may be",
        arguments: [
            ("OrderCreate", "id", #"{"type": "string", "format": "uuid"}"#),
            ("OrderCreate", "table", #"{"type": "string", "minLength": 1, "maxLength": 20}"#),
            ("OrderCreate", "note", #"{"type": ["string", "null"], "maxLength": 200}"#),
            ("OrderCreate", "email", #"{"type": ["string", "null"], "pattern": "^(?:[^@]+@[^@]+)$"}"#),
            ("OrderCreate", "source", #"{"type": "string", "default": "counter"}"#),
            ("Order", "reference", #"{"type": "string", "pattern": "^ORD-[0-9]{6,}$", "readOnly": true}"#),
            ("Order", "version", #"{"type": "integer", "format": "int64", "minimum": 1, "readOnly": true}"#),
            ("Order", "created_at", #"{"type": "string", "format": "date-time", "readOnly": true}"#),
            (
                "Order", "items",
                ##"{"type": "array", "items": {"$ref": "#/components/schemas/OrderItem"}, "readOnly": true}"##
            ),
            (
                "OrderItemCreate", "quantity",
                #"{"type": "integer", "format": "int64", "minimum": 1, "maximum": 99, "default": 1}"#
            ),
            (
                "OrderItemUpdate", "course",
                ##"{"anyOf": [{"$ref": "#/components/schemas/OrderItemCourse"}, {"type": "null"}]}"##
            ),
            ("MenuItemCreate", "price", #"{"type": "number", "format": "double", "minimum": 0.0}"#),
            ("MenuItemCreate", "is_available", #"{"type": "boolean", "default": true}"#),
            ("MenuItemCreate", "course", ##"{"$ref": "#/components/schemas/MenuItemCourse"}"##),
            (
                "OrderMoveTableInput", "course",
                #"{"type": "string", "enum": ["starter", "main", "dessert"], "default": "main"}"#
            ),
            ("Settings", "opens_at", #"{"type": ["string", "null"], "format": "date-time"}"#),
        ]
    )
    func field(_ schema: String, _ field: String, _ expected: String) throws {
        let found = try #require(document.property(field, of: schema))
        #expect(try JSONNode.object(found.members.filter { $0.name != "description" }) == .parsed(expected))
    }

    @Test("take nothing that they do not name")
    func closed() {
        let inputs = (document.root["components"]?["schemas"]?.members ?? []).filter { schema in
            ["Create", "Update", "Transition", "Input"].contains { schema.name.hasSuffix($0) }
        }
        #expect(inputs.count == 9)
        for input in inputs { #expect(input.value["additionalProperties"] == .boolean(false), "\(input.name)") }
    }

    @Test("ask for what has no default when something is created, and not for its state")
    func create() {
        #expect(document.schema("OrderCreate")?["properties"]?.names == ["id", "table", "note", "email", "source"])
        #expect(document.schema("OrderCreate")?["required"]?.strings == ["table"])
        #expect(document.schema("OrderItemCreate")?["required"]?.strings == ["menu_item_id"])
        #expect(document.schema("MenuItemCreate")?["required"]?.strings == ["name", "price", "course"])
    }

    @Test("ask for nothing when something is changed, and fill nothing in")
    func update() {
        let schema = document.schema("OrderUpdate")
        #expect(schema?["properties"]?.names == ["table", "note", "email", "status", "version"])
        #expect(schema?["required"] == nil)
        #expect(document.schema("OrderItemUpdate")?["properties"]?.names == ["menu_item_id", "quantity", "course"])
        let updates = ["OrderUpdate", "OrderItemUpdate", "MenuItemUpdate", "SettingsUpdate"].compactMap(document.schema)
        #expect(updates.count == 4 && updates.flatMap(\.all).allSatisfy { $0["default"] == nil })
    }

    @Test("have the members that answers have, in their order, all of them always there", arguments: [0, 1, 2])
    func answers(_ place: Int) throws {
        let entities = try Entities(DescribedRestaurant.entities, in: UnusedStore())
        let schema = entities.catalog.schemas[place]
        let record = EntityRecord(
            values: schema.columns.map { _ in .null },
            children: schema.children.map { _ in [] }
        )
        let described = document.schema(["Order", "MenuItem", "Settings"][place])
        #expect(described?["properties"]?.names == schema.json(record).names)
        #expect(described?["required"]?.strings == schema.json(record).names)
    }

    @Test("are what bodies are read by")
    func inputs() throws {
        let entities = try Entities(DescribedRestaurant.entities, in: UnusedStore())
        let schema = try #require(entities.catalog.schemas.first)
        let created = try body(of: "OrderCreate", ["id": "\"\(UUID())\"", "table": "\"7\"", "source": "\"web\""])
        let creating = try FieldReader(created, schema.layout, allowing: \.isCreatable).finish()
        #expect(creating.contains(.text("7")))
        let changed = try body(of: "OrderUpdate", ["table": "\"7\"", "status": "\"open\"", "version": "1"])
        let changing = try FieldReader(changed, schema.layout, allowing: \.isChangeable, and: ["version"]).finish()
        #expect(changing.contains(.text("open")))
    }

    /// A body with every member that a schema knows: null unless said otherwise.
    private func body(of schema: String, _ values: [String: String]) throws -> [UInt8] {
        let names = try #require(document.schema(schema)?["properties"]?.names)
        return Array("{\(names.map { "\"\($0)\": \(values[$0] ?? "null")" }.joined(separator: ","))}".utf8)
    }

    @Test("keep moments and identifiers that the program has made up out of defaults")
    func unstableDefaults() throws {
        let document = try DescribedDocument([Booking.self])
        #expect(document.schema("BookingCreate")?["required"] == nil)
        #expect(document.schema("BookingCreate")?.all.allSatisfy { $0["default"] == nil } == true)
        let from = try #require(document.property("from", of: "BookingCreate")?["description"]?.string)
        #expect(from == "Not before 2026-01-01T00:00:00.000Z.")
    }

    private struct Booking: Entity {
        @Key var id: UUID
        @Field(.atLeast(Date(timeIntervalSince1970: 1_767_225_600))) var from = Date()
        @Field var token = UUID()
    }
}
