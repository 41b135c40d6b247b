public import FoundationEssentials
public import TidingsBroadcast
import TidingsWire

// What an application does with entities of its own types.

// MARK: - Reading

extension UnitOfWork {
    /// Reads entities without holding them: others may change them while this transaction goes on.
    public var reader: EntityReader { EntityReader(connection: connection, catalog: catalog) }

    /// The entity of an identifier, held against other transactions until this one ends.
    ///
    /// - Parameters:
    ///   - type: Its type.
    ///   - id: Its identifier.
    /// - Throws: ``EntityError/Code/notFound`` if there is none, or none any more; ``StoreError``.
    public func get<Subject: Entity>(_ type: Subject.Type, _ id: UUID) throws -> Subject {
        let schema = try catalog.schema(of: type)
        return try schema.decode(type, lock(schema, id))
    }

    /// Entities whose field has a value, in the order of their identifiers.
    ///
    /// - Parameters:
    ///   - type: Their type.
    ///   - field: The field.
    ///   - value: The value that it has to have.
    ///   - limit: At most so many.
    /// - Throws: ``StoreError``.
    public func find<Subject: Entity, Value: FieldValue>(
        _ type: Subject.Type,
        where field: KeyPath<Subject, Field<Value>>,
        is value: Value,
        limit: Int = 1000
    ) throws -> [Subject] {
        let schema = try catalog.schema(of: type)
        return try reader.find(type, in: schema, where: field, is: value, limit: limit)
    }
}

// MARK: - Changing

extension UnitOfWork {
    /// Creates an entity.
    ///
    /// - Parameters:
    ///   - type: Its type.
    ///   - id: Its identifier; nil: a new one.
    ///   - body: Sets its fields.
    /// - Returns: The entity as it is written.
    /// - Throws: ``EntityError``: ``EntityError/Code/invalid``, ``EntityError/Code/duplicate``; ``StoreError``.
    @discardableResult
    public func insert<Subject: Entity>(
        _ type: Subject.Type,
        id: UUID? = nil,
        _ body: (inout Subject) throws -> Void
    ) throws -> Subject {
        let schema = try catalog.schema(of: type)
        var subject = Subject()
        try body(&subject)
        var values = schema.layout.encode(subject)
        if let id { values[schema.roles.key] = .uuid(id) }
        return try schema.decode(type, create(schema, values))
    }

    /// Changes an entity. A change of its state is a transition.
    ///
    /// - Parameters:
    ///   - type: Its type.
    ///   - id: Its identifier.
    ///   - version: The version that the change is based on; nil: whatever it is.
    ///   - body: Sets fields of the entity as it is.
    /// - Returns: The entity as it is then.
    /// - Throws: ``EntityError``: ``EntityError/Code/notFound``, ``EntityError/Code/staleVersion``,
    ///   ``EntityError/Code/illegalTransition``, ``EntityError/Code/invalid``; ``StoreError``.
    @discardableResult
    public func update<Subject: Entity>(
        _ type: Subject.Type,
        _ id: UUID,
        ifVersion version: Int? = nil,
        _ body: (inout Subject) throws -> Void
    ) throws -> Subject {
        let schema = try catalog.schema(of: type)
        let old = try lock(schema, id)
        try schema.confirm(version.map(Int64.init), of: old)
        var subject = try schema.decode(type, old)
        try body(&subject)
        return try schema.decode(type, change(schema, old, to: schema.layout.encode(subject), as: .update))
    }

    /// Changes the one entity of a type that there is one of.
    ///
    /// - Parameters:
    ///   - type: Its type, a singleton.
    ///   - body: Sets fields of the entity as it is.
    /// - Returns: The entity as it is then.
    /// - Throws: What ``update(_:_:ifVersion:_:)`` throws.
    @discardableResult
    public func update<Subject: Entity>(
        _ type: Subject.Type,
        _ body: (inout Subject) throws -> Void
    ) throws -> Subject {
        try update(type, EntitySchema.singletonID, body)
    }

    /// Moves an entity to another state.
    ///
    /// - Parameters:
    ///   - type: Its type.
    ///   - id: Its identifier.
    ///   - state: The state that it goes to. Going to the one that it is in does nothing.
    /// - Returns: The entity as it is then.
    /// - Throws: What ``update(_:_:ifVersion:_:)`` throws.
    @discardableResult
    public func transition<Subject: Entity>(
        _ type: Subject.Type,
        _ id: UUID,
        to state: some EntityState
    ) throws -> Subject {
        let schema = try catalog.schema(of: type)
        let old = try lock(schema, id)
        return try schema.decode(type, transition(schema, old, to: state.rawValue))
    }

    /// Moves an entity that is locked to another state.
    func transition(_ schema: EntitySchema, _ old: EntityRecord, to state: String) throws -> EntityRecord {
        guard let role = schema.roles.state else {
            throw StoreError(.schema, "\(schema.name) has no states. Declare a field whose type is an EntityState.")
        }
        var values = [SQLValue?](repeating: nil, count: schema.columns.count)
        values[role.place] = .text(state)
        return try change(schema, old, to: values, as: .transition)
    }

    /// Deletes an entity.
    ///
    /// - Parameters:
    ///   - type: Its type.
    ///   - id: Its identifier.
    ///   - version: The version that the change is based on; nil: whatever it is.
    /// - Throws: ``EntityError``: ``EntityError/Code/notFound``, ``EntityError/Code/staleVersion``,
    ///   ``EntityError/Code/inUse``; ``StoreError``.
    public func delete<Subject: Entity>(_ type: Subject.Type, _ id: UUID, ifVersion version: Int? = nil) throws {
        let schema = try catalog.schema(of: type)
        let old = try lock(schema, id)
        try schema.confirm(version.map(Int64.init), of: old)
        try delete(schema, old)
    }
}

// MARK: - Changing children

extension UnitOfWork {
    /// Adds a child.
    ///
    /// - Parameters:
    ///   - type: The child's type.
    ///   - parent: The parent; it need not be as it is now.
    ///   - body: Sets the child's fields.
    /// - Returns: The child as it is written.
    /// - Throws: What ``insert(_:id:_:)`` and ``get(_:_:)`` throw.
    @discardableResult
    public func add<Child: Entity, Parent: Entity>(
        _ type: Child.Type,
        to parent: Parent,
        _ body: (inout Child) throws -> Void
    ) throws -> Child {
        let schema = try catalog.schema(of: Parent.self)
        let place = try catalog.children(of: type, in: schema)
        let record = try lock(schema, parent.id)
        var subject = Child()
        try body(&subject)
        let children = schema.children[place].schema
        return try children.decode(type, addChild(place, of: schema, record, children.layout.encode(subject)).child)
    }

    /// Changes a child.
    ///
    /// - Parameters:
    ///   - type: The child's type.
    ///   - id: The child's identifier.
    ///   - parent: The parent; it need not be as it is now.
    ///   - body: Sets fields of the child as it is.
    /// - Returns: The child as it is then.
    /// - Throws: What ``update(_:_:ifVersion:_:)`` throws.
    @discardableResult
    public func update<Child: Entity, Parent: Entity>(
        _ type: Child.Type,
        _ id: UUID,
        of parent: Parent,
        _ body: (inout Child) throws -> Void
    ) throws -> Child {
        let schema = try catalog.schema(of: Parent.self)
        let place = try catalog.children(of: type, in: schema)
        let record = try lock(schema, parent.id)
        let children = schema.children[place].schema
        guard let old = record.children[place].first(where: { children.id(of: $0) == id }) else {
            throw EntityError.notFound(children)
        }
        var subject = try children.decode(type, old)
        try body(&subject)
        let changed = try changeChild(place, of: schema, record, id, to: children.layout.encode(subject))
        return try children.decode(type, changed.child)
    }

    /// Removes a child.
    ///
    /// - Parameters:
    ///   - type: The child's type.
    ///   - id: The child's identifier.
    ///   - parent: The parent; it need not be as it is now.
    /// - Throws: ``EntityError/Code/notFound``; ``StoreError``.
    public func remove<Child: Entity, Parent: Entity>(_ type: Child.Type, _ id: UUID, of parent: Parent) throws {
        let schema = try catalog.schema(of: Parent.self)
        let place = try catalog.children(of: type, in: schema)
        _ = try removeChild(place, of: schema, lock(schema, parent.id), id)
    }
}

// MARK: - What the application says

extension UnitOfWork {
    /// Writes to the audit that something happened to an entity.
    ///
    /// - Parameters:
    ///   - type: What happened, such as `order.paid`.
    ///   - subject: The entity.
    ///   - metadata: What else there is to say. It is kept as long as the audit: put no secret in it.
    /// - Throws: ``StoreError``.
    public func record<Subject: Entity>(
        _ type: String,
        about subject: Subject,
        _ metadata: [String: JSONValue] = [:]
    ) throws {
        let schema = try catalog.schema(of: Subject.self)
        try audit([
            AuditEntry(
                category: .business,
                type: type,
                entityType: schema.name,
                entityID: subject.id,
                metadata: metadata.isEmpty ? nil : String(decoding: EventPayload(metadata).json, as: UTF8.self)
            )
        ])
    }

    /// Tells an entity's channels that something happened to it that is no change of its fields. It goes through the
    /// outbox as all others do.
    ///
    /// - Parameters:
    ///   - name: What happened.
    ///   - subject: The entity.
    ///   - payload: What the event carries besides the hint, whose own members stay what they are.
    /// - Throws: ``EntityError/Code/notFound``; ``StoreError``, also for the name `stale`, which is not the
    ///   application's to tell.
    public func tell<Subject: Entity>(
        _ name: EventName,
        about subject: Subject,
        _ payload: KeyValuePairs<String, String> = [:]
    ) throws {
        let schema = try catalog.schema(of: Subject.self)
        guard name != .stale else {
            throw StoreError(.schema, "Events called \"stale\" are told by Tidings alone. Take another name.")
        }
        let further = payload.map { JSONNode.Member($0, .string($1)) }
        try tell(name, of: schema, old: nil, new: lock(schema, subject.id), further: further)
    }
}

extension EntitySchema {
    /// Whether a change that is based on a version may be made.
    ///
    /// - Throws: ``EntityError/Code/staleVersion``.
    func confirm(_ version: Int64?, of record: EntityRecord) throws {
        guard let version, let place = roles.version, record.values[place] != .integer(version) else { return }
        throw EntityError.stale(self, record)
    }
}
