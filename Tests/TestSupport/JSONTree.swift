public import Foundation

/// Any JSON, as Foundation reads it: what a text means, without how it is written.
public enum JSONTree: Hashable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case boolean(Bool)
    /// A number; 1, 1.0 and 1e0 are the same.
    case number(Decimal)
    /// A string without its escapes.
    case string(String)
    /// Values in order.
    case array([JSONTree])
    /// Values by name.
    case object([String: JSONTree])

    /// Reads UTF-8 JSON.
    ///
    /// - Parameter json: One JSON text.
    /// - Throws: `DecodingError` if it is none.
    public init(_ json: some Sequence<UInt8>) throws {
        self = try JSONDecoder().decode(JSONTree.self, from: Data(json))
    }
}

extension JSONTree: Decodable {
    /// Reads a value of any kind.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONTree].self) {
            self = .array(value)
        } else if let value = try? container.decode([String: JSONTree].self) {
            self = .object(value)
        } else {
            self = .number(try container.decode(Decimal.self))
        }
    }
}
