public import FoundationEssentials

/// A value as it goes to a database and comes back.
///
/// A database without a type of its own for a value gives it back as what it keeps in its place: SQLite has dates,
/// identifiers and truth values as text and integers. ``FieldType`` knows what is meant.
public enum SQLValue: Hashable, Sendable {
    /// No value.
    case null
    /// A signed integer of 64 bits.
    case integer(Int64)
    /// A floating-point number of 64 bits (IEEE 754); never NaN or infinite.
    case real(Double)
    /// Text without the character U+0000.
    case text(String)
    /// A truth value.
    case boolean(Bool)
    /// A moment, to the millisecond.
    case date(Date)
    /// A universally unique identifier (RFC 9562).
    case uuid(UUID)
}

extension SQLValue: ExpressibleByNilLiteral, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral
{
    /// No value.
    public init(nilLiteral: ()) { self = .null }
    /// Text.
    public init(stringLiteral value: String) { self = .text(value) }
    /// An integer.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
}

extension SQLValue {
    /// The integer; nil if it is something else.
    public var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// The text; nil if it is something else.
    public var text: String? {
        if case .text(let value) = self { value } else { nil }
    }
}

/// A row that a statement returned.
public struct SQLRow: Sendable {
    private let columns: [String: Int]
    private let values: [SQLValue]

    /// Makes a row.
    ///
    /// - Parameters:
    ///   - columns: The place of each column; the rows of one statement share it.
    ///   - values: The values, by place.
    public init(columns: [String: Int], values: [SQLValue]) {
        self.columns = columns
        self.values = values
    }

    /// A column's value; null if there is no such column.
    public subscript(column: String) -> SQLValue {
        columns[column].map { values[$0] } ?? .null
    }

    /// The value at a place; null if there is none.
    public subscript(place: Int) -> SQLValue {
        values.indices.contains(place) ? values[place] : .null
    }
}
