import TidingsWire

extension OpenAPIEntity {
    var createOne: OpenAPIOperation {
        changing(
            .post,
            "create\(record)",
            "Create \(label)",
            .created("It is there now.", create: record),
            body: (create, true),
            isNew: true
        )
    }

    var updateOne: OpenAPIOperation {
        changing(
            .patch,
            "update\(record)",
            "Update \(label)",
            .changed(record),
            body: (update, true),
            isLocking: true
        )
    }

    var deleteOne: OpenAPIOperation {
        changing(.delete, "delete\(record)", "Delete \(label)", .gone, isLocking: true)
    }

    var transitionOne: OpenAPIOperation {
        changing(
            .post,
            "transition\(record)",
            "Move \(label) to another state",
            .changed(record),
            body: (transition, true)
        )
    }

    func perform(_ action: ActionSchema, input: String?) -> OpenAPIOperation {
        let suffix = "_" + schema.name
        let verb = action.name.hasSuffix(suffix) ? String(action.name.dropLast(suffix.count)) : action.name
        let words = FieldName.words(action.name)
        return changing(
            .post,
            FieldName.camelCase(verb) + record,
            words.prefix(1).uppercased() + words.dropFirst(),
            .changed(record),
            body: input.map { ($0, action.input.publicColumns.contains { $0.column.isRequired }) }
        )
    }

    // MARK: - Children

    func addChild(_ child: ChildSchema, _ entity: OpenAPIEntity) -> OpenAPIOperation {
        changing(
            .post,
            "add\(record)\(FieldName.capitalized(child.singular))",
            "Add \(FieldName.words(child.singular)) to \(label)",
            .created("It is there now. The `ETag` is that of the \(label).", create: entity.record),
            body: (entity.create, true)
        )
    }

    func updateChild(_ child: ChildSchema, _ entity: OpenAPIEntity) -> OpenAPIOperation {
        changing(
            .patch,
            "update\(record)\(FieldName.capitalized(child.singular))",
            "Update \(FieldName.words(child.singular)) of \(label)",
            .changed(entity.record, "As it is now. The `ETag` is that of the \(label)."),
            body: (entity.update, true),
            conflict: entity.schema.roles.state == nil ? conflict : entity.conflict
        )
    }

    func removeChild(_ child: ChildSchema) -> OpenAPIOperation {
        changing(
            .delete,
            "remove\(record)\(FieldName.capitalized(child.singular))",
            "Remove \(FieldName.words(child.singular)) from \(label)",
            .removed("It is gone. The `ETag` is that of the \(label).")
        )
    }

    // MARK: - What all changes have in common

    /// - Parameters:
    ///   - isNew: Whether there is nothing yet that the change could be based on.
    ///   - isLocking: Whether the change has to say what it is based on, where that is declared.
    ///   - conflict: The name of the schema of what does not fit; nil: the entity's.
    private func changing(
        _ method: OpenAPIOperation.Method,
        _ id: String,
        _ summary: String,
        _ success: OpenAPIOperation.Success,
        body: (schema: String, isRequired: Bool)? = nil,
        isNew: Bool = false,
        isLocking: Bool = false,
        conflict: String? = nil
    ) -> OpenAPIOperation {
        var parameters: [OpenAPIParameter] = [.idempotencyKey, .mutationID]
        var failures: Set<OpenAPIFailure> = [.badRequest, .conflict, .invalid]
        if !isNew {
            parameters.insert(.ifMatch, at: 0)
            failures.formUnion([.notFound, .preconditionFailed])
        }
        if isLocking, schema.roles.isVersionRequired { failures.insert(.preconditionRequired) }
        return OpenAPIOperation(
            method: method,
            id: id,
            tag: tagName,
            summary: summary,
            parameters: parameters.map(\.reference),
            body: body,
            success: success,
            failures: failures,
            conflict: conflict ?? self.conflict
        )
    }
}

extension OpenAPIOperation.Success {
    fileprivate static func created(_ description: String, create schema: String) -> Self {
        Self(status: 201, description: description, headers: [.entityTag, .location, .position], schema: schema)
    }

    fileprivate static func changed(_ schema: String, _ description: String = "As it is now.") -> Self {
        Self(status: 200, description: description, headers: [.entityTag, .position], schema: schema)
    }

    fileprivate static func removed(_ description: String) -> Self {
        Self(status: 204, description: description, headers: [.entityTag, .position])
    }

    fileprivate static let gone = Self(status: 204, description: "It is gone.", headers: [.position])
}
