import FoundationEssentials
import TidingsWire

// What the audit says.

extension UnitOfWork {
    func audit(_ entries: [AuditEntry]) throws {
        let expiry = configuration.auditRetention.map { now + $0 / .seconds(1) }
        try AuditEntry.write(entries, as: context, at: now, expiring: expiry, on: connection)
    }

    func auditLifecycle(_ what: String, of schema: EntitySchema, _ record: EntityRecord) throws {
        try audit([
            AuditEntry(
                category: .lifecycle,
                type: "\(schema.name).\(what)",
                entityType: schema.name,
                entityID: schema.id(of: record)
            )
        ])
    }

    /// An entry for each field that changed, but excluded ones: nobody but the server knows of them.
    func changes(of schema: EntitySchema, from old: EntityRecord, to new: EntityRecord) -> [AuditEntry] {
        schema.layout.publicColumns.compactMap { place, column in
            guard case .field = column.definition.kind, old.values[place] != new.values[place] else { return nil }
            var entry = AuditEntry(
                category: .change,
                type: "\(schema.name).changed.\(column.name)",
                entityType: schema.name,
                entityID: schema.id(of: old)
            )
            if place == schema.roles.state?.place {
                let (from, to) = (old.values[place].text ?? "", new.values[place].text ?? "")
                (entry.category, entry.type) = (.state, "\(schema.name).state.\(from).\(to)")
                (entry.stateFrom, entry.stateTo) = (from, to)
            } else {
                let isRedacted = column.limits.isRedacted
                entry.field = column.name
                entry.old = isRedacted ? AuditEntry.redacted : old.values[place].jsonText
                entry.new = isRedacted ? AuditEntry.redacted : new.values[place].jsonText
            }
            return entry
        }
    }

    /// What happened to a child stands in the history of its parent.
    ///
    /// - Parameter old: The child as it was, if it changed.
    func auditChild(
        _ child: ChildSchema,
        _ what: String,
        _ record: EntityRecord,
        of schema: EntitySchema,
        _ parent: EntityRecord,
        from old: EntityRecord? = nil
    ) throws {
        let node = JSONNode.members(["\(child.singular)_id": record.values[child.schema.roles.key].json])
        let metadata = String(decoding: node.json, as: UTF8.self)
        let event = AuditEntry(
            category: .change,
            type: "\(schema.name).\(child.singular)_\(what)",
            entityType: schema.name,
            entityID: schema.id(of: parent),
            metadata: metadata
        )
        var entries = old.map { self.changes(of: child.schema, from: $0, to: record) } ?? []
        for place in entries.indices {
            (entries[place].entityType, entries[place].entityID) = (schema.name, schema.id(of: parent))
            entries[place].metadata = metadata
        }
        try audit(entries + [event])
    }
}
