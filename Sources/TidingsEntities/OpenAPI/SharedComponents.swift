import TidingsWire

/// What the document says once for all entities.
struct SharedComponents {
    let security: OpenAPIDocument.Security
    let problem: String
    let fault: String
    let auditEvent: String

    init(security: OpenAPIDocument.Security, names: inout OpenAPINames) {
        self.security = security
        problem = names.take("Problem")
        fault = names.take("FieldFault")
        auditEvent = names.take("AuditEvent")
    }

    var schemas: [JSONNode.Member] {
        [
            JSONNode.Member(problem, problemSchema(current: ["type": "object"])),
            JSONNode.Member(fault, Self.faultSchema),
            JSONNode.Member(auditEvent, Self.auditEventSchema),
        ]
    }

    /// What every entity's requests are refused with in the same words.
    var responses: [JSONNode.Member] {
        OpenAPIFailure.allCases.filter { !$0.showsCurrent && ($0 != .unauthenticated || security != .none) }
            .map { JSONNode.Member($0.name, $0.response(of: problem)) }
    }
}

// MARK: - Schemas

extension SharedComponents {
    /// The schema of an error: problem details (RFC 9457) and what Tidings adds to them.
    ///
    /// - Parameter current: The schema of the entity as it is, where the change did not fit it.
    func problemSchema(current: JSONNode) -> JSONNode {
        .schema(
            "Why a request was not served (RFC 9457).",
            [
                JSONNode.Member("type", ["type": "string", "format": "uri-reference"]),
                JSONNode.Member("title", ["type": "string"]),
                JSONNode.Member("status", ["type": "integer", "minimum": 400, "maximum": 599]),
                JSONNode.Member("detail", Self.text("What is wrong and what to do, for people.")),
                JSONNode.Member("code", Self.text("What is wrong, for programs: stable, in snake case.")),
                JSONNode.Member("errors", ["type": "array", "items": .reference("schemas", fault)]),
                JSONNode.Member("current", current),
                JSONNode.Member("state", Self.text("The state that it is in.")),
                JSONNode.Member(
                    "allowed",
                    ["type": "array", "items": ["type": "string"], "description": "The states that could follow."]
                ),
            ],
            required: ["type", "title", "status", "detail", "code"]
        )
    }

    private static func text(_ description: String) -> JSONNode {
        ["type": "string", "description": .string(description)]
    }

    private static var faultSchema: JSONNode {
        let properties = [
            JSONNode.Member("pointer", text("Where it is in the body: a JSON pointer (RFC 6901).")),
            JSONNode.Member("code", text("What is wrong, for programs: stable, in snake case.")),
            JSONNode.Member("message", text("What it has to be, for people.")),
        ]
        return .schema("What is wrong with one field of the body.", properties, required: properties.map(\.name))
    }

    private static var auditEventSchema: JSONNode {
        func textOrNull(_ description: String) -> JSONNode {
            ["type": ["string", "null"], "description": .string(description)]
        }
        let properties = [
            JSONNode.Member("id", ["type": "string", "format": "uuid"]),
            JSONNode.Member("category", ["type": "string", "enum": ["lifecycle", "state", "change", "business"]]),
            JSONNode.Member("type", text("What happened, such as `order.created`.")),
            JSONNode.Member("field", textOrNull("The field that changed.")),
            JSONNode.Member("old", ["description": "The field's value before; `[redacted]` where it is not told."]),
            JSONNode.Member("new", ["description": "The field's value after; `[redacted]` where it is not told."]),
            JSONNode.Member("state_from", textOrNull("The state before.")),
            JSONNode.Member("state_to", textOrNull("The state after.")),
            JSONNode.Member("user_id", textOrNull("Who did it.")),
            JSONNode.Member("request_id", textOrNull("As part of what.")),
            JSONNode.Member("metadata", ["type": ["object", "null"], "description": "What else there is to say."]),
            JSONNode.Member("timestamp", ["type": "string", "format": "date-time"]),
        ]
        return .schema("Something that happened.", properties, required: properties.map(\.name))
    }
}
