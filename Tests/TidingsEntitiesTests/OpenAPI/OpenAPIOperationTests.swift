import Testing
import TidingsEntities
import TidingsWire

@Suite("Operations of OpenAPI documents")
struct OpenAPIOperationTests {
    private let document: DescribedDocument

    init() throws {
        document = try DescribedDocument(security: .none)
    }

    @Test(
        "answer with what the routes answer with",
        arguments: [
            ("listOrders", "200 400 403 503"),
            ("createOrder", "201 400 403 409 413 415 422 503"),
            ("getOrder", "200 304 403 404 503"),
            ("updateOrder", "200 400 403 404 409 412 413 415 422 428 503"),
            ("deleteOrder", "204 400 403 404 409 412 422 428 503"),
            ("transitionOrder", "200 400 403 404 409 412 413 415 422 503"),
            ("addOrderItem", "201 400 403 404 409 412 413 415 422 503"),
            ("updateOrderItem", "200 400 403 404 409 412 413 415 422 503"),
            ("removeOrderItem", "204 400 403 404 409 412 422 503"),
            ("moveTableOrder", "200 400 403 404 409 412 413 415 422 503"),
            ("getOrderHistory", "200 400 403 404 503"),
            // Without a required lock there is nothing that could be missing.
            ("updateMenuItem", "200 400 403 404 409 412 413 415 422 503"),
            ("deleteMenuItem", "204 400 403 404 409 412 422 503"),
            ("updateSettings", "200 400 403 404 409 412 413 415 422 503"),
        ]
    )
    func statuses(_ id: String, _ statuses: String) throws {
        let operation = try #require(document.operation(id))
        #expect(operation.statuses.joined(separator: " ") == statuses)
    }

    @Test("describe every refusal as problem details")
    func problems() throws {
        for operation in document.operations {
            let responses = (operation.node["responses"]?.members ?? []).filter { $0.name >= "400" }
            #expect(!responses.isEmpty, "\(operation.id)")
            for response in responses {
                let content = try #require(document.resolved(response.value)?["content"])
                #expect(content.names == ["application/problem+json"], "\(operation.id) \(response.name)")
            }
        }
    }

    @Test("show the entity as it is where a change did not fit it", arguments: ["409", "412"])
    func conflicts(_ status: String) throws {
        for id in ["updateOrder", "transitionOrder", "removeOrderItem"] {
            let content = document.operation(id)?.node["responses"]?[status]?["content"]
            let schema = try #require(content?["application/problem+json"]?["schema"])
            #expect(document.resolved(schema)?["properties"]?["current"] == reference("Order"), "\(id)")
        }
    }

    @Test(
        "take and give what the routes take and give",
        arguments: [
            ("listOrders", nil, "OrderList"), ("createOrder", "OrderCreate", "Order"), ("getOrder", nil, "Order"),
            ("updateOrder", "OrderUpdate", "Order"), ("deleteOrder", nil, nil),
            ("transitionOrder", "OrderTransition", "Order"), ("addOrderItem", "OrderItemCreate", "OrderItem"),
            ("updateOrderItem", "OrderItemUpdate", "OrderItem"), ("removeOrderItem", nil, nil),
            ("moveTableOrder", "OrderMoveTableInput", "Order"), ("closeOrder", nil, "Order"),
            ("getOrderHistory", nil, "OrderHistory"), ("updateSettings", "SettingsUpdate", "Settings"),
        ] as [(String, String?, String?)]
    )
    func bodies(_ id: String, _ input: String?, _ output: String?) throws {
        let operation = try #require(document.operation(id))
        let taken = operation.node["requestBody"]?["content"]?["application/json"]?["schema"]
        let given = operation.node["responses"]?.members.first?.value["content"]?["application/json"]?["schema"]
        #expect(taken == input.map(reference))
        #expect(given == output.map(reference))
    }

    @Test(
        "name the headers of requests and answers",
        arguments: [
            ("listOrders", "", "Tidings-Position Cache-Control"),
            ("createOrder", "Idempotency-Key X-Mutation-ID", "ETag Location Tidings-Position"),
            ("getOrder", "", "ETag Tidings-Position Cache-Control"),
            ("updateOrder", "If-Match Idempotency-Key X-Mutation-ID", "ETag Tidings-Position"),
            ("deleteOrder", "If-Match Idempotency-Key X-Mutation-ID", "Tidings-Position"),
            ("removeOrderItem", "If-Match Idempotency-Key X-Mutation-ID", "ETag Tidings-Position"),
        ]
    )
    func headers(_ id: String, _ taken: String, _ given: String) throws {
        let operation = try #require(document.operation(id))
        let parameters = (operation.node["parameters"]?.elements ?? []).compactMap(document.resolved)
        let headers = parameters.filter { $0["in"] == .string("header") }.compactMap { $0["name"]?.string }
        #expect(headers.joined(separator: " ") == taken)
        let answered = operation.node["responses"]?.members.first?.value["headers"]?.names ?? []
        #expect(answered.joined(separator: " ") == given)
    }

    @Test("filter a list by every field that clients see, by several values at once")
    func filters() throws {
        let parameters = try #require(document.operation("listOrders")?.node["parameters"]?.elements)
        let filters = parameters.filter { $0["explode"] == .boolean(true) }
        let fields = [
            "id", "reference", "table", "note", "email", "source", "status", "version", "created_at", "updated_at",
        ]
        #expect(filters.compactMap { $0["name"]?.string } == fields)
        #expect(filters.allSatisfy { $0["schema"]?["type"] == .string("array") })
        #expect(filters[6]["schema"]?["items"] == reference("OrderStatus"))
        #expect(try filters[3]["schema"]?["items"] == .parsed(#"{"type": "string"}"#))
        let sort = parameters.first { $0["name"] == .string("sort") }?["schema"]
        #expect(sort?["enum"]?.strings == fields.flatMap { [$0, "-" + $0] })
        #expect(sort?["default"] == .string("-created_at"))
        let others = parameters.compactMap(document.resolved).suffix(2)
        #expect(others.compactMap { $0["name"]?.string } == ["limit", "cursor"])
        #expect(
            try others.first?["schema"]
                == .parsed(#"{"type": "integer", "minimum": 1, "maximum": 200, "default": 50}"#)
        )
    }

    @Test("leave out what cannot be done to something that there is one of")
    func singleton() throws {
        let settings = document.operations.filter { $0.path.hasPrefix("/settings") }
        let routes = settings.map { "\($0.method) \($0.path)" }
        #expect(routes == ["get /settings", "patch /settings", "get /settings/history"])
        #expect(document.schema("SettingsCreate") == nil)
        #expect(document.schema("SettingsList") == nil)
    }

    private func reference(_ name: String) -> JSONNode {
        .object([JSONNode.Member("$ref", .string("#/components/schemas/\(name)"))])
    }
}
