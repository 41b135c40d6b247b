import FoundationEssentials
import TidingsBroadcast

// Changes of entities as records. Everything that an application or a request changes comes through here.

extension UnitOfWork {
    /// Creates an entity.
    ///
    /// - Parameters:
    ///   - given: Values by column; nil for those that were given none.
    ///   - mayCreate: Asked before anything is written.
    func create(
        _ schema: EntitySchema,
        _ given: [SQLValue?],
        mayCreate: (EntityRecord) throws -> Void = { _ in }
    ) throws -> EntityRecord {
        let record = try newRecord(schema, given)
        guard !schema.isSingleton || schema.id(of: record) == EntitySchema.singletonID else {
            throw StoreError(.schema, "There is one \(schema.name), which is made by `prepare()`. Change that one.")
        }
        try mayCreate(record)
        if given[schema.roles.key] != nil { try checkUnused(record.values[schema.roles.key], in: schema) }
        try confirm(schema, RecordChange(operation: .create, old: nil, new: record, identity: context.identity))
        return try entirely {
            try insert(record, into: schema)
            try auditLifecycle("created", of: schema, record)
            try tell(.created, of: schema, old: nil, new: record)
            return record
        }
    }

    /// An identifier is one entity's for good: whoever took that of a deleted one would see its history.
    private func checkUnused(_ id: SQLValue, in schema: EntitySchema) throws {
        guard schema.roles.deletedAt == nil else { return }
        let rows = try connection.execute(
            "SELECT 1 FROM system_event WHERE entity_type = ? AND entity_id = ? LIMIT 1",
            [.text(schema.name), id]
        )
        guard rows.isEmpty else { throw EntityError(.duplicate, "There was a \(schema.name) with this id already.") }
    }

    /// The entity of an identifier, held against other transactions until this one ends.
    ///
    /// - Throws: ``EntityError/Code/notFound``.
    func lock(_ schema: EntitySchema, _ id: UUID) throws -> EntityRecord {
        guard let record = try rows(of: schema).record(of: id, isLocked: true) else {
            throw EntityError.notFound(schema)
        }
        return record
    }

    /// Changes an entity that is locked.
    ///
    /// - Parameters:
    ///   - old: The entity as it is.
    ///   - given: Values by column; nil for those that stay.
    ///   - operation: What it is for the application's own check.
    /// - Returns: The entity as it is then: the same if nothing changed.
    func change(
        _ schema: EntitySchema,
        _ old: EntityRecord,
        to given: [SQLValue?],
        as operation: EntityOperation
    ) throws -> EntityRecord {
        let wanted = try applying(given, to: old, of: schema)
        guard wanted != old else { return old }
        try checkTransition(schema, old, wanted)
        try confirm(schema, RecordChange(operation: operation, old: old, new: wanted, identity: context.identity))
        return try entirely {
            let new = touched(schema, wanted)
            try replace(old, by: new, in: schema)
            try audit(changes(of: schema, from: old, to: new))
            try tellChange(of: schema, from: old, to: new)
            return new
        }
    }

    /// Deletes an entity that is locked.
    func delete(_ schema: EntitySchema, _ old: EntityRecord) throws {
        guard !schema.isSingleton else {
            throw StoreError(.schema, "There is always one \(schema.name). Change it instead of deleting it.")
        }
        try confirm(schema, RecordChange(operation: .delete, old: old, new: nil, identity: context.identity))
        try entirely {
            var last = touched(schema, old)
            if let deletedAt = schema.roles.deletedAt {
                try checkNobodyRefers(to: old, of: schema)
                last.values[deletedAt] = .date(now)
                try replace(old, by: last, in: schema)
            } else {
                try remove(old, from: schema)
            }
            try auditLifecycle("deleted", of: schema, old)
            try tell(.deleted, of: schema, old: old, new: last)
        }
    }
}

// MARK: - Parts

extension UnitOfWork {
    /// What is to be inserted, with everything that the server sets by itself.
    func newRecord(_ schema: EntitySchema, _ given: [SQLValue?]) throws -> EntityRecord {
        var faults: [FieldFault] = []
        var values: [SQLValue] = []
        for (column, given) in zip(schema.columns, given) {
            switch column.definition.kind {
            case .key: values.append(given ?? .uuid(UUID()))
            case .version: values.append(1)
            case .createdAt, .updatedAt: values.append(.date(now))
            case .deletedAt, .children, .reference: values.append(.null)
            case .field:
                guard let value = given ?? column.definition.initial else {
                    faults.append(FieldFault(pointer: "/\(column.name)", code: "required", message: "is missing"))
                    values.append(.null)
                    continue
                }
                values.append(column.normal(value))
                if let fault = FieldCheck.fault(of: column.normal(value), in: column) { faults.append(fault) }
            }
        }
        if let state = schema.roles.state, faults.isEmpty, values[state.place] != .text(state.machine.initial) {
            let message = "is \"\(state.machine.initial)\" at first"
            faults.append(
                FieldFault(pointer: "/\(schema.columns[state.place].name)", code: "initial_state", message: message)
            )
        }
        guard faults.isEmpty else { throw EntityError.invalid(faults) }
        if let (place, prefix) = schema.roles.reference {
            values[place] = .text(Self.reference(prefix, try rows(of: schema).nextNumber()))
        }
        return EntityRecord(values: values, children: schema.children.map { _ in [] })
    }

    private static func reference(_ prefix: String, _ number: Int64) -> String {
        let digits = String(number)
        return prefix + "-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// The record with the fields that were given.
    ///
    /// - Throws: ``EntityError/Code/invalid`` if one that changes is not what it has to be.
    func applying(_ given: [SQLValue?], to old: EntityRecord, of schema: EntitySchema) throws -> EntityRecord {
        var new = old
        var faults: [FieldFault] = []
        for (place, column) in schema.columns.enumerated() {
            guard case .field = column.definition.kind, let value = given[place].map(column.normal),
                value != old.values[place]
            else { continue }
            if column.limits.isFixed {
                let message = "stays as it was created"
                faults.append(FieldFault(pointer: "/\(column.name)", code: "read_only", message: message))
            } else if let fault = FieldCheck.fault(of: value, in: column) {
                faults.append(fault)
            }
            new.values[place] = value
        }
        guard faults.isEmpty else { throw EntityError.invalid(faults) }
        return new
    }

    func checkTransition(_ schema: EntitySchema, _ old: EntityRecord, _ new: EntityRecord) throws {
        guard let state = schema.roles.state, old.values[state.place] != new.values[state.place],
            let from = old.values[state.place].text, let to = new.values[state.place].text,
            !state.machine.canTransition(from: from, to: to)
        else { return }
        throw EntityError(
            .illegalTransition,
            "What is \(from) cannot become \(to).",
            of: schema.name,
            current: schema.json(old),
            state: from,
            allowed: state.machine.allowedTransitions(from: from)
        )
    }

    /// The record with its version one up and its moment of change set.
    func touched(_ schema: EntitySchema, _ record: EntityRecord) -> EntityRecord {
        var record = record
        if let version = schema.roles.version, case .integer(let number) = record.values[version] {
            record.values[version] = .integer(number + 1)
        }
        if let updatedAt = schema.roles.updatedAt { record.values[updatedAt] = .date(now) }
        return record
    }

    /// Asks whether a change may be told, and the application whether it may be made.
    func confirm(_ schema: EntitySchema, _ change: RecordChange) throws {
        if let new = change.new {
            let faults = try schema.hooks.validate(schema, new)
            guard faults.isEmpty else { throw EntityError.invalid(faults) }
            if schema.parent == nil { _ = try schema.channels(of: new) }
        }
        // It may have changed other entities before it refused.
        try entirely { try schema.hooks.check(schema, change, self) }
    }
}

// MARK: - Rows

extension UnitOfWork {
    /// Inserts a row.
    ///
    /// - Parameter parent: The parent of a child.
    func insert(_ record: EntityRecord, into schema: EntitySchema, parent: SQLValue? = nil) throws {
        try keepingReferences(of: record, unlike: nil, in: schema) {
            try rows(of: schema).insert(record, parent: parent)
        }
    }

    /// Writes what has changed of a row.
    func replace(_ old: EntityRecord, by new: EntityRecord, in schema: EntitySchema) throws {
        try keepingReferences(of: new, unlike: old, in: schema) {
            guard try rows(of: schema).update(old, to: new) else { throw EntityError.stale(schema, old) }
        }
    }

    /// Deletes a row for good.
    func remove(_ old: EntityRecord, from schema: EntitySchema) throws {
        do {
            guard try rows(of: schema).delete(old) else { throw EntityError.stale(schema, old) }
        } catch let error as StoreError where error.code == .foreignKey {
            throw EntityError.inUse(schema)
        }
    }
}
