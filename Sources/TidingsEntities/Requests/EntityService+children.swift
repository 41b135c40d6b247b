import FoundationEssentials
import TidingsBroadcast

extension EntityService {
    /// Adds a child.
    ///
    /// - Parameters:
    ///   - children: The children's name, such as `items`.
    ///   - id: The parent's identifier, as it stands in the path; ignored for a singleton.
    public func addChild(_ children: String, of id: String, _ call: EntityCall) async throws -> EntityAnswer {
        let place = try place(of: children)
        let child = schema.children[place].schema
        let values = try newValues(of: child, call.body)
        return try await change(call) { unit in
            let parent = try lock(id, in: unit, call)
            try permit(call.identity, .addChild, parent)
            try confirm(nil, call, parent, isLock: false)
            let added = try unit.addChild(place, of: schema, parent, values)
            try permit(call.identity, .create, added.child, of: child)
            return answer(.created, added.child, of: child, in: added.parent, createdID: child.id(of: added.child))
        }
    }

    /// Changes a child.
    ///
    /// - Parameters:
    ///   - children: The children's name, such as `items`.
    ///   - childID: The child's identifier, as it stands in the path.
    ///   - id: The parent's identifier, as it stands in the path; ignored for a singleton.
    public func updateChild(
        _ children: String,
        _ childID: String,
        of id: String,
        _ call: EntityCall
    ) async throws -> EntityAnswer {
        let place = try place(of: children)
        let child = schema.children[place].schema
        let values = try FieldReader(call.body, child.layout, allowing: \.isChangeable).finish()
        return try await change(call) { unit in
            let parent = try lock(id, in: unit, call)
            try permit(call.identity, .updateChild, parent)
            guard let childID = FieldReader.uuid(childID) else { throw EntityError.notFound(child) }
            try confirm(nil, call, parent, isLock: false)
            try permit(call.identity, .update, unit.child(childID, of: parent, at: place, of: schema), of: child)
            let changed = try unit.changeChild(place, of: schema, parent, childID, to: values)
            try permit(call.identity, .update, changed.child, of: child)
            return answer(.changed, changed.child, of: child, in: changed.parent)
        }
    }

    /// Removes a child.
    ///
    /// - Parameters:
    ///   - children: The children's name, such as `items`.
    ///   - childID: The child's identifier, as it stands in the path.
    ///   - id: The parent's identifier, as it stands in the path; ignored for a singleton.
    public func removeChild(
        _ children: String,
        _ childID: String,
        of id: String,
        _ call: EntityCall
    ) async throws -> EntityAnswer {
        let place = try place(of: children)
        let child = schema.children[place].schema
        _ = try FieldReader(call.body, child.layout, allowing: { _ in false }, isOptional: true).finish()
        return try await change(call) { unit in
            let parent = try lock(id, in: unit, call)
            try permit(call.identity, .removeChild, parent)
            guard let childID = FieldReader.uuid(childID) else { throw EntityError.notFound(child) }
            try confirm(nil, call, parent, isLock: false)
            try permit(call.identity, .delete, unit.child(childID, of: parent, at: place, of: schema), of: child)
            let remaining = try unit.removeChild(place, of: schema, parent, childID)
            return EntityAnswer(.deleted, entityTag: tag(of: remaining))
        }
    }

    /// - Throws: ``EntityError/Code/forbidden`` if the child's own rules do not allow it.
    private func permit(
        _ identity: Identity?,
        _ operation: EntityOperation,
        _ record: EntityRecord,
        of child: EntitySchema
    ) throws {
        guard child.hooks.scope(child, identity).contains(record),
            try child.hooks.authorize(child, identity, operation, record)
        else { throw EntityError.forbidden() }
    }

    private func place(of children: String) throws -> Int {
        guard let place = schema.children.firstIndex(where: { $0.name == children }) else {
            throw EntityError.notFound(schema)
        }
        return place
    }
}
