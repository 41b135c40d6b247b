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
        return try await read { connection in
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
        try await read { connection in
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
        return try await read { connection in
            let record = try find(id, on: connection, as: identity)
            try permit(identity, .history, record)
            return EntityAnswer(.found, json: try query.page(of: schema, schema.id(of: record), on: connection).json)
        }
    }

    /// The position is read first: what is committed after it may be in the rows too, but nothing before it is missing.
    private func read(
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

// MARK: - What all changes have in common

extension EntityService {
    /// Changes something in a transaction of its own, or finds what was answered to the same request before.
    func change(
        _ call: EntityCall,
        _ body: @escaping @Sendable (UnitOfWork) throws -> EntityAnswer
    ) async throws -> EntityAnswer {
        let idempotency = Idempotency(call, retention: entities.configuration.idempotencyRetention)
        let visible = Set([schema.name] + schema.children.map(\.schema.name))
        let (done, events) = try await entities.commit(as: call.context) { unit -> Done in
            if let earlier = try idempotency?.begin(in: unit) { return earlier }
            unit.asker = .request(call.context.identity)
            let answer: EntityAnswer
            do {
                answer = try body(unit)
            } catch let error as EntityError {
                throw error.hidden(fromAllBut: visible)
            }
            try idempotency?.keep(answer, event: unit.events.last?.id, in: unit)
            return Done(answer: answer)
        }
        var answer = done.answer
        answer.position = await entities.position(of: done.events ?? events)
        return answer
    }

    func lock(_ id: String, in unit: UnitOfWork, _ call: EntityCall) throws -> EntityRecord {
        guard let id = identifier(id) else { throw EntityError.notFound(schema) }
        let record = try unit.lock(schema, id)
        guard scope(of: call.identity).contains(record) else { throw EntityError.notFound(schema) }
        return record
    }

    func identifier(_ text: String) -> UUID? {
        schema.isSingleton ? EntitySchema.singletonID : FieldReader.uuid(text)
    }

    func scope(of identity: Identity?) -> RowScope { schema.hooks.scope(schema, identity) }

    /// - Throws: ``EntityError/Code/forbidden`` if the caller may not do it, or it would take the entity out of their sight.
    func permit(_ identity: Identity?, _ operation: EntityOperation, _ record: EntityRecord?) throws {
        let isInSight = record.map(scope(of: identity).contains) ?? true
        guard isInSight, try schema.hooks.authorize(schema, identity, operation, record) else {
            throw EntityError.forbidden()
        }
    }

    var versionMember: Set<String> { schema.roles.version == nil ? [] : ["version"] }

    /// Whether the change is based on the entity as it is.
    ///
    /// - Parameter isLock: Whether it has to say so, where that is declared.
    func confirm(_ version: Int64?, _ call: EntityCall, _ record: EntityRecord, isLock: Bool) throws {
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
                of: schema.name,
                current: schema.json(record)
            )
        }
        try schema.confirm(version, of: record)
    }

    func answer(_ kind: EntityAnswer.Kind, _ record: EntityRecord, createdID: UUID? = nil) -> EntityAnswer {
        answer(kind, record, of: schema, in: record, createdID: createdID)
    }

    /// An entity, or a child with the tag of its parent.
    func answer(
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
    func tag(of record: EntityRecord) -> String {
        if let version = schema.roles.version, case .integer(let number) = record.values[version] {
            return "\"\(number)\""
        }
        return "\"\(Fingerprint.text(schema.json(record).json))\""
    }
}

extension EntityCall {
    var identity: Identity? { context.identity }
}

/// What came of a change.
struct Done: Sendable {
    let answer: EntityAnswer
    /// What an earlier request with the same key told; nil for what was done now.
    var events: WrittenEvents?
}
