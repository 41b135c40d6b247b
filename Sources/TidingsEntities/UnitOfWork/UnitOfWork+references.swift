import FoundationEssentials

// Fields that name other entities. The database holds them together as far as it can: it does not say which field names
// one that is not there, and takes a deleted entity that is kept for one that is there.

extension UnitOfWork {
    /// Writes a row whose fields name entities that are there.
    ///
    /// - Parameters:
    ///   - record: The row as it will be.
    ///   - old: The row as it is; nil if it is new.
    ///   - write: Writes it.
    func keepingReferences(
        of record: EntityRecord,
        unlike old: EntityRecord?,
        in schema: EntitySchema,
        _ write: () throws -> Void
    ) throws {
        try checkReferences(of: record, unlike: old, in: schema)
        do {
            try write()
        } catch let error as StoreError {
            throw EntityError(error, in: schema) ?? error
        }
        // Where others write meanwhile, one of them may just have deleted what was there. Now that the row is written the
        // database holds what it names.
        if !connection.dialect.lockingClause.isEmpty { try checkReferences(of: record, unlike: old, in: schema) }
    }

    private func checkReferences(
        of record: EntityRecord,
        unlike old: EntityRecord?,
        in schema: EntitySchema
    ) throws {
        let faults = try schema.columns.enumerated().compactMap { place, column -> FieldFault? in
            let value = record.values[place]
            guard let other = column.limits.references, value != .null, value != old?.values[place] else { return nil }
            let target = try catalog.schema(of: other)
            let isItself = target.name == schema.name && value == record.values[schema.roles.key]
            guard !isItself, try !canSee(value, of: target) else { return nil }
            return FieldFault(
                pointer: "/\(column.name)",
                code: "reference",
                message: "has to be the id of a \(target.name) that is there"
            )
        }
        guard faults.isEmpty else { throw EntityError.invalid(faults) }
    }

    /// Whether an entity is there, and in the sight of whoever asks, if somebody does.
    private func canSee(_ id: SQLValue, of schema: EntitySchema) throws -> Bool {
        guard case .request(let identity) = asker, case let scope = schema.hooks.scope(schema, identity), !scope.isAll
        else {
            return try rows(of: schema).contains(id)
        }
        guard let id = UUID(id), let record = try rows(of: schema).record(of: id) else { return false }
        return scope.contains(record)
    }

    /// Makes sure that no other entity names one that is about to be deleted and kept.
    ///
    /// - Throws: ``EntityError/Code/inUse``.
    func checkNobodyRefers(to record: EntityRecord, of schema: EntitySchema) throws {
        for other in catalog.schemas.flatMap({ [$0] + $0.children.map(\.schema) }) {
            for column in other.columns where column.limits.references?.name == schema.name {
                let except = other.name == schema.name ? record.values[schema.roles.key] : nil
                let parent = other.parent.flatMap { catalog[$0.name] }
                let id = record.values[schema.roles.key]
                if try rows(of: other).refer(in: column.name, to: id, except: except, childrenOf: parent) {
                    throw EntityError.inUse(schema)
                }
            }
        }
    }
}
