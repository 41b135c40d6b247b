import TidingsWire

extension Entities {
    /// The OpenAPI 3.1 description of the entities' routes, with `x-sync` and `x-states` for generators of clients.
    ///
    /// The same declarations give the same bytes on every machine and every run, so the document can be kept beside the
    /// code and compared. Fields that are declared with ``FieldOption/syncExclude`` are not in it.
    ///
    /// - Parameters:
    ///   - info: What the API is.
    ///   - servers: Where it is; empty: where the document comes from.
    ///   - security: How callers say who they are.
    /// - Returns: UTF-8 JSON without white space.
    public func openAPI(
        _ info: OpenAPIDocument.Info,
        servers: [OpenAPIDocument.Server] = [],
        security: OpenAPIDocument.Security = .none
    ) -> [UInt8] {
        OpenAPIWriter(info: info, servers: servers, security: security, schemas: catalog.schemas).document.json
    }
}

/// Puts the document together.
struct OpenAPIWriter {
    private let info: OpenAPIDocument.Info
    private let servers: [OpenAPIDocument.Server]
    private let security: OpenAPIDocument.Security
    private let entities: [OpenAPIEntity]
    private let shared: SharedComponents

    init(
        info: OpenAPIDocument.Info,
        servers: [OpenAPIDocument.Server],
        security: OpenAPIDocument.Security,
        schemas: [EntitySchema]
    ) {
        self.info = info
        self.servers = servers
        self.security = security
        var names = OpenAPINames(schemas)
        let shared = SharedComponents(security: security, names: &names)
        self.shared = shared
        entities = schemas.map { OpenAPIEntity($0, names: &names, shared: shared) }
    }

    var document: JSONNode {
        .members([
            "openapi": "3.1.0",
            "info": .members([
                "title": .string(info.title), "summary": info.summary.map(JSONNode.string),
                "description": info.description.map(JSONNode.string), "version": .string(info.version),
            ]),
            "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
            "servers": servers.isEmpty ? nil : .array(servers.map(\.node)),
            "security": security.requirements,
            "tags": .array(entities.map(\.tag)),
            "paths": .object(paths.map { JSONNode.Member($0.path, $0.node(isSecured: security != .none)) }),
            "components": .members([
                "schemas": .object(entities.flatMap(\.components) + shared.schemas),
                "responses": .object(shared.responses),
                "parameters": .object(shared.parameters),
                "headers": .object(shared.headers),
                "securitySchemes": security.schemes,
            ]),
        ])
    }

    /// The paths, with operation ids of which no two are the same.
    private var paths: [OpenAPIPath] {
        var ids = UniqueNames()
        return entities.flatMap(\.paths).map { path in
            var path = path
            for place in path.operations.indices {
                path.operations[place].id = ids.take(path.operations[place].id)
            }
            return path
        }
    }
}

extension OpenAPIDocument.Server {
    fileprivate var node: JSONNode {
        .members(["url": .string(url), "description": description.map(JSONNode.string)])
    }
}

extension OpenAPIDocument.Security {
    private static let schemeName = "bearer"

    /// Any of these is enough; an empty one is nobody in particular.
    fileprivate var requirements: JSONNode? {
        guard case .bearer(let isRequired) = kind else { return nil }
        let bearer = JSONNode.members([Self.schemeName: []])
        return .array(isRequired ? [bearer] : [bearer, [:]])
    }

    fileprivate var schemes: JSONNode? {
        guard case .bearer = kind else { return nil }
        return [Self.schemeName: ["type": "http", "scheme": "bearer", "bearerFormat": "JWT"]]
    }
}
