#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What the cache can do with values of a type: compare them if they are `Equatable`, persist them if they are `Codable`.
///
/// The conformances are looked up once for each query rather than demanded by it, so one `Query` type serves all values.
struct ValueTraits<Value: Sendable>: Sendable {
    var isEqual: (@Sendable (Value, Value) -> Bool)?
    var codec: ValueCodec<Value>?

    init() {
        if let type = Value.self as? any (Equatable & Sendable).Type { isEqual = Self.equality(type) }
        if let type = Value.self as? any (Codable & Sendable).Type { codec = Self.codec(type) }
    }

    private static func equality<Same: Equatable & Sendable>(_: Same.Type) -> (@Sendable (Value, Value) -> Bool)? {
        { left, right in
            // The same type twice: the casts cannot fail.
            guard let left = left as? Same, let right = right as? Same else { return false }
            return left == right
        }
    }

    private static func codec<Same: Codable & Sendable>(_: Same.Type) -> ValueCodec<Value>? {
        ValueCodec(
            encode: { value in
                guard let value = value as? Same else { throw EncodingMismatch() }
                return [UInt8](try JSONEncoder().encode(value))
            },
            decode: { bytes in
                guard let value = try JSONDecoder().decode(Same.self, from: Data(bytes)) as? Value else {
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
    let encode: @Sendable (Value) throws -> [UInt8]
    let decode: @Sendable ([UInt8]) throws -> Value
}
