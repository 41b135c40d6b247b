import TidingsWire

extension OpenAPIEntity {
    /// The paths of the entity, its children, its actions and its history.
    var paths: [OpenAPIPath] {
        var item = OpenAPIPath(path: itemPath, parameters: itemParameters, operations: [get, updateOne])
        var paths: [OpenAPIPath] = []
        if schema.isSingleton {
            item.extensions = extensions
        } else {
            item.operations.append(deleteOne)
            let operations = [listAll, createOne]
            paths.append(OpenAPIPath(path: "/\(schema.table)", operations: operations, extensions: extensions))
        }
        paths.append(item)
        if schema.roles.state != nil { paths.append(path("transition", [transitionOne])) }
        paths += children.flatMap { childPaths($0, $1) }
        paths += zip(schema.actions, inputs).map { path($0.name, [perform($0, input: $1)]) }
        return paths + [path("history", [getHistory])]
    }

    private func path(_ name: String, _ operations: [OpenAPIOperation]) -> OpenAPIPath {
        OpenAPIPath(path: "\(itemPath)/\(name)", parameters: itemParameters, operations: operations)
    }

    private func childPaths(_ child: ChildSchema, _ entity: OpenAPIEntity) -> [OpenAPIPath] {
        var collection = path(child.name, [addChild(child, entity)])
        collection.extensions = entity.stateExtension
        let id = "\(child.singular)_id"
        var item = path("\(child.name)/{\(id)}", [updateChild(child, entity), removeChild(child)])
        item.parameters.append(Self.identifier(id, of: entity.label))
        return [collection, item]
    }

    private var itemParameters: [JSONNode] { schema.isSingleton ? [] : [Self.identifier("id", of: label)] }

    private static func identifier(_ name: String, of label: String) -> JSONNode {
        [
            "name": .string(name), "in": "path", "required": true, "description": .string("Which \(label)."),
            "schema": ["type": "string", "format": "uuid"],
        ]
    }
}

// MARK: - Reading

extension OpenAPIEntity {
    private var listAll: OpenAPIOperation {
        reading(
            "list\(FieldName.capitalized(schema.plural))",
            "List \(pluralLabel)",
            "A page of them.",
            list,
            parameters: filters + [sort, OpenAPIParameter.limit.reference, OpenAPIParameter.cursor.reference],
            failures: [.badRequest]
        )
    }

    private var get: OpenAPIOperation {
        reading("get\(record)", "Get \(label)", "As it is.", record, headers: [.entityTag], failures: [.notFound])
    }

    private var getHistory: OpenAPIOperation {
        reading(
            "get\(record)History",
            "Get history of \(label)",
            "What happened to it, newest first.",
            history,
            parameters: [OpenAPIParameter.limit.reference, OpenAPIParameter.cursor.reference],
            failures: [.badRequest, .notFound]
        )
    }

    private func reading(
        _ id: String,
        _ summary: String,
        _ description: String,
        _ schema: String,
        headers: [OpenAPIHeader] = [],
        parameters: [JSONNode] = [],
        failures: Set<OpenAPIFailure>
    ) -> OpenAPIOperation {
        OpenAPIOperation(
            method: .get,
            id: id,
            tag: tagName,
            summary: summary,
            parameters: parameters,
            success: .init(
                status: 200,
                description: description,
                headers: headers + [.position, .cacheControl],
                schema: schema
            ),
            failures: failures,
            conflict: conflict
        )
    }

    private var filters: [JSONNode] {
        schema.layout.publicColumns.map { place, column in
            let items = column.jsonSchema(for: .filter, choices: choices[place])
            return [
                "name": .string(column.name), "in": "query", "style": "form", "explode": true,
                "description": "Only those that have one of these values.",
                "schema": ["type": "array", "items": items, "maxItems": .integer(ListQuery.maximumLimit)],
            ]
        }
    }

    private var sort: JSONNode {
        let names = schema.layout.publicColumns.map(\.column.name)
        let standard = schema.roles.createdAt.map { "-\(schema.columns[$0].name)" } ?? "id"
        return [
            "name": "sort", "in": "query",
            "description": "By which field; with a minus before it, descending. What has no value comes last.",
            "schema": [
                "type": "string", "enum": .strings(names.flatMap { [$0, "-\($0)"] }), "default": .string(standard),
            ],
        ]
    }
}
