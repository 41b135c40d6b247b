/// What a change does to one field. In JSON, a field that stays as it is is absent, and one that is cleared is null
/// ([RFC 7396](https://www.rfc-editor.org/rfc/rfc7396)).
///
/// A structure with such properties is encoded and decoded as it has to be without further code.
public enum FieldUpdate<Value> {
    /// It stays as it is.
    case unchanged
    /// It gets a value; of an optional, possibly none.
    case to(Value)

    /// Does it.
    ///
    /// - Parameter field: Gets the value, if there is one.
    public func apply(to field: inout Value) {
        if case .to(let value) = self { field = value }
    }
}

extension FieldUpdate: Sendable where Value: Sendable {}
extension FieldUpdate: Equatable where Value: Equatable {}
extension FieldUpdate: Hashable where Value: Hashable {}

extension FieldUpdate: Encodable where Value: Encodable {
    /// Writes the value. A field that stays as it is has none, and is left out by the structure that it belongs to.
    ///
    /// - Throws: `EncodingError` where it cannot be left out, such as in an array.
    public func encode(to encoder: any Encoder) throws {
        guard case .to(let value) = self else {
            let context = EncodingError.Context(
                codingPath: encoder.codingPath,
                debugDescription: "A field that stays as it is can only be left out of a structure."
            )
            throw EncodingError.invalidValue(self, context)
        }
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

extension FieldUpdate: Decodable where Value: Decodable {
    /// Reads a value.
    public init(from decoder: any Decoder) throws {
        self = .to(try decoder.singleValueContainer().decode(Value.self))
    }
}

extension KeyedEncodingContainer {
    /// Writes a field that changes, and nothing for one that stays as it is.
    public mutating func encode<Value: Encodable>(_ update: FieldUpdate<Value>, forKey key: Key) throws {
        if case .to(let value) = update { try encode(value, forKey: key) }
    }
}

extension KeyedDecodingContainer {
    /// Reads a field; one that is absent stays as it is.
    public func decode<Value: Decodable>(
        _ type: FieldUpdate<Value>.Type,
        forKey key: Key
    ) throws -> FieldUpdate<Value> {
        contains(key) ? .to(try decode(Value.self, forKey: key)) : .unchanged
    }
}
