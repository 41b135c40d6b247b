// An event of the topic dialect.
//
// Its readers take `entity_id`, `user_id` and `timestamp` for strings that are always there. So they are: one that is not
// known is empty, and a time that is not known is the first moment of 1970, because a date that cannot be read throws
// in the middle of a page, where that one is merely old.

extension TopicDialect {
    static func encode(_ event: BroadcastEvent) -> [UInt8] {
        let parts = PayloadParts(event.payload)
        return JSONObjectWriter.write(capacity: event.payload.json.count + event.channel.rawValue.utf8.count + 160) {
            $0.member("topic", event.channel.rawValue)
            $0.member("event", event.topicName ?? text(of: event.name))
            $0.object("data") { data in
                data.member("entity_id", event.name == .stale ? "" : parts.entityID)
                data.object("payload") { payload in
                    for member in parts.rest { payload.member(json: member) }
                }
                data.member("user_id", parts.userID.isEmpty ? event.userID ?? "" : parts.userID)
                data.member("timestamp", parts.timestamp ?? event.time.flatMap(Timestamp.text) ?? Timestamp.unknown)
            }
            if let traceID = event.traceID, !traceID.isEmpty { $0.member("trace_id", traceID) }
        }
    }

    static func decodeEvent(_ object: JSONObject) -> BroadcastEvent? {
        guard let channel = object.channel("topic"), let text = object.string("event"),
            let data = object.object("data"), let payload = data.object("payload")
        else { return nil }
        let entityID = data.identifier(named: "entity_id") ?? ""
        let isStale = text == "UPDATED" && entityID.isEmpty && payload.string("reason") != nil
        guard let name = isStale ? .stale : name(of: text) else { return nil }
        let timestamp = data.string("timestamp").flatMap { $0 == Timestamp.unknown ? nil : $0 }
        let moved = [
            ("entity_id", entityID), ("user_id", data.identifier(named: "user_id") ?? ""),
            ("timestamp", timestamp ?? ""),
        ]
        return BroadcastEvent(
            channel: channel,
            name: name,
            payload: payload.payload(with: isStale ? [] : moved.filter { !$0.1.isEmpty }),
            traceID: object.string("trace_id"),
            time: timestamp.flatMap { Timestamp.date($0) }
        )
    }
}

// MARK: - Names

extension TopicDialect {
    /// Four things can happen to an entity; any other event of one is an update of it.
    private static func text(of name: EventName) -> String {
        switch name {
        case .created: "ADDED"
        case .deleted: "DELETED"
        case .statusChanged: "STATUS_CHANGED"
        default: "UPDATED"
        }
    }

    /// The event; one that a server names in a way of its own keeps its name. nil if it cannot be one.
    private static func name(of text: String) -> EventName? {
        switch text {
        case "ADDED": .created
        case "UPDATED": .updated
        case "DELETED": .deleted
        case "STATUS_CHANGED": .statusChanged
        default: try? EventName(text)
        }
    }
}

// MARK: - Payloads

/// A payload without the members that an event of the topic dialect has beside it.
private struct PayloadParts {
    /// Empty if there is none.
    var entityID = ""
    /// Empty if there is none.
    var userID = ""
    /// nil if there is none, or an empty one.
    var timestamp: String?
    /// The other members as they are written, names included, in their order.
    var rest: [ArraySlice<UInt8>] = []

    init(_ payload: EventPayload) {
        // A payload is always an object: it was checked when it was made.
        guard let object = try? JSONObject(payload.json) else { return }
        for member in object.members {
            switch member.name {
            case "entity_id" where object.isIdentifier(member): entityID = object.identifier(of: member) ?? ""
            case "user_id" where object.isIdentifier(member): userID = object.identifier(of: member) ?? ""
            case "timestamp" where member.kind == .string || member.kind == .null:
                timestamp = object.string(of: member).flatMap { $0.isEmpty ? nil : $0 }
            default: rest.append(object.written(member))
            }
        }
    }
}

extension JSONObject {
    /// Whether a member names something, or says that there is nothing to name. Other kinds of values mean something
    /// else, and stay where they are.
    fileprivate func isIdentifier(_ member: JSONScanner.Member) -> Bool {
        [.string, .number, .null].contains(member.kind)
    }

    /// An identifier as text: a string, or the digits of a number.
    fileprivate func identifier(of member: JSONScanner.Member) -> String? {
        string(of: member) ?? numeral(of: member)
    }

    fileprivate func identifier(named name: String) -> String? {
        self[name].flatMap(identifier(of:))
    }

    /// The object as a payload that has these members too. They take the place of those with the same name.
    fileprivate func payload(with first: [(name: String, value: String)]) -> EventPayload {
        let json = JSONObjectWriter.write { writer in
            for (name, value) in first { writer.member(name, value) }
            for member in members where !first.contains(where: { $0.name == member.name }) {
                writer.member(json: written(member))
            }
        }
        return EventPayload(uncheckedJSON: json)
    }
}
