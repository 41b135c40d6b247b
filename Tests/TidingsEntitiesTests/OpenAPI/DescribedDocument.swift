import TidingsEntities
import TidingsWire

/// A document as tests look at it.
struct DescribedDocument {
    let json: [UInt8]
    let root: JSONNode

    init(
        _ entities: [any Entity.Type] = DescribedRestaurant.entities,
        security: OpenAPIDocument.Security = .bearer
    ) throws {
        json = try Entities(entities, in: UnusedStore()).openAPI(
            OpenAPIDocument.Info(title: "Restaurant", version: "1.4.0", summary: "Orders and what is on the menu."),
            servers: [OpenAPIDocument.Server("https://restaurant.example/api", description: "The kitchen's.")],
            security: security
        )
        root = try JSONNode(parsing: json, maximumDepth: 64)
    }

    struct Operation {
        let path: String
        let method: String
        let node: JSONNode

        var id: String { node["operationId"]?.string ?? "" }
        var statuses: [String] { node["responses"]?.names ?? [] }
    }

    var paths: [JSONNode.Member] { root["paths"]?.members ?? [] }

    var operations: [Operation] {
        paths.flatMap { path in
            path.value.members.filter { ["get", "post", "patch", "delete"].contains($0.name) }
                .map { Operation(path: path.name, method: $0.name, node: $0.value) }
        }
    }

    func operation(_ id: String) -> Operation? { operations.first { $0.id == id } }

    func schema(_ name: String) -> JSONNode? { root["components"]?["schemas"]?[name] }

    func property(_ name: String, of schema: String) -> JSONNode? { self.schema(schema)?["properties"]?[name] }

    /// What a reference names; what is none, itself.
    func resolved(_ node: JSONNode) -> JSONNode? {
        guard let reference = node["$ref"]?.string else { return node }
        return reference.split(separator: "/").dropFirst().reduce(Optional(root)) { $0?[String($1)] }
    }
}
