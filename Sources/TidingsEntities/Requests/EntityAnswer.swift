public import TidingsWire

/// What came of a request, before it is put into HTTP.
public struct EntityAnswer: Hashable, Sendable {
    /// What kind of success it is.
    public enum Kind: String, Hashable, Sendable {
        /// Here it is.
        case found
        /// It is there now.
        case created
        /// It is changed, or was so already.
        case changed
        /// It is gone.
        case deleted
    }

    /// What kind of success it is.
    public let kind: Kind
    /// What there is to say, as UTF-8 JSON; empty when it is gone.
    public let json: [UInt8]
    /// Tells representations of the entity apart, as in the header `ETag` (RFC 9110 §8.8.3), quotes included; of a child's
    /// parent. Nil for lists, and for an entity that is gone.
    public let entityTag: String?
    /// The identifier of what was created.
    public let createdID: String?
    /// For something that was read, up to where it takes events into account; for a change, the position of its last event.
    /// nil if it told nothing, or the position is not known in time.
    public var position: EventPosition?

    init(
        _ kind: Kind,
        json: [UInt8] = [],
        entityTag: String? = nil,
        createdID: String? = nil,
        position: EventPosition? = nil
    ) {
        self.kind = kind
        self.json = json
        self.entityTag = entityTag
        self.createdID = createdID
        self.position = position
    }
}

extension EntityAnswer {
    /// The answer as it is kept for a request that comes again.
    var kept: String {
        let node = JSONNode.members([
            "kind": .string(kind.rawValue),
            "json": .string(String(decoding: json, as: UTF8.self)),
            "entity_tag": entityTag.map(JSONNode.string),
            "created_id": createdID.map(JSONNode.string),
        ])
        return String(decoding: node.json, as: UTF8.self)
    }

    init?(kept: String) {
        guard let node = try? JSONNode(parsing: Array(kept.utf8), maximumDepth: 4),
            let kind = node["kind"]?.text.flatMap(Kind.init), let json = node["json"]?.text
        else { return nil }
        self.init(
            kind,
            json: Array(json.utf8),
            entityTag: node["entity_tag"]?.text,
            createdID: node["created_id"]?.text
        )
    }
}

extension JSONNode {
    /// The text; nil if this is none.
    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }
}
