extension EntityError {
    static func notFound(_ schema: EntitySchema) -> EntityError {
        EntityError(.notFound, "There is no such \(schema.name).")
    }

    static func invalid(_ faults: [FieldFault]) -> EntityError {
        EntityError(.invalid, "Fields are not what they have to be.", faults: faults)
    }

    static func invalidParameter(_ name: String, _ message: String) -> EntityError {
        EntityError(.invalidParameter, "The parameter \"\(name)\" \(message).")
    }

    static func stale(_ schema: EntitySchema, _ current: EntityRecord) -> EntityError {
        EntityError(
            .staleVersion,
            "The \(schema.name) has changed meanwhile. Look at it as it is now, and change that.",
            current: schema.json(current)
        )
    }

    /// The application's own check has changed the entity that it was asked about.
    static func changedMeanwhile(_ schema: EntitySchema, _ old: EntityRecord) -> EntityError {
        stale(schema, old)
    }

    /// What a database refused, if it did so for what it was asked to write.
    init?(_ error: StoreError, in schema: EntitySchema) {
        switch error.code {
        case .unique:
            let column = schema.columns.first { column in
                guard let constraint = error.constraint else { return false }
                return constraint == SQLName.joined(schema.table, column.name, "unique")
                    || constraint == "\(schema.table).\(column.name)"
            }
            if let column, column.limits.isUnique {
                let fault = FieldFault(
                    pointer: "/\(column.name)",
                    code: "unique",
                    message: "is taken by another \(schema.name)"
                )
                self = EntityError(
                    .duplicate,
                    "There is a \(schema.name) with this \(column.name) already.",
                    faults: [fault]
                )
            } else {
                self = EntityError(.duplicate, "There is a \(schema.name) with this id already.")
            }
        case .foreignKey:
            let faults = schema.columns.filter { $0.limits.references != nil }
            if faults.isEmpty {
                self = EntityError(.inUse, "The \(schema.name) cannot go: others still refer to it.")
            } else {
                self = .invalid(
                    faults.map {
                        FieldFault(pointer: "/\($0.name)", code: "reference", message: "has to be one that is there")
                    }
                )
            }
        default: return nil
        }
    }
}
