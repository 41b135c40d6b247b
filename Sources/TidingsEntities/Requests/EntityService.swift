import FoundationEssentials
public import TidingsBroadcast
import TidingsWire

/// Answers requests for the entities of one kind: what its routes do, without HTTP.
///
/// Everything that a request asks for is seen and done within the caller's scope: what is outside does not exist. All
/// methods can be called from any task or thread at any time; they throw ``EntityError`` for what the caller did wrong and
/// ``StoreError`` for what the database did.
public struct EntityService: Sendable {
    /// What one of them is called.
    public var name: String { schema.name }
    /// The path's last part, such as `orders`.
    public var path: String { schema.table }
    /// Whether there is exactly one.
    public var isSingleton: Bool { schema.isSingleton }
    /// The names of its children, such as `items`, as they stand in paths.
    public var children: [String] { schema.children.map(\.name) }
    /// The names of its actions, as they stand in paths.
    public var actions: [String] { schema.actions.map(\.name) }
    /// Whether it has states.
    public var hasStates: Bool { schema.roles.state != nil }

    let entities: Entities
    let schema: EntitySchema
}

extension Entities {
    /// Answers requests, for each kind of entity.
    public var services: [EntityService] {
        catalog.schemas.map { EntityService(entities: self, schema: $0) }
    }
}

// MARK: - Reading

extension EntityService {
    /// A page of them.
    ///
    /// - Parameters:
    ///   - parameters: Those of the URL, decoded, in their order: `sort`, `limit`, `cursor`, and names of fields.
    ///   - identity: Who asks.
    /// - Returns: `{"items": […], "next_cursor": …}`, with the position read before the rows.
    public func list(
        _ parameters: [(name: String, value: String)],
        as identity: Identity?
    ) async throws -> EntityAnswer {
        let query = try ListQuery(parameters, of: schema)
        return try await read(as: identity) { connection in
            try permit(identity, .list, nil)
            let records = try query.records(on: connection, within: scope(of: identity))
            let page = records.prefix(query.limit)
            let next = records.count > page.count ? page.last.map(query.cursor) : nil
            let json = JSONNode.members([
                "items": .array(page.map(schema.json)), "next_cursor": next.map(JSONNode.string) ?? .null,
            ])
            return EntityAnswer(.found, json: json.json)
        }
    }

    /// One of them.
    ///
    /// - Parameters:
    ///   - id: Its identifier, as it stands in the path; ignored for a singleton.
    ///   - identity: Who asks.
    public func get(_ id: String, as identity: Identity?) async throws -> EntityAnswer {
        try await read(as: identity) { connection in
            let record = try find(id, on: connection, as: identity)
            try permit(identity, .read, record)
            return answer(.found, record)
        }
    }

    /// What happened to one of them, newest first.
    ///
    /// - Parameters:
    ///   - id: Its identifier, as it stands in the path; ignored for a singleton.
    ///   - parameters: `limit` and `cursor`.
    ///   - identity: Who asks.
    /// - Returns: `{"items": […], "next_cursor": …}`.
    public func history(
        of id: String,
        _ parameters: [(name: String, value: String)],
        as identity: Identity?
    ) async throws -> EntityAnswer {
        let query = try HistoryQuery(parameters)
        return try await read(as: identity) { connection in
            let record = try find(id, on: connection, as: identity)
            try permit(identity, .history, record)
            return EntityAnswer(.found, json: try query.page(of: schema, schema.id(of: record), on: connection).json)
        }
    }

    /// The position is read first: what is committed after it may be in the rows too, but nothing before it is missing.
    private func read(
        as identity: Identity?,
        _ body: @escaping @Sendable (any SQLConnection) throws -> EntityAnswer
    ) async throws -> EntityAnswer {
        try await entities.store.read { connection in
            let position = try OutboxHead.read(on: connection).position
            var answer = try body(connection)
            answer.position = position
            return answer
        }
    }

    private func find(_ id: String, on connection: any SQLConnection, as identity: Identity?) throws -> EntityRecord {
        guard let id = identifier(id),
            let record = try EntityRows(schema: schema, connection: connection).record(of: id),
            scope(of: identity).contains(record)
        else { throw EntityError.notFound(schema) }
        return record
    }
}

// MARK: - Changing

extension EntityService {
    /// Creates one.
    public func create(_ call: EntityCall) async throws -> EntityAnswer {
        try await change(call) { unit in
            var body = try FieldReader(call.body, schema.layout, allowing: \.isCreatable)
            for (place, column) in schema.columns.enumerated() where column.isRequired && body.values[place] == nil {
                body.fault(column.name, "required", "is missing")
            }
            try body.finish()
            let record = try unit.create(schema, body.values) { try permit(call.identity, .create, $0) }
            return answer(.created, record, createdID: schema.id(of: record))
        }
    }

    /// Changes fields of one. A change of its state is a transition.
    ///
    /// - Parameter id: Its identifier, as it stands in the path; ignored for a singleton.
    public func update(_ id: String, _ call: EntityCall) async throws -> EntityAnswer {
        try await change(call) { unit in
            var body = try FieldReader(call.body, schema.layout, allowing: \.isChangeable, and: versionMember)
            let version = body.version()
            try body.finish()
            let old = try lock(id, in: unit, call)
            let operation = operation(of: body.values)
            try permit(call.identity, operation, old)
            try confirm(version, call, old, isLock: true)
            let new = try unit.change(schema, old, to: body.values, as: operation)
            try permit(call.identity, operation, new)
            return answer(.changed, new)
        }
    }

    /// A change of nothing but the state is a transition for those who decide who may do it.
    private func operation(of values: [SQLValue?]) -> EntityOperation {
        guard let state = schema.roles.state, values[state.place] != nil else { return .update }
        return values.indices.contains { $0 != state.place && values[$0] != nil } ? .update : .transition
    }

    /// Deletes one.
    ///
    /// - Parameter id: Its identifier, as it stands in the path.
    public func delete(_ id: String, _ call: EntityCall) async throws -> EntityAnswer {
        try await change(call) { unit in
            var body = try FieldReader(
                call.body,
                schema.layout,
                allowing: { _ in false },
                and: versionMember,
                isOptional: true
            )
            let version = body.version()
            try body.finish()
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
        try await change(call) { unit in
            var body = try FieldReader(
                call.body,
                schema.layout,
                allowing: { _ in false },
                and: versionMember.union(["to"])
            )
            let (version, state) = (body.version(), body.text("to"))
            if body.others["to"] == nil { body.fault("to", "required", "is missing") }
            let states = schema.roles.state?.machine.states ?? []
            if let state, !states.contains(state) {
                body.fault("to", "choice", "is one of \(states.joined(separator: ", "))")
            }
            try body.finish()
            let old = try lock(id, in: unit, call)
            try permit(call.identity, .transition, old)
            try confirm(version, call, old, isLock: false)
            return answer(.changed, try unit.transition(schema, old, to: state ?? ""))
        }
    }

    /// Does what the application has declared an action for.
    ///
    /// - Parameters:
    ///   - action: The action's name.
    ///   - id: The entity's identifier, as it stands in the path; ignored for a singleton.
    public func perform(_ action: String, on id: String, _ call: EntityCall) async throws -> EntityAnswer {
        guard let action = schema.actions.first(where: { $0.name == action }) else {
            throw EntityError.notFound(schema)
        }
        return try await change(call) { unit in
            let values = try input(of: action, call.body)
            let old = try lock(id, in: unit, call)
            try permit(call.identity, EntityOperation(rawValue: action.name), old)
            try confirm(nil, call, old, isLock: false)
            let given = try action.perform(schema, values, old, unit)
            let current = try unit.lock(schema, schema.id(of: old))
            let operation = EntityOperation(rawValue: action.name)
            return answer(.changed, try unit.change(schema, current, to: given, as: operation))
        }
    }

    private func input(of action: ActionSchema, _ json: [UInt8]) throws -> [SQLValue] {
        var body = try FieldReader(
            json,
            action.input,
            allowing: { _ in true },
            isOptional: action.input.columns.isEmpty
        )
        var values: [SQLValue] = []
        for (place, column) in action.input.columns.enumerated() {
            guard let value = body.values[place] ?? column.definition.initial else {
                body.fault(column.name, "required", "is missing")
                continue
            }
            values.append(value)
        }
        try body.finish()
        return values
    }
}

// MARK: - Changing children

extension EntityService {
    /// Adds a child.
    ///
    /// - Parameters:
    ///   - children: The children's name, such as `items`.
    ///   - id: The parent's identifier, as it stands in the path; ignored for a singleton.
    public func addChild(_ children: String, of id: String, _ call: EntityCall) async throws -> EntityAnswer {
        let place = try place(of: children)
        let child = schema.children[place].schema
        return try await change(call) { unit in
            var body = try FieldReader(call.body, child.layout, allowing: \.isCreatable)
            for (place, column) in child.columns.enumerated() where column.isRequired && body.values[place] == nil {
                body.fault(column.name, "required", "is missing")
            }
            try body.finish()
            let parent = try lock(id, in: unit, call)
            try permit(call.identity, .addChild, parent)
            try confirm(nil, call, parent, isLock: false)
            let added = try unit.addChild(place, of: schema, parent, body.values)
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
        return try await change(call) { unit in
            let body = try FieldReader(call.body, child.layout, allowing: \.isChangeable)
            try body.finish()
            let parent = try lock(id, in: unit, call)
            try permit(call.identity, .updateChild, parent)
            guard let childID = FieldReader.uuid(childID) else { throw EntityError.notFound(child) }
            try confirm(nil, call, parent, isLock: false)
            let changed = try unit.changeChild(place, of: schema, parent, childID, to: body.values)
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
        return try await change(call) { unit in
            let parent = try lock(id, in: unit, call)
            try permit(call.identity, .removeChild, parent)
            guard let childID = FieldReader.uuid(childID) else {
                throw EntityError.notFound(schema.children[place].schema)
            }
            try confirm(nil, call, parent, isLock: false)
            _ = try unit.removeChild(place, of: schema, parent, childID)
            return EntityAnswer(.deleted)
        }
    }

    private func place(of children: String) throws -> Int {
        guard let place = schema.children.firstIndex(where: { $0.name == children }) else {
            throw EntityError.notFound(schema)
        }
        return place
    }
}

// MARK: - What all changes have in common

extension EntityService {
    private func change(
        _ call: EntityCall,
        _ body: @escaping @Sendable (UnitOfWork) throws -> EntityAnswer
    ) async throws -> EntityAnswer {
        let idempotency = Idempotency(call, retention: entities.configuration.idempotencyRetention)
        let (done, events) = try await entities.commit(as: call.context) { unit -> Done in
            if let earlier = try idempotency?.begin(in: unit) { return earlier }
            let answer = try body(unit)
            try idempotency?.keep(answer, event: unit.events.last?.id, in: unit)
            return Done(answer: answer)
        }
        var answer = done.answer
        answer.position = await entities.position(of: done.events ?? events)
        return answer
    }

    private func lock(_ id: String, in unit: UnitOfWork, _ call: EntityCall) throws -> EntityRecord {
        guard let id = identifier(id) else { throw EntityError.notFound(schema) }
        let record = try unit.lock(schema, id)
        guard scope(of: call.identity).contains(record) else { throw EntityError.notFound(schema) }
        return record
    }

    private func identifier(_ text: String) -> UUID? {
        schema.isSingleton ? EntitySchema.singletonID : FieldReader.uuid(text)
    }

    private func scope(of identity: Identity?) -> RowScope { schema.hooks.scope(schema, identity) }

    /// - Throws: ``EntityError/Code/forbidden`` if the caller may not do it, or it would take the entity out of their sight.
    private func permit(_ identity: Identity?, _ operation: EntityOperation, _ record: EntityRecord?) throws {
        let isInSight = record.map(scope(of: identity).contains) ?? true
        guard isInSight, try schema.hooks.authorize(schema, identity, operation, record) else {
            throw EntityError.forbidden()
        }
    }

    private var versionMember: Set<String> { schema.roles.version == nil ? [] : ["version"] }

    /// Whether the change is based on the entity as it is.
    ///
    /// - Parameter isLock: Whether it has to say so, where that is declared.
    private func confirm(_ version: Int64?, _ call: EntityCall, _ record: EntityRecord, isLock: Bool) throws {
        if isLock, schema.roles.isVersionRequired, version == nil, call.ifMatch == nil {
            throw EntityError(
                .versionRequired,
                "Say which version the change is based on: with \"version\" in the body or with If-Match."
            )
        }
        if let tags = call.ifMatch, !tags.contains("*"), !tags.contains(tag(of: record)) {
            throw EntityError(
                .preconditionFailed,
                "The \(schema.name) is not what If-Match says. Get it again, and change that.",
                current: schema.json(record)
            )
        }
        try schema.confirm(version, of: record)
    }

    private func answer(_ kind: EntityAnswer.Kind, _ record: EntityRecord, createdID: UUID? = nil) -> EntityAnswer {
        answer(kind, record, of: schema, in: record, createdID: createdID)
    }

    /// An entity, or a child with the tag of its parent.
    private func answer(
        _ kind: EntityAnswer.Kind,
        _ record: EntityRecord,
        of described: EntitySchema,
        in parent: EntityRecord,
        createdID: UUID? = nil
    ) -> EntityAnswer {
        EntityAnswer(
            kind,
            json: described.json(record).json,
            entityTag: tag(of: parent),
            createdID: createdID?.uuidString.lowercased()
        )
    }

    /// The version, or what the entity says where it has none.
    private func tag(of record: EntityRecord) -> String {
        if let version = schema.roles.version, case .integer(let number) = record.values[version] {
            return "\"\(number)\""
        }
        return "\"\(Fingerprint.text(schema.json(record).json))\""
    }
}

extension EntityCall {
    fileprivate var identity: Identity? { context.identity }
}

/// What came of a change.
struct Done: Sendable {
    let answer: EntityAnswer
    /// What an earlier request with the same key told; nil for what was done now.
    var events: WrittenEvents?
}
