import TidingsWire

/// A path and what can be done there.
struct OpenAPIPath {
    let path: String
    /// The parameters in the path.
    var parameters: [JSONNode] = []
    var operations: [OpenAPIOperation]
    /// What generators of clients read.
    var extensions: [JSONNode.Member] = []

    func node(isSecured: Bool) -> JSONNode {
        var members = extensions
        if !parameters.isEmpty { members.append(JSONNode.Member("parameters", .array(parameters))) }
        members += operations.map { JSONNode.Member($0.method.rawValue, $0.node(isSecured: isSecured)) }
        return .object(members)
    }
}

/// Something that can be done.
struct OpenAPIOperation {
    enum Method: String {
        case get, post, patch, delete
    }

    /// What comes of it when nothing is in the way.
    struct Success {
        let status: Int
        let description: String
        var headers: [OpenAPIHeader]
        /// The name of the body's schema; nil if there is no body.
        var schema: String?
    }

    let method: Method
    var id: String
    let tag: String
    let summary: String
    var parameters: [JSONNode] = []
    /// The name of the body's schema, and whether there has to be one.
    var body: (schema: String, isRequired: Bool)?
    let success: Success
    /// Besides those that every operation has.
    var failures: Set<OpenAPIFailure> = []
    /// The name of the schema of answers that show the entity as it is.
    let conflict: String

    func node(isSecured: Bool) -> JSONNode {
        var failures = failures.union([.forbidden, .unavailable])
        if isSecured { failures.insert(.unauthenticated) }
        if body != nil { failures.formUnion([.contentTooLarge, .unsupportedMediaType]) }
        return .members([
            "operationId": .string(id), "tags": [.string(tag)], "summary": .string(summary),
            "parameters": parameters.isEmpty ? nil : .array(parameters),
            "requestBody": body.map { body in
                [
                    "required": .boolean(body.isRequired),
                    "content": ["application/json": ["schema": .reference("schemas", body.schema)]],
                ]
            },
            "responses": .object([success.member] + notModified + failures.sorted().map(member)),
        ])
    }

    /// What somebody is told who has it already, as `If-None-Match` says (RFC 9110 §13.1.2).
    private var notModified: [JSONNode.Member] {
        guard method == .get, success.headers.contains(.entityTag) else { return [] }
        let headers = JSONNode.object(success.headers.map(\.member))
        return [
            JSONNode.Member("304", ["description": "It is still what `If-None-Match` names.", "headers": headers])
        ]
    }

    private func member(of failure: OpenAPIFailure) -> JSONNode.Member {
        let response =
            failure.showsCurrent ? failure.response(of: conflict) : .reference("responses", failure.name)
        return JSONNode.Member(String(failure.rawValue), response)
    }
}

extension OpenAPIOperation.Success {
    fileprivate var member: JSONNode.Member {
        let content: JSONNode? = schema.map { ["application/json": ["schema": .reference("schemas", $0)]] }
        let response = JSONNode.members([
            "description": .string(description),
            "headers": headers.isEmpty ? nil : .object(headers.map(\.member)),
            "content": content,
        ])
        return JSONNode.Member(String(status), response)
    }
}
