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
            of: schema.name,
            current: schema.json(current)
        )
    }

    /// The error as those may see it who asked for something of another kind of entity: without how the entity is.
    func hidden(fromAllBut names: Set<String>) -> EntityError {
        guard let entity, !names.contains(entity) else { return self }
        return EntityError(code, message, faults: faults)
    }

    static func inUse(_ schema: EntitySchema) -> EntityError {
        EntityError(.inUse, "The \(schema.name) cannot go: others still refer to it.")
    }

    /// What a database refused to write, if it did so for what it was asked to write.
    init?(_ error: StoreError, in schema: EntitySchema) {
        switch error.code {
        case .unique:
            let column = schema.columns.first { $0.isNamed(by: error.constraint, in: schema) }
            guard let column, column.name != schema.columns[schema.roles.key].name else {
                self = EntityError(.duplicate, "There is a \(schema.name) with this id already.")
                return
            }
            // Of what nobody sees, nobody learns the name.
            guard !column.limits.isSyncExcluded else {
                self = EntityError(.duplicate, "There is such a \(schema.name) already.")
                return
            }
            let message = "is taken by another \(schema.name)"
            self = EntityError(
                .duplicate,
                "There is a \(schema.name) with this \(column.name) already.",
                faults: [FieldFault(pointer: "/\(column.name)", code: "unique", message: message)]
            )
        case .foreignKey:
            // Whoever it named went while it was written.
            let faults = schema.columns.filter { $0.limits.references != nil }.map {
                FieldFault(pointer: "/\($0.name)", code: "reference", message: "has to be one that is there")
            }
            self = .invalid(faults)
        default: return nil
        }
    }
}

extension EntityColumn {
    /// Whether a database means this column when it names what a value does not fit.
    fileprivate func isNamed(by constraint: String?, in schema: EntitySchema) -> Bool {
        constraint == SQLName.joined(schema.table, name, "unique") || constraint == "\(schema.table).\(name)"
    }
}
