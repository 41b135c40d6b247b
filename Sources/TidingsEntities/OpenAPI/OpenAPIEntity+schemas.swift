import TidingsWire

extension OpenAPIEntity {
    /// The schemas that the entity and its children need.
    var components: [JSONNode.Member] {
        var members = [JSONNode.Member(record, recordSchema)]
        if !schema.isSingleton { members.append(JSONNode.Member(create, createSchema)) }
        members.append(JSONNode.Member(update, updateSchema))
        if schema.parent == nil { members += ownComponents }
        members += choices.sorted { $0.key < $1.key }.map { JSONNode.Member($1, schema.columns[$0].choicesSchema) }
        return members + children.flatMap { $0.entity.components + childConflict($0.entity) }
    }

    /// A change of a child that has states may not fit the child, rather than the entity.
    private func childConflict(_ child: OpenAPIEntity) -> [JSONNode.Member] {
        guard child.schema.roles.state != nil else { return [] }
        let current: JSONNode = ["anyOf": [.reference("schemas", child.record), .reference("schemas", record)]]
        return [JSONNode.Member(child.conflict, shared.problemSchema(current: current))]
    }

    /// What children do not have: they are listed, moved and remembered with their parent.
    private var ownComponents: [JSONNode.Member] {
        var members: [JSONNode.Member] = []
        if !schema.isSingleton { members.append(JSONNode.Member(list, listSchema)) }
        if schema.roles.state != nil { members.append(JSONNode.Member(transition, transitionSchema)) }
        members.append(JSONNode.Member(history, historySchema))
        members.append(JSONNode.Member(conflict, shared.problemSchema(current: .reference("schemas", record))))
        for (action, input) in zip(schema.actions, inputs) {
            if let input { members.append(JSONNode.Member(input, inputSchema(of: action))) }
        }
        return members
    }

    // MARK: - What the server answers with

    private var recordSchema: JSONNode {
        var properties = properties(for: .answer) { _ in true }
        for (child, entity) in children {
            let items = JSONNode.reference("schemas", entity.record)
            properties.append(
                JSONNode.Member(
                    child.name,
                    [
                        "type": "array", "items": items, "readOnly": true,
                        "description": "In the order in which they were added.",
                    ]
                )
            )
        }
        let description = schema.isSingleton ? "The \(label)." : "One \(label)."
        return .schema(description, properties, required: properties.map(\.name))
    }

    private var listSchema: JSONNode { page("A page of \(pluralLabel).", of: record) }
    private var historySchema: JSONNode { page("What happened to it, newest first.", of: shared.auditEvent) }

    private func page(_ description: String, of items: String) -> JSONNode {
        let properties: [JSONNode.Member] = [
            JSONNode.Member("items", ["type": "array", "items": .reference("schemas", items)]),
            JSONNode.Member(
                "next_cursor",
                ["type": ["string", "null"], "description": "The `cursor` of the next page; null on the last one."]
            ),
        ]
        return .schema(description, properties, required: properties.map(\.name))
    }

    // MARK: - What the server takes

    /// Everything begins in its initial state, so that there is nothing to say about it.
    private var createSchema: JSONNode {
        let properties = properties(for: .input) { $0.isCreatable && $0.definition.states == nil }
        let required = schema.layout.publicColumns.filter { $0.column.isRequired }.map(\.column.name)
        return .schema("What a new \(label) begins with.", properties, required: required, isClosed: true)
    }

    private var updateSchema: JSONNode {
        var properties = properties(for: .change, where: \.isChangeable)
        if let version { properties.append(version) }
        let description = "What is to change: what is absent stays as it is, and null takes a value away."
        return .schema(description, properties, required: [], isClosed: true)
    }

    private var transitionSchema: JSONNode {
        let state = schema.roles.state.flatMap { choices[$0.place] }
        var properties = [JSONNode.Member("to", state.map { .reference("schemas", $0) } ?? ["type": "string"])]
        if let version { properties.append(version) }
        return .schema("The state that it is to go to.", properties, required: ["to"], isClosed: true)
    }

    private func inputSchema(of action: ActionSchema) -> JSONNode {
        let columns = action.input.publicColumns.map(\.column)
        let properties = columns.map { JSONNode.Member($0.name, $0.jsonSchema(for: .input)) }
        let required = columns.filter(\.isRequired).map(\.name)
        return .schema("What is needed for it.", properties, required: required, isClosed: true)
    }

    private var version: JSONNode.Member? {
        guard schema.roles.version != nil else { return nil }
        let description = "The version that the change is based on: if it is not the current one, nothing is changed."
        return JSONNode.Member(
            "version",
            ["type": "integer", "format": "int64", "minimum": 1, "description": .string(description)]
        )
    }

    private func properties(
        for use: FieldUse,
        where isIncluded: (EntityColumn) -> Bool
    ) -> [JSONNode.Member] {
        schema.layout.publicColumns.filter { isIncluded($0.column) }.map { place, column in
            JSONNode.Member(column.name, column.jsonSchema(for: use, choices: choices[place]))
        }
    }
}
