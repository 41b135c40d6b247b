public import FoundationEssentials
import TidingsBroadcast
import TidingsWire

/// One transaction over entities: what it changes, what the audit says about it, and what clients will be told are written
/// together, or not at all.
///
/// ```swift
/// try await entities.write { unit in
///     let order = try unit.insert(Order.self) { $0.table = "7" }
///     try unit.add(OrderItem.self, to: order) { $0.name = "Tea" }
/// }
/// ```
///
/// Nothing is told from inside: clients hear of it when the transaction is committed. A unit of work is good until the
/// closure that it was given to returns, and only on its thread.
public final class UnitOfWork {
    /// The transaction's connection, for the application's own tables.
    public let connection: any SQLConnection
    /// Who makes the changes, and as part of what.
    public let context: ChangeContext
    /// What time it is: the same throughout the transaction, to the millisecond.
    public let now: Date
    let catalog: EntityCatalog
    private let configuration: Entities.Configuration
    private(set) var events: [OutboxEvent] = []

    init(
        connection: any SQLConnection,
        context: ChangeContext,
        catalog: EntityCatalog,
        configuration: Entities.Configuration
    ) {
        self.connection = connection
        self.context = context
        self.catalog = catalog
        self.configuration = configuration
        let time = configuration.now().timeIntervalSince1970
        now = Date(timeIntervalSince1970: (time * 1000).rounded(.down) / 1000)
    }

    func rows(of schema: EntitySchema) -> EntityRows { EntityRows(schema: schema, connection: connection) }

    /// Writes what clients will be told. The last thing that the transaction does.
    ///
    /// - Returns: The event's identifiers and, where they are known already, their positions.
    func finish() throws -> WrittenEvents {
        let offset = try OutboxEvent.write(events, as: context, at: now, on: connection)
        var written = WrittenEvents(last: events.last?.id, time: now)
        if let offset { written.position = EventPosition(epoch: try OutboxHead.epoch(on: connection), offset: offset) }
        return written
    }
}

/// What a transaction told.
struct WrittenEvents: Sendable {
    /// The last event; nil if there was none.
    let last: UUID?
    /// When it was written.
    let time: Date
    /// Its position, if it was given when the event was written.
    var position: EventPosition?
}

// MARK: - Changing records

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
        try mayCreate(record)
        try confirm(schema, RecordChange(operation: .create, old: nil, new: record, identity: context.identity))
        try writing(schema) { try rows(of: schema).insert(record) }
        let id = schema.id(of: record)
        try audit([
            AuditEntry(category: .lifecycle, type: "\(schema.name).created", entityType: schema.name, entityID: id)
        ])
        try tell(.created, of: schema, old: nil, new: record)
        return record
    }

    private func newRecord(_ schema: EntitySchema, _ given: [SQLValue?]) throws -> EntityRecord {
        var faults: [FieldFault] = []
        var values: [SQLValue] = []
        for (column, given) in zip(schema.columns, given) {
            switch column.definition.kind {
            case .key: values.append(given ?? .uuid(UUID()))
            case .version: values.append(1)
            case .createdAt, .updatedAt: values.append(.date(now))
            case .deletedAt, .children: values.append(.null)
            case .reference(let prefix): values.append(.text(Self.reference(prefix, try rows(of: schema).nextNumber())))
            case .field:
                guard let value = given ?? column.definition.initial else {
                    faults.append(FieldFault(pointer: "/\(column.name)", code: "required", message: "is missing"))
                    values.append(.null)
                    continue
                }
                values.append(column.normal(value))
                faults += FieldCheck.faults(of: column.normal(value), in: column)
            }
        }
        if let state = schema.roles.state, faults.isEmpty, values[state.place] != .text(state.machine.initial) {
            let message = "is \"\(state.machine.initial)\" at first"
            faults.append(
                FieldFault(pointer: "/\(schema.columns[state.place].name)", code: "initial_state", message: message)
            )
        }
        guard faults.isEmpty else { throw EntityError.invalid(faults) }
        return EntityRecord(values: values, children: schema.children.map { _ in [] })
    }

    private static func reference(_ prefix: String, _ number: Int64) -> String {
        let digits = String(number)
        return prefix + "-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
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
        var new = old
        var faults: [FieldFault] = []
        for (place, column) in schema.columns.enumerated() {
            guard case .field = column.definition.kind, let wanted = given[place] else { continue }
            let value = column.normal(wanted)
            guard value != old.values[place] else { continue }
            faults += FieldCheck.faults(of: value, in: column)
            new.values[place] = value
        }
        guard faults.isEmpty else { throw EntityError.invalid(faults) }
        guard new != old else { return old }
        try checkTransition(schema, old, new)
        try confirm(schema, RecordChange(operation: operation, old: old, new: new, identity: context.identity))
        new = touched(schema, new)
        try writing(schema) { try replace(schema, old, by: new) }
        try audit(changes(schema, from: old, to: new))
        try tellChange(schema, from: old, to: new)
        return new
    }

    private func checkTransition(_ schema: EntitySchema, _ old: EntityRecord, _ new: EntityRecord) throws {
        guard let state = schema.roles.state, old.values[state.place] != new.values[state.place],
            let from = old.values[state.place].text, let to = new.values[state.place].text,
            !state.machine.canTransition(from: from, to: to)
        else { return }
        throw EntityError(
            .illegalTransition,
            "What is \(from) cannot become \(to).",
            current: schema.json(old),
            state: from,
            allowed: state.machine.allowedTransitions(from: from)
        )
    }

    /// The record with its version one up and its moment of change set.
    private func touched(_ schema: EntitySchema, _ record: EntityRecord) -> EntityRecord {
        var record = record
        if let version = schema.roles.version, case .integer(let number) = record.values[version] {
            record.values[version] = .integer(number + 1)
        }
        if let updatedAt = schema.roles.updatedAt { record.values[updatedAt] = .date(now) }
        return record
    }

    private func replace(_ schema: EntitySchema, _ old: EntityRecord, by new: EntityRecord) throws {
        guard try rows(of: schema).update(old, to: new) else { throw EntityError.changedMeanwhile(schema, old) }
    }

    /// Deletes an entity that is locked.
    func delete(_ schema: EntitySchema, _ old: EntityRecord) throws {
        try confirm(schema, RecordChange(operation: .delete, old: old, new: nil, identity: context.identity))
        var last = touched(schema, old)
        if let deletedAt = schema.roles.deletedAt {
            last.values[deletedAt] = .date(now)
            try replace(schema, old, by: last)
        } else {
            let isGone = try writing(schema) { try rows(of: schema).delete(old) }
            guard isGone else { throw EntityError.changedMeanwhile(schema, old) }
        }
        let id = schema.id(of: old)
        try audit([
            AuditEntry(category: .lifecycle, type: "\(schema.name).deleted", entityType: schema.name, entityID: id)
        ])
        try tell(.deleted, of: schema, old: old, new: last)
    }

    /// Asks the application about a change.
    private func confirm(_ schema: EntitySchema, _ change: RecordChange) throws {
        if let new = change.new {
            let faults = try schema.hooks.validate(schema, new)
            guard faults.isEmpty else { throw EntityError.invalid(faults) }
        }
        try schema.hooks.check(schema, change, self)
    }

    /// Runs statements that the database may refuse for what they say.
    private func writing<Result>(_ schema: EntitySchema, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as StoreError {
            throw EntityError(error, in: schema) ?? error
        }
    }
}

// MARK: - Changing children

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
        let record = try newRecord(child.schema, given)
        var new = parent
        new.children[place].append(record)
        try confirmChild(schema, parent, new, .addChild)
        try confirm(child.schema, RecordChange(operation: .create, old: nil, new: record, identity: context.identity))
        try writing(child.schema) {
            try rows(of: child.schema).insert(record, parent: parent.values[schema.roles.key])
        }
        new = try touchParent(schema, parent, new)
        try auditChild(child, "added", record, of: schema, parent)
        try tell(child.event("added"), of: schema, old: parent, new: new, child: (child, record))
        return (record, new)
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
        var record = old
        var faults: [FieldFault] = []
        for (place, column) in child.schema.columns.enumerated() {
            guard case .field = column.definition.kind, let value = given[place] else { continue }
            record.values[place] = column.normal(value)
            faults += FieldCheck.faults(of: record.values[place], in: column)
        }
        guard faults.isEmpty else { throw EntityError.invalid(faults) }
        guard record != old else { return (old, parent) }
        try checkTransition(child.schema, old, record)
        var new = parent
        new.children[place][index] = record
        try confirmChild(schema, parent, new, .updateChild)
        try confirm(child.schema, RecordChange(operation: .update, old: old, new: record, identity: context.identity))
        record = touched(child.schema, record)
        new.children[place][index] = record
        try writing(child.schema) { try replace(child.schema, old, by: record) }
        new = try touchParent(schema, parent, new)
        try audit(changes(child.schema, from: old, to: record))
        try auditChild(child, "updated", record, of: schema, parent)
        try tell(child.event("updated"), of: schema, old: parent, new: new, child: (child, record))
        return (record, new)
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
        try confirmChild(schema, parent, new, .removeChild)
        try confirm(child.schema, RecordChange(operation: .delete, old: record, new: nil, identity: context.identity))
        _ = try writing(child.schema) { try rows(of: child.schema).delete(record) }
        new = try touchParent(schema, parent, new)
        try auditChild(child, "removed", record, of: schema, parent)
        try tell(child.event("removed"), of: schema, old: parent, new: new, child: (child, record))
        return new
    }

    private func index(of id: UUID, in parent: EntityRecord, at place: Int, of schema: EntitySchema) throws -> Int {
        let child = schema.children[place].schema
        guard let index = parent.children[place].firstIndex(where: { child.id(of: $0) == id }) else {
            throw EntityError.notFound(child)
        }
        return index
    }

    private func confirmChild(
        _ schema: EntitySchema,
        _ old: EntityRecord,
        _ new: EntityRecord,
        _ operation: EntityOperation
    ) throws {
        try confirm(schema, RecordChange(operation: operation, old: old, new: new, identity: context.identity))
    }

    private func touchParent(_ schema: EntitySchema, _ old: EntityRecord, _ new: EntityRecord) throws -> EntityRecord {
        let touched = touched(schema, new)
        try replace(schema, old, by: touched)
        return touched
    }
}

// MARK: - What the audit says

extension UnitOfWork {
    func audit(_ entries: [AuditEntry]) throws {
        let expiry = configuration.auditRetention.map { now + $0 / .seconds(1) }
        try AuditEntry.write(entries, as: context, at: now, expiring: expiry, on: connection)
    }

    private func changes(_ schema: EntitySchema, from old: EntityRecord, to new: EntityRecord) -> [AuditEntry] {
        let id = schema.id(of: old)
        return schema.columns.enumerated().compactMap { place, column in
            guard case .field = column.definition.kind, old.values[place] != new.values[place] else { return nil }
            if place == schema.roles.state?.place {
                let (from, to) = (old.values[place].text ?? "", new.values[place].text ?? "")
                return AuditEntry(
                    category: .state,
                    type: "\(schema.name).state.\(from).\(to)",
                    entityType: schema.name,
                    entityID: id,
                    stateFrom: from,
                    stateTo: to
                )
            }
            let isRedacted = column.limits.isRedacted
            return AuditEntry(
                category: .change,
                type: "\(schema.name).changed.\(column.name)",
                entityType: schema.name,
                entityID: id,
                field: column.name,
                old: isRedacted ? AuditEntry.redacted : old.values[place].jsonText,
                new: isRedacted ? AuditEntry.redacted : new.values[place].jsonText
            )
        }
    }

    private func auditChild(
        _ child: ChildSchema,
        _ what: String,
        _ record: EntityRecord,
        of schema: EntitySchema,
        _ parent: EntityRecord
    ) throws {
        let metadata = JSONNode.members(["\(child.singular)_id": record.values[child.schema.roles.key].json])
        try audit([
            AuditEntry(
                category: .change,
                type: "\(schema.name).\(child.singular)_\(what)",
                entityType: schema.name,
                entityID: schema.id(of: parent),
                metadata: String(decoding: metadata.json, as: UTF8.self)
            )
        ])
    }
}

// MARK: - What clients are told

extension UnitOfWork {
    private func tellChange(_ schema: EntitySchema, from old: EntityRecord, to new: EntityRecord) throws {
        let changed = schema.columns.indices.filter { place in
            guard case .field = schema.columns[place].definition.kind else { return false }
            return old.values[place] != new.values[place]
        }
        let state = schema.roles.state?.place
        if changed.contains(where: { $0 != state }) { try tell(.updated, of: schema, old: old, new: new) }
        if let state, changed.contains(state) { try tell(.statusChanged, of: schema, old: old, new: new) }
    }

    /// Notes what clients will be told: on the channels of the entity as it was and as it is.
    func tell(
        _ name: EventName,
        of schema: EntitySchema,
        old: EntityRecord?,
        new: EntityRecord,
        child: (ChildSchema, EntityRecord)? = nil,
        further: [JSONNode.Member] = []
    ) throws {
        guard schema.telling.events?.contains(name) ?? true else { return }
        var channels = try schema.channels(of: new)
        for channel in try old.map(schema.channels) ?? [] where !channels.contains(channel) { channels.append(channel) }
        guard !channels.isEmpty else { return }
        let version = schema.roles.version.flatMap { new.values[$0].integer }
        var members = [JSONNode.Member("entity_id", new.values[schema.roles.key].json)]
        if let version { members.append(JSONNode.Member("version", .integer(version))) }
        if let (child, record) = child {
            members.append(JSONNode.Member("\(child.singular)_id", record.values[child.schema.roles.key].json))
        }
        if let origin = context.origin { members.append(JSONNode.Member("origin", .string(origin))) }
        if case .entity = schema.telling.payload, name != .deleted {
            members.append(JSONNode.Member("entity", schema.json(new)))
        }
        let payload = try EventPayload(json: JSONNode.object(members + further).json)
        events.append(
            OutboxEvent(
                id: UUID(),
                channels: channels,
                name: name,
                entityType: schema.name,
                entityID: schema.id(of: new).uuidString.lowercased(),
                version: version,
                payload: payload
            )
        )
    }
}

extension ChildSchema {
    /// Such as `item_added`.
    func event(_ what: String) -> EventName {
        // A sound name and a word make a sound event name.
        (try? EventName("\(singular)_\(what)")) ?? .updated
    }
}

extension EntityColumn {
    /// A value as it is kept: dates to the millisecond, texts without white space around them where that is declared.
    func normal(_ value: SQLValue) -> SQLValue {
        guard limits.isTrimmed, case .text(let text) = value else { return type.canonical(value) ?? value }
        let isSpace: (Character) -> Bool = { $0.isWhitespace }
        let trimmed = text.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        return .text(String(trimmed))
    }
}

extension EntitySchema {
    func id(of record: EntityRecord) -> UUID {
        UUID(record.values[roles.key]) ?? .blank
    }

    /// Where changes of a record are told.
    func channels(of record: EntityRecord) throws -> [ChannelName] {
        try telling.channels.compactMap { channel in
            switch channel {
            case .all: return try ChannelName(name)
            case .one: return try ChannelName("\(name):\(id(of: record).uuidString.lowercased())")
            case .each(let prefix, let place):
                guard let text = record.values[place].channelText else { return nil }
                guard let channel = try? ChannelName("\(prefix):\(text)") else {
                    throw EntityError.invalid([
                        FieldFault(
                            pointer: "/\(columns[place].name)",
                            code: "length",
                            message: "is too long or empty: it has to fit the name of a channel"
                        )
                    ])
                }
                return channel
            }
        }
    }
}

extension SQLValue {
    /// The value as a part of a channel's name; nil if there is no value.
    fileprivate var channelText: String? {
        switch self {
        case .null: nil
        case .text(let text): text.percentEncodedForChannels
        case .integer(let value): String(value)
        case .real(let value): String(value)
        case .boolean(let value): value ? "true" : "false"
        case .uuid(let value): value.uuidString.lowercased()
        case .date(let value): Timestamp.text(value)
        }
    }
}

extension String {
    /// The text with white space, control characters and percent signs as `%` and the hexadecimal digits of their bytes.
    fileprivate var percentEncodedForChannels: String {
        var result = ""
        for scalar in unicodeScalars {
            let isKept =
                scalar != "%" && !scalar.properties.isWhitespace && scalar.properties.generalCategory != .control
            if isKept {
                result.unicodeScalars.append(scalar)
            } else {
                for byte in String(scalar).utf8 {
                    result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
                }
            }
        }
        return result
    }
}
