import TidingsWire

/// What a field's schema is for.
enum FieldUse {
    /// What the server answers with.
    case answer
    /// What something new begins with.
    case input
    /// What is to change.
    case change
    /// What a list is filtered by.
    case filter
}

extension EntityColumn {
    /// The field as JSON Schema (2020-12).
    ///
    /// - Parameter choices: The name of the schema of its choices; nil: they are spelled out.
    func jsonSchema(for use: FieldUse, choices: String? = nil) -> JSONNode {
        let isNullable = isNullable && use != .filter
        var schema = choices.map { Self.reference(to: $0, orNull: isNullable) } ?? typeSchema(orNull: isNullable)
        if use != .filter {
            schema = schema.adding(limitMembers)
            let notes = notes(for: use).joined(separator: " ")
            schema = schema.adding(["description": notes.isEmpty ? nil : .string(notes)])
        }
        if use == .input { schema = schema.adding(["default": stableDefault]) }
        if use == .answer, isManaged { schema = schema.adding(["readOnly": true]) }
        return schema
    }

    /// The schema of the field's choices.
    var choicesSchema: JSONNode { ["type": "string", "enum": .strings(definition.choices ?? [])] }

    private static func reference(to name: String, orNull: Bool) -> JSONNode {
        let reference = JSONNode.reference("schemas", name)
        return orNull ? ["anyOf": [reference, ["type": "null"]]] : reference
    }

    private func typeSchema(orNull: Bool) -> JSONNode {
        let (name, format) = type.jsonSchemaType
        let null: [JSONNode] = orNull ? [.null] : []
        return .members([
            "type": orNull ? [.string(name), "null"] : .string(name),
            "format": format.map(JSONNode.string),
            "enum": definition.choices.map { .array($0.map(JSONNode.string) + null) },
        ])
    }

    private var isManaged: Bool {
        switch definition.kind {
        case .key, .field: false
        default: true
        }
    }

    /// A default that is the same whenever the program is started: a moment or an identifier may well not be.
    private var stableDefault: JSONNode? {
        guard let initial = definition.initial, initial != .null, type != .date, type != .uuid else { return nil }
        return initial.json
    }
}

// MARK: - Limits

extension EntityColumn {
    private var limitMembers: KeyValuePairs<String, JSONNode?> {
        [
            "minLength": limits.length.flatMap { $0.lowerBound > 0 ? .integer($0.lowerBound) : nil },
            "maxLength": limits.length.map { .integer($0.upperBound) },
            "pattern": pattern.map(JSONNode.string),
            "minimum": limits.minimum?.number ?? (isVersion ? 1 : nil),
            "maximum": limits.maximum?.number,
        ]
    }

    /// JSON Schema looks for a pattern anywhere in a text; here it is about the whole of it.
    private var pattern: String? {
        if case .reference(let prefix) = definition.kind { return "^\(prefix)-[0-9]{6,}$" }
        return limits.pattern.map { "^(?:\($0))$" }
    }

    private var isVersion: Bool { if case .version = definition.kind { true } else { false } }
}

extension SQLValue {
    /// The value as a number; nil for one that JSON cannot write, and for what is none.
    fileprivate var number: JSONNode? {
        switch self {
        case .integer: json
        case .real(let value) where value.isFinite: json
        default: nil
        }
    }
}

extension FieldType {
    fileprivate var jsonSchemaType: (name: String, format: String?) {
        switch self {
        case .text: ("string", nil)
        case .integer: ("integer", "int64")
        case .real: ("number", "double")
        case .boolean: ("boolean", nil)
        case .date: ("string", "date-time")
        case .uuid: ("string", "uuid")
        }
    }
}

// MARK: - What there is to say

extension EntityColumn {
    private func notes(for use: FieldUse) -> [String] {
        switch definition.kind {
        case .key: [use == .input ? "Chosen by the client; by the server if it is absent." : "Stays as it is."]
        case .version: ["Counts the changes, from 1."]
        case .createdAt: ["When it was created."]
        case .updatedAt: ["When it was last changed."]
        case .reference: ["A number for people."]
        case .deletedAt, .children: []
        case .field: fieldNotes(for: use)
        }
    }

    private func fieldNotes(for use: FieldUse) -> [String] {
        var notes: [String] = []
        if let other = limits.references { notes.append("The `id` of one of `\(other.tableName)`.") }
        if limits.isUnique { notes.append("No two have the same.") }
        if limits.isFixed { notes.append("Stays as it was created.") }
        if limits.isTrimmed, use != .answer { notes.append("White space around it is dropped.") }
        if definition.states != nil, use == .change { notes.append("A change of it is a transition.") }
        if let first = limits.minimum?.moment { notes.append("Not before \(first).") }
        if let last = limits.maximum?.moment { notes.append("Not after \(last).") }
        return notes
    }
}

extension SQLValue {
    /// The value as a moment, which JSON Schema has no limits for.
    fileprivate var moment: String? { if case .date(let date) = self { Timestamp.text(date) } else { nil } }
}
