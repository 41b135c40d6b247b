import FoundationEssentials
import TidingsBroadcast

// Changes of children as records: each is a change of the parent too.

extension UnitOfWork {
    /// Adds a child to an entity that is locked.
    ///
    /// - Returns: The child, and its parent as it is then.
    func addChild(
        _ place: Int,
        of schema: EntitySchema,
        _ parent: EntityRecord,
        _ given: [SQLValue?]
    ) throws -> (child: EntityRecord, parent: EntityRecord) {
        let child = schema.children[place]
        guard parent.children[place].count < child.limit else {
            let message = "There are \(child.limit) \(child.name) already, and cannot be more. Remove some first."
            throw EntityError.refused("too_many_children", message)
        }
        let record = try newRecord(child.schema, given)
        var new = parent
        new.children[place].append(record)
        try confirm(.addChild, of: schema, parent, new, child, old: nil, new: record)
        return try entirely {
            try insert(record, into: child.schema, parent: parent.values[schema.roles.key])
            let touched = try touch(new, unlike: parent, of: schema)
            try auditChild(child, "added", record, of: schema, parent)
            try tell(child.event("added"), of: schema, old: parent, new: touched, child: (child, record))
            return (record, touched)
        }
    }

    /// Changes a child of an entity that is locked.
    ///
    /// - Returns: The child and its parent as they are then: the same if nothing changed.
    func changeChild(
        _ place: Int,
        of schema: EntitySchema,
        _ parent: EntityRecord,
        _ id: UUID,
        to given: [SQLValue?]
    ) throws -> (child: EntityRecord, parent: EntityRecord) {
        let child = schema.children[place]
        let index = try index(of: id, in: parent, at: place, of: schema)
        let old = parent.children[place][index]
        let wanted = try applying(given, to: old, of: child.schema)
        guard wanted != old else { return (old, parent) }
        try checkTransition(child.schema, old, wanted)
        var new = parent
        new.children[place][index] = wanted
        try confirm(.updateChild, of: schema, parent, new, child, old: old, new: wanted)
        return try entirely {
            let record = touched(child.schema, wanted)
            new.children[place][index] = record
            try replace(old, by: record, in: child.schema)
            let touched = try touch(new, unlike: parent, of: schema)
            try auditChild(child, "updated", record, of: schema, parent, from: old)
            try tell(child.event("updated"), of: schema, old: parent, new: touched, child: (child, record))
            return (record, touched)
        }
    }

    /// Removes a child of an entity that is locked.
    ///
    /// - Returns: The parent as it is then.
    func removeChild(_ place: Int, of schema: EntitySchema, _ parent: EntityRecord, _ id: UUID) throws -> EntityRecord {
        let child = schema.children[place]
        let index = try index(of: id, in: parent, at: place, of: schema)
        let record = parent.children[place][index]
        var new = parent
        new.children[place].remove(at: index)
        try confirm(.removeChild, of: schema, parent, new, child, old: record, new: nil)
        return try entirely {
            try remove(record, from: child.schema)
            let touched = try touch(new, unlike: parent, of: schema)
            try auditChild(child, "removed", record, of: schema, parent)
            try tell(child.event("removed"), of: schema, old: parent, new: touched, child: (child, record))
            return touched
        }
    }

    private func index(of id: UUID, in parent: EntityRecord, at place: Int, of schema: EntitySchema) throws -> Int {
        let child = schema.children[place].schema
        guard let index = parent.children[place].firstIndex(where: { child.id(of: $0) == id }) else {
            throw EntityError.notFound(child)
        }
        return index
    }

    /// A child of an entity that is locked.
    ///
    /// - Throws: ``EntityError/Code/notFound``.
    func child(_ id: UUID, of parent: EntityRecord, at place: Int, of schema: EntitySchema) throws -> EntityRecord {
        parent.children[place][try index(of: id, in: parent, at: place, of: schema)]
    }

    /// Asks about the parent with its children as they will be, and about the child.
    private func confirm(
        _ operation: EntityOperation,
        of schema: EntitySchema,
        _ parent: EntityRecord,
        _ newParent: EntityRecord,
        _ child: ChildSchema,
        old: EntityRecord?,
        new: EntityRecord?
    ) throws {
        let identity = context.identity
        try confirm(schema, RecordChange(operation: operation, old: parent, new: newParent, identity: identity))
        let own: EntityOperation = old == nil ? .create : new == nil ? .delete : .update
        try confirm(child.schema, RecordChange(operation: own, old: old, new: new, identity: identity))
    }

    private func touch(_ new: EntityRecord, unlike old: EntityRecord, of schema: EntitySchema) throws -> EntityRecord {
        let touched = touched(schema, new)
        try replace(old, by: touched, in: schema)
        return touched
    }
}
