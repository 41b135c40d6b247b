import TidingsWire

/// The parameters that operations of every entity have in common.
enum OpenAPIParameter: String, CaseIterable {
    case limit = "Limit"
    case cursor = "Cursor"
    case idempotencyKey = "Idempotency-Key"
    case ifMatch = "If-Match"
    case mutationID = "X-Mutation-ID"

    var reference: JSONNode { .reference("parameters", rawValue) }

    var node: JSONNode {
        let isHeader = ![.limit, .cursor].contains(self)
        return [
            "name": .string(isHeader ? rawValue : rawValue.lowercased()), "in": isHeader ? "header" : "query",
            "description": .string(description), "schema": schema,
        ]
    }

    private var description: String {
        switch self {
        case .limit: "At most so many."
        case .cursor: "The `next_cursor` of the page before, with everything else the same."
        case .idempotencyKey: "A request that comes again with it gets the first answer. A new one for each change."
        case .ifMatch: "The `ETag` that the change is based on: if it is not the current one, nothing is changed."
        case .mutationID: "Comes back as `origin` in the events of the change, so that its sender knows them."
        }
    }

    private var schema: JSONNode {
        switch self {
        case .limit:
            let (standard, most) = (ListQuery.standardLimit, ListQuery.maximumLimit)
            return ["type": "integer", "minimum": 1, "maximum": .integer(most), "default": .integer(standard)]
        case .cursor, .ifMatch: return ["type": "string"]
        case .idempotencyKey: return Self.name(ofAtMost: 255)
        case .mutationID: return Self.name(ofAtMost: 128)
        }
    }
}

extension OpenAPIParameter {
    /// A name of the client's own: ASCII that can be seen.
    private static func name(ofAtMost most: Int) -> JSONNode {
        ["type": "string", "minLength": 1, "maxLength": .integer(most), "pattern": "^[!-~]+$"]
    }
}

/// The headers that answers have in common.
enum OpenAPIHeader: String, CaseIterable {
    case entityTag = "ETag"
    case location = "Location"
    case position = "Tidings-Position"
    case cacheControl = "Cache-Control"

    var member: JSONNode.Member { JSONNode.Member(rawValue, .reference("headers", rawValue)) }

    var node: JSONNode { ["description": .string(description), "schema": schema] }

    private var description: String {
        switch self {
        case .entityTag: "Tells versions of the entity apart (RFC 9110 §8.8.3)."
        case .location: "Where the new one is."
        case .position:
            "Up to where events are taken into account, or the position of the change's own event: `<epoch>:<offset>`."
        case .cacheControl: "What is kept has to be asked for again."
        }
    }

    private var schema: JSONNode {
        switch self {
        case .entityTag: ["type": "string"]
        case .location: ["type": "string", "format": "uri-reference"]
        case .position: ["type": "string", "pattern": "^.+:[0-9]+$"]
        case .cacheControl: ["type": "string", "const": "no-cache"]
        }
    }
}

extension SharedComponents {
    var parameters: [JSONNode.Member] { OpenAPIParameter.allCases.map { JSONNode.Member($0.rawValue, $0.node) } }
    var headers: [JSONNode.Member] { OpenAPIHeader.allCases.map { JSONNode.Member($0.rawValue, $0.node) } }
}
