package import TidingsWire

// A document that is mostly constant is best read as what it is.

extension JSONNode: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByStringInterpolation,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(booleanLiteral value: Bool) { self = .boolean(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(arrayLiteral elements: JSONNode...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONNode)...) {
        self = .object(elements.map { Member($0, $1) })
    }
}

extension JSONNode {
    /// A reference to a component of the document.
    static func reference(_ section: String, _ name: String) -> JSONNode {
        ["$ref": "#/components/\(section)/\(name)"]
    }

    static func strings(_ texts: [String]) -> JSONNode { .array(texts.map(JSONNode.string)) }

    /// The object with further members after its own.
    func adding(_ members: KeyValuePairs<String, JSONNode?>) -> JSONNode {
        guard case .object(let own) = self, case .object(let further) = JSONNode.members(members) else { return self }
        return .object(own + further)
    }

    /// The schema of an object.
    ///
    /// - Parameter isClosed: Whether nothing else may be in it. What the server takes is closed; what it gives may grow.
    static func schema(
        _ description: String,
        _ properties: [Member],
        required: [String],
        isClosed: Bool = false
    ) -> JSONNode {
        .members([
            "type": "object", "description": .string(description), "properties": .object(properties),
            "required": required.isEmpty ? nil : .strings(required),
            "additionalProperties": isClosed ? false : nil,
        ])
    }
}
