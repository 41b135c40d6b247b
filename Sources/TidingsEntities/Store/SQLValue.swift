public import FoundationEssentials

/// A value as it goes to a database and comes back.
///
/// A database without a type of its own for a value gives it back as what it keeps in its place: SQLite has dates,
/// identifiers and truth values as text and integers. ``FieldType`` knows what is meant.
public enum SQLValue: Sendable {
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

extension SQLValue: Hashable {
    /// Whether both are the same value to a database: texts byte by byte, where `String` takes texts that look alike for
    /// equal.
    public static func == (left: SQLValue, right: SQLValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.integer(let left), .integer(let right)): left == right
        case (.real(let left), .real(let right)): left == right
        case (.text(let left), .text(let right)): left.utf8.elementsEqual(right.utf8)
        case (.boolean(let left), .boolean(let right)): left == right
        case (.date(let left), .date(let right)): left == right
        case (.uuid(let left), .uuid(let right)): left == right
        default: false
        }
    }

    /// Feeds the value.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: break
        case .integer(let value): hasher.combine(value)
        case .real(let value): hasher.combine(value)
        case .text(let value): for byte in value.utf8 { hasher.combine(byte) }
        case .boolean(let value): hasher.combine(value)
        case .date(let value): hasher.combine(value)
        case .uuid(let value): hasher.combine(value)
        }
    }
}

// Not by nil: where an optional value is meant, `nil` would be taken for null now and then.
extension SQLValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
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
