import FoundationEssentials
import Testing
import TidingsEntities
import TidingsWire

@Suite("OpenAPI documents")
struct OpenAPIDocumentTests {
    private let document: DescribedDocument

    init() throws {
        document = try DescribedDocument()
    }

    @Test("say which OpenAPI and which JSON Schema they are written in, and what and where the API is")
    func head() {
        #expect(document.root["openapi"] == .string("3.1.0"))
        #expect(document.root["jsonSchemaDialect"] == .string("https://json-schema.org/draft/2020-12/schema"))
        #expect(document.root["info"]?["title"] == .string("Restaurant"))
        #expect(document.root["info"]?["version"] == .string("1.4.0"))
        #expect(document.root["servers"]?.elements.first?["url"] == .string("https://restaurant.example/api"))
        #expect(document.root["tags"]?.elements.map { $0["name"]?.string } == ["orders", "menu_items", "settings"])
    }

    @Test("refer only to what is there")
    func references() {
        let references = document.root.all.filter { $0["$ref"] != nil }
        #expect(references.count > 100)
        for reference in references { #expect(document.resolved(reference) != nil, "\(reference)") }
    }

    @Test("tell nothing of excluded fields", arguments: ["margin", "purchase", "deleted_at"])
    func excluded(_ word: String) {
        let text = String(decoding: document.json, as: UTF8.self)
        #expect(text.contains("note") && !text.contains(word))
    }

    @Test("give each operation an id of its own and a tag that is declared")
    func operations() {
        let ids = document.operations.map(\.id)
        #expect(Set(ids).count == ids.count)
        #expect(
            ids == [
                "listOrders", "createOrder", "getOrder", "updateOrder", "deleteOrder", "transitionOrder",
                "addOrderItem", "updateOrderItem", "removeOrderItem", "moveTableOrder", "closeOrder", "getOrderHistory",
                "listMenuItems", "createMenuItem", "getMenuItem", "updateMenuItem", "deleteMenuItem",
                "getMenuItemHistory", "getSettings", "updateSettings", "getSettingsHistory",
            ]
        )
        let tags = Set(document.root["tags"]?.elements.compactMap { $0["name"]?.string } ?? [])
        for operation in document.operations {
            #expect(tags.isSuperset(of: operation.node["tags"]?.strings ?? ["none"]), "\(operation.id)")
        }
    }

    @Test("declare the parameters that stand in paths, and no others")
    func pathParameters() {
        for path in document.paths {
            let declared = path.value["parameters"]?.elements ?? []
            let inPath = path.name.split(separator: "/").filter { $0.hasPrefix("{") }.map { $0.dropFirst().dropLast() }
            #expect(declared.compactMap { $0["name"]?.string } == inPath.map(String.init), "\(path.name)")
            for parameter in declared {
                #expect(parameter["required"] == .boolean(true))
                #expect(parameter["schema"]?["format"] == .string("uuid"))
            }
        }
    }

    @Test("take no other names for something that an entity is called after already")
    func names() throws {
        let document = try DescribedDocument([Price.self, PriceList.self, Problem.self])
        #expect(document.schema("PriceList")?["properties"]?.names == ["id", "title"])
        #expect(document.schema("PriceList2")?["properties"]?.names == ["items", "next_cursor"])
        #expect(document.schema("Problem")?["properties"]?.names == ["id", "kind"])
        #expect(document.schema("Problem2")?["required"]?.strings.contains("code") == true)
        let names = document.root["components"]?["schemas"]?.names ?? []
        #expect(Set(names).count == names.count)
        let ids = document.operations.map(\.id)
        #expect(Set(ids).count == ids.count)
        #expect(ids.contains("updatePrice2"))
    }

    private struct Price: Entity {
        @Key var id: UUID
        @Field var amount: Int

        static let actions: [any EntityAction<Price>.Type] = [Update.self]
    }

    private struct Update: EntityAction {
        @Field var amount: Int

        func perform(on price: inout Price, in unit: UnitOfWork) throws { price.amount = amount }
    }

    private struct PriceList: Entity {
        @Key var id: UUID
        @Field var title: String
    }

    private struct Problem: Entity {
        @Key var id: UUID
        @Field var kind: String
    }

    // MARK: - Security

    @Test("ask for a token where there is one, and say so")
    func bearer() throws {
        let scheme = document.root["components"]?["securitySchemes"]?["bearer"]
        #expect(try scheme == .parsed(#"{"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}"#))
        #expect(try document.root["security"] == .parsed(#"[{"bearer": []}]"#))
        #expect(document.operations.allSatisfy { $0.statuses.contains("401") })
    }

    @Test("let those in who say nothing, where that is declared")
    func optionalBearer() throws {
        let document = try DescribedDocument(security: .optionalBearer)
        #expect(try document.root["security"] == .parsed(#"[{"bearer": []}, {}]"#))
        #expect(document.operations.allSatisfy { $0.statuses.contains("401") })
    }

    @Test("say nothing about tokens where there are none")
    func noSecurity() throws {
        let document = try DescribedDocument(security: .none)
        #expect(document.root["security"] == nil)
        #expect(document.root["components"]?["securitySchemes"] == nil)
        #expect(document.root["components"]?["responses"]?["Unauthorized"] == nil)
        #expect(document.operations.count > 10 && document.operations.allSatisfy { !$0.statuses.contains("401") })
    }
}
