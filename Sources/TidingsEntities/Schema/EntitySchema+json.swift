import FoundationEssentials
import TidingsWire

extension SQLValue {
    /// The value as JSON: dates in RFC 3339, identifiers in small letters.
    var json: JSONNode {
        switch self {
        case .null: .null
        case .integer(let value): .integer(value)
        case .real(let value): .number("\(value)")
        case .text(let value): .string(value)
        case .boolean(let value): .boolean(value)
        case .date(let value): Timestamp.text(value).map(JSONNode.string) ?? .null
        case .uuid(let value): .string(value.uuidString.lowercased())
        }
    }

    /// The value as JSON text.
    var jsonText: String { String(decoding: json.json, as: UTF8.self) }
}

extension EntitySchema {
    /// A record as clients see it: declared fields in their order, without excluded ones, then children.
    func json(_ record: EntityRecord) -> JSONNode {
        var members = layout.publicColumns.map { JSONNode.Member($1.name, record.values[$0].json) }
        for (child, records) in zip(children, record.children) {
            members.append(JSONNode.Member(child.name, .array(records.map(child.schema.json))))
        }
        return .object(members)
    }
}
