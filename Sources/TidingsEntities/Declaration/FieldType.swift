/// What a field holds, as far as databases, JSON and OpenAPI are concerned.
public enum FieldType: String, Hashable, Sendable, CaseIterable {
    /// Text of any length.
    case text
    /// A signed integer of 64 bits.
    case integer
    /// A floating-point number of 64 bits.
    case real
    /// A truth value.
    case boolean
    /// A moment, to the millisecond.
    case date
    /// A universally unique identifier (RFC 9562).
    case uuid
}
