public import FoundationEssentials
import TidingsWire

/// What a ``Field`` can hold: `String`, `Int`, `Double`, `Bool`, `Date`, `UUID`, a ``FieldChoice``, an ``EntityState``, and
/// an optional of each.
public protocol FieldValue: Codable, Hashable, Sendable {
    /// The type without an optional around it.
    associatedtype Base: FieldValue

    /// What databases, JSON and OpenAPI take it for.
    static var fieldType: FieldType { get }
    /// Whether there may be no value.
    static var isNullable: Bool { get }
    /// The texts that it can be; nil if it is not one of a few.
    static var choices: [String]? { get }
    /// The transitions of its states; nil if it is no state.
    static var stateMachine: StateMachine? { get }
    /// What a field reads as before it was given a value.
    static var blank: Self { get }

    /// Takes a value from a database or from JSON; nil if it is none of this type.
    init?(_ value: SQLValue)
    /// The value as it goes to a database.
    var sqlValue: SQLValue { get }
}

extension FieldValue {
    /// False.
    public static var isNullable: Bool { false }
    /// Nil.
    public static var choices: [String]? { nil }
    /// Nil.
    public static var stateMachine: StateMachine? { nil }
}

extension String: FieldValue {
    /// Itself.
    public typealias Base = String
    /// Text.
    public static var fieldType: FieldType { .text }
    /// The empty text.
    public static var blank: String { "" }
    /// Takes a text.
    public init?(_ value: SQLValue) {
        guard case .text(let text) = value else { return nil }
        self = text
    }
    /// A text.
    public var sqlValue: SQLValue { .text(self) }
}

extension Int: FieldValue {
    /// Itself.
    public typealias Base = Int
    /// An integer.
    public static var fieldType: FieldType { .integer }
    /// Zero.
    public static var blank: Int { 0 }
    /// Takes an integer.
    public init?(_ value: SQLValue) {
        guard case .integer(let integer) = value else { return nil }
        self = Int(integer)
    }
    /// An integer.
    public var sqlValue: SQLValue { .integer(Int64(self)) }
}

extension Double: FieldValue {
    /// Itself.
    public typealias Base = Double
    /// A floating-point number.
    public static var fieldType: FieldType { .real }
    /// Zero.
    public static var blank: Double { 0 }
    /// Takes a number.
    public init?(_ value: SQLValue) {
        switch value {
        case .real(let real): self = real
        case .integer(let integer): self = Double(integer)
        default: return nil
        }
    }
    /// A floating-point number.
    public var sqlValue: SQLValue { .real(self) }
}

extension Bool: FieldValue {
    /// Itself.
    public typealias Base = Bool
    /// A truth value.
    public static var fieldType: FieldType { .boolean }
    /// False.
    public static var blank: Bool { false }
    /// Takes a truth value, or 0 or 1 from a database without truth values.
    public init?(_ value: SQLValue) {
        switch value {
        case .boolean(let boolean): self = boolean
        case .integer(0): self = false
        case .integer(1): self = true
        default: return nil
        }
    }
    /// A truth value.
    public var sqlValue: SQLValue { .boolean(self) }
}

extension Date: FieldValue {
    /// Itself.
    public typealias Base = Date
    /// A moment.
    public static var fieldType: FieldType { .date }
    /// The first moment of 1970.
    public static var blank: Date { Date(timeIntervalSince1970: 0) }
    /// Takes a moment, or RFC 3339 from a database without moments.
    public init?(_ value: SQLValue) {
        switch value {
        case .date(let date): self = date
        case .text(let text):
            guard let date = Timestamp.date(text) else { return nil }
            self = date
        default: return nil
        }
    }
    /// A moment.
    public var sqlValue: SQLValue { .date(self) }
}

extension UUID: FieldValue {
    /// Itself.
    public typealias Base = UUID
    /// An identifier.
    public static var fieldType: FieldType { .uuid }
    /// The nil identifier (RFC 9562 §5.9).
    public static var blank: UUID { UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)) }
    /// Takes an identifier, or its text from a database without identifiers.
    public init?(_ value: SQLValue) {
        switch value {
        case .uuid(let uuid): self = uuid
        case .text(let text):
            guard let uuid = UUID(uuidString: text) else { return nil }
            self = uuid
        default: return nil
        }
    }
    /// An identifier.
    public var sqlValue: SQLValue { .uuid(self) }
}

extension Optional: FieldValue where Wrapped: FieldValue {
    /// The type without the optional.
    public typealias Base = Wrapped.Base
    /// What it is without the optional.
    public static var fieldType: FieldType { Wrapped.fieldType }
    /// True.
    public static var isNullable: Bool { true }
    /// What it is without the optional.
    public static var choices: [String]? { Wrapped.choices }
    /// What it is without the optional.
    public static var stateMachine: StateMachine? { Wrapped.stateMachine }
    /// No value.
    public static var blank: Wrapped? { nil }
    /// Takes null, or a value.
    public init?(_ value: SQLValue) {
        if value == .null {
            self = .none
        } else {
            guard let wrapped = Wrapped(value) else { return nil }
            self = wrapped
        }
    }
    /// Null, or the value.
    public var sqlValue: SQLValue { map(\.sqlValue) ?? .null }
}

/// A field that is one of a few texts.
///
/// ```swift
/// enum Course: String, FieldChoice { case starter, main, dessert }
/// ```
public protocol FieldChoice: FieldValue, RawRepresentable<String>, CaseIterable where Base == Self {}

extension FieldChoice {
    /// Text.
    public static var fieldType: FieldType { .text }
    /// The raw values.
    public static var choices: [String]? { allCases.map(\.rawValue) }
    /// The first case.
    public static var blank: Self {
        guard let first = allCases.first else {
            preconditionFailure("\(Self.self) has no cases, so no value of it is read.")
        }
        return first
    }
    /// Takes the text of a case.
    public init?(_ value: SQLValue) {
        guard case .text(let text) = value else { return nil }
        self.init(rawValue: text)
    }
    /// The raw value.
    public var sqlValue: SQLValue { .text(rawValue) }
}
