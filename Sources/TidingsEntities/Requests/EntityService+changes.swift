import FoundationEssentials
import TidingsBroadcast
import TidingsWire

// Bodies are read before the transaction begins: where one writes at a time, nobody waits for a body that is wrong.

extension EntityService {
    /// Creates one; not a singleton, which is there.
    public func create(_ call: EntityCall) async throws -> EntityAnswer {
        guard !schema.isSingleton else { throw EntityError.notFound(schema) }
        let values = try newValues(of: schema, call.body)
        return try await change(call) { unit in
            let record = try unit.create(schema, values) { try permit(call.identity, .create, $0) }
            return answer(.created, record, createdID: schema.id(of: record))
        }
    }

    /// The fields of something that is to be created.
    func newValues(of schema: EntitySchema, _ json: [UInt8]) throws -> [SQLValue?] {
        var body = try FieldReader(json, schema.layout, allowing: \.isCreatable)
        body.require(\.isRequired)
        return try body.finish()
    }

    /// Changes fields of one. A change of its state is a transition.
    ///
    /// - Parameter id: Its identifier, as it stands in the path; ignored for a singleton.
    public func update(_ id: String, _ call: EntityCall) async throws -> EntityAnswer {
        var body = try FieldReader(call.body, schema.layout, allowing: \.isChangeable, and: versionMember)
        let version = body.version()
        let values = try body.finish()
        return try await change(call) { unit in
            let old = try lock(id, in: unit, call)
            let operations = operations(of: values, on: old)
            for operation in operations { try permit(call.identity, operation, old) }
            try confirm(version, call, old, isLock: true)
            let new = try unit.change(schema, old, to: values, as: operations[0])
            for operation in operations { try permit(call.identity, operation, new) }
            return answer(.changed, new)
        }
    }

    /// What somebody has to be allowed to do: a change of the state is a transition, alone or among others.
    private func operations(of values: [SQLValue?], on old: EntityRecord) -> [EntityOperation] {
        guard let state = schema.roles.state?.place, let wanted = values[state], wanted != old.values[state] else {
            return [.update]
        }
        return values.indices.contains { $0 != state && values[$0] != nil } ? [.update, .transition] : [.transition]
    }

    /// Deletes one; not a singleton, which stays.
    ///
    /// - Parameter id: Its identifier, as it stands in the path.
    public func delete(_ id: String, _ call: EntityCall) async throws -> EntityAnswer {
        guard !schema.isSingleton else { throw EntityError.notFound(schema) }
        var body = try FieldReader(
            call.body,
            schema.layout,
            allowing: { _ in false },
            and: versionMember,
            isOptional: true
        )
        let version = body.version()
        _ = try body.finish()
        return try await change(call) { unit in
            let old = try lock(id, in: unit, call)
            try permit(call.identity, .delete, old)
            try confirm(version, call, old, isLock: true)
            try unit.delete(schema, old)
            return EntityAnswer(.deleted)
        }
    }

    /// Moves one to another state: `{"to": "ready"}`.
    ///
    /// - Parameter id: Its identifier, as it stands in the path; ignored for a singleton.
    public func transition(_ id: String, _ call: EntityCall) async throws -> EntityAnswer {
        guard let states = schema.roles.state?.machine.states else { throw EntityError.notFound(schema) }
        let members = versionMember.union(["to"])
        var body = try FieldReader(call.body, schema.layout, allowing: { _ in false }, and: members)
        let (version, to) = (body.version(), body.text("to"))
        if body.others["to"] == nil { body.fault("to", "required", "is missing") }
        if let to, !states.contains(to) { body.fault("to", "choice", "is one of \(states.joined(separator: ", "))") }
        _ = try body.finish()
        return try await change(call) { unit in
            let old = try lock(id, in: unit, call)
            try permit(call.identity, .transition, old)
            try confirm(version, call, old, isLock: false)
            let new = try unit.transition(schema, old, to: to ?? "")
            try permit(call.identity, .transition, new)
            return answer(.changed, new)
        }
    }

    /// Does what the application has declared an action for. An action may delete the entity.
    ///
    /// - Parameters:
    ///   - action: The action's name.
    ///   - id: The entity's identifier, as it stands in the path; ignored for a singleton.
    public func perform(_ action: String, on id: String, _ call: EntityCall) async throws -> EntityAnswer {
        guard let action = schema.actions.first(where: { $0.name == action }) else {
            throw EntityError.notFound(schema)
        }
        var body = try FieldReader(
            call.body,
            action.input,
            allowing: { _ in true },
            isOptional: action.input.columns.isEmpty
        )
        body.require { $0.isRequired }
        let given = try body.finish()
        let input = zip(given, action.input.columns).map { $0 ?? $1.definition.initial ?? .null }
        return try await change(call) { unit in
            let operation = EntityOperation(rawValue: action.name)
            let old = try lock(id, in: unit, call)
            try permit(call.identity, operation, old)
            try confirm(nil, call, old, isLock: false)
            let wanted = try action.perform(schema, input, old, unit)
            guard let current = try unit.rows(of: schema).record(of: schema.id(of: old)) else {
                return EntityAnswer(.deleted)
            }
            // What the action left as it was may have been changed through the unit of work meanwhile.
            let changes = zip(wanted, old.values).map { $0 == $1 ? nil : $0 }
            let new = try unit.change(schema, current, to: changes, as: operation)
            try permit(call.identity, operation, new)
            return answer(.changed, new)
        }
    }
}
