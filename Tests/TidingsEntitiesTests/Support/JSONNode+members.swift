import TidingsWire

extension JSONNode {
    var members: [Member] { if case .object(let members) = self { members } else { [] } }
    var names: [String] { members.map(\.name) }
    var elements: [JSONNode] { if case .array(let elements) = self { elements } else { [] } }
    var string: String? { if case .string(let text) = self { text } else { nil } }
    var strings: [String] { elements.compactMap(\.string) }

    /// The value and everything in it.
    var all: [JSONNode] { [self] + members.flatMap(\.value.all) + elements.flatMap(\.all) }

    /// The JSON that a test has written down.
    static func parsed(_ text: String) throws -> JSONNode {
        try JSONNode(parsing: Array(text.utf8), maximumDepth: 16)
    }

    /// The document as text.
    var text: String { String(decoding: json, as: UTF8.self) }
}
