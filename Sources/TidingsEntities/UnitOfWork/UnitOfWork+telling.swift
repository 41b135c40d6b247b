import FoundationEssentials
import TidingsBroadcast
import TidingsWire

// What clients are told.

extension UnitOfWork {
    func tellChange(of schema: EntitySchema, from old: EntityRecord, to new: EntityRecord) throws {
        let changed = schema.columns.indices.filter { place in
            guard case .field = schema.columns[place].definition.kind else { return false }
            return old.values[place] != new.values[place]
        }
        let state = schema.roles.state?.place
        if changed.contains(where: { $0 != state }) { try tell(.updated, of: schema, old: old, new: new) }
        if let state, changed.contains(state) { try tell(.statusChanged, of: schema, old: old, new: new) }
    }

    /// Notes what clients will be told: on the channels of the entity as it is and as it was.
    ///
    /// - Parameter further: Members of the payload that are the application's own.
    func tell(
        _ name: EventName,
        of schema: EntitySchema,
        old: EntityRecord?,
        new: EntityRecord,
        child: (schema: ChildSchema, record: EntityRecord)? = nil,
        further: [JSONNode.Member] = []
    ) throws {
        guard schema.telling.events?.contains(name) ?? true else { return }
        let current = try schema.channels(of: new)
        let left = try old.map(schema.channels)?.filter { !current.contains($0) } ?? []
        guard !current.isEmpty || !left.isEmpty else { return }
        let version = schema.roles.version.flatMap { new.values[$0].integer }
        var members = [JSONNode.Member("entity_id", new.values[schema.roles.key].json)]
        if let version { members.append(JSONNode.Member("version", .integer(version))) }
        if let (child, record) = child {
            members.append(JSONNode.Member("\(child.singular)_id", record.values[child.schema.roles.key].json))
        }
        if let origin = context.origin { members.append(JSONNode.Member("origin", .string(origin))) }
        // Whoever hears a channel that the entity leaves may not be meant to see it any more.
        if case .entity = schema.telling.payload, name != .deleted, left.isEmpty {
            members.append(JSONNode.Member("entity", schema.json(new)))
        }
        members += further.filter { own in !members.contains { $0.name == own.name } }
        var json = JSONNode.object(members).json
        if json.count > WireLimits.payloadBytes {
            // Clients take no event of any size: what is too large for one is fetched.
            json = JSONNode.object(members.filter { $0.name != "entity" }).json
        }
        events.append(
            OutboxEvent(
                id: UUID(),
                channels: current + left,
                name: name,
                entityType: schema.name,
                entityID: schema.id(of: new).uuidString.lowercased(),
                version: version,
                payload: try EventPayload(json: json)
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
