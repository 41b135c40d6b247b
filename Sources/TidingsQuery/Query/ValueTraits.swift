#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What the cache can do with values of a type: compare them if they are `Equatable`, persist them if they are `Codable`.
///
/// The conformances are looked up when they are needed rather than demanded by a query, so one `Query` type serves all
/// values, and an entry carries nothing for it.
enum ValueTraits<Value: Sendable> {
    /// What the type is called in storage.
    static var name: String { String(reflecting: Value.self) }

    static func areEqual(_ left: Value, _ right: Value) -> Bool {
        guard let type = Value.self as? any (Equatable & Sendable).Type else { return false }
        return compare(type, left, right)
    }

    private static func compare<Same: Equatable & Sendable>(_: Same.Type, _ left: Value, _ right: Value) -> Bool {
        // The same type twice: the casts cannot fail.
        guard let left = left as? Same, let right = right as? Same else { return false }
        return left == right
    }

    static var codec: ValueCodec<Value>? {
        guard let type = Value.self as? any (Codable & Sendable).Type else { return nil }
        return codec(type)
    }

    private static func codec<Same: Codable & Sendable>(_: Same.Type) -> ValueCodec<Value> {
        ValueCodec(
            encode: { value in
                guard let value = value as? Same else { throw EncodingMismatch() }
                return try JSONEncoder().encode(value)
            },
            decode: { bytes in
                guard let value = try JSONDecoder().decode(Same.self, from: bytes) as? Value else {
                    throw EncodingMismatch()
                }
                return value
            }
        )
    }

    private struct EncodingMismatch: Error {}
}

/// How values become bytes and come back.
struct ValueCodec<Value: Sendable>: Sendable {
    let encode: @Sendable (Value) throws -> Data
    let decode: @Sendable (Data) throws -> Value
}
