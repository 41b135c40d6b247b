public import FoundationEssentials

/// A field of an entity.
///
/// ```swift
/// @Field(.length(1...20), .indexed) var table: String
/// @Field(.range(1...99)) var quantity = 1
/// @Field var note: String?
/// ```
///
/// A field without a default has to be given when an entity is created; one that is optional or has a default need not.
/// Read before it was given a value, a field is blank: empty, zero, false.
@propertyWrapper
public struct Field<Value: FieldValue>: Sendable {
    let definition: PropertyDefinition?
    private var value: Value?

    /// Declares a field that has to be given, unless it is optional or a state, and that may be everything of its type.
    ///
    /// The compiler looks for an initializer without parameters where a property has no default.
    public init() {
        self.init(initial: Self.implicitDefault, [])
    }

    /// Declares a field that has to be given, unless it is optional or a state.
    ///
    /// - Parameters:
    ///   - option: What it may be, or what is done with it.
    ///   - further: What else.
    public init(_ option: FieldOption<Value>, _ further: FieldOption<Value>...) {
        self.init(initial: Self.implicitDefault, [option] + further)
    }

    /// What needs no default of its own: no value, or the initial state.
    private static var implicitDefault: Value? {
        Value.isNullable || Value.stateMachine != nil ? Value.blank : nil
    }

    /// Declares a field with a default.
    ///
    /// - Parameters:
    ///   - wrappedValue: What a new entity has without being told.
    ///   - options: What it may be, and what is done with it.
    public init(wrappedValue: Value, _ options: FieldOption<Value>...) {
        self.init(initial: wrappedValue, options)
    }

    private init(initial: Value?, _ options: [FieldOption<Value>]) {
        definition = PropertyDefinition(
            kind: .field,
            type: Value.fieldType,
            isNullable: Value.isNullable,
            choices: Value.choices,
            states: Value.stateMachine,
            initial: initial?.sqlValue,
            limits: options.reduce(into: FieldLimits()) { $1.apply(&$0) }
        )
        value = initial
    }

    /// The value.
    public var wrappedValue: Value {
        get { value ?? Value.blank }
        set { value = newValue }
    }

    /// The declaration, for key paths such as `\.$table`.
    public var projectedValue: Field<Value> { self }
}

extension Field: ColumnProperty {
    var sqlValue: SQLValue? { value?.sqlValue }

    init(sqlValue: SQLValue) throws {
        guard let value = Value(sqlValue) else { throw UnreadableValue(type: "\(Value.self)") }
        definition = nil
        self.value = value
    }
}

extension Field: Codable {
    /// Reads the value.
    public init(from decoder: any Decoder) throws {
        definition = nil
        value = try Value(from: decoder)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        try wrappedValue.encode(to: encoder)
    }
}

/// A database holds what no value of a declared type is.
struct UnreadableValue: Error {
    let type: String
}

/// What a field may be, or what is done with it.
public struct FieldOption<Value: FieldValue>: Sendable {
    let apply: @Sendable (inout FieldLimits) -> Void

    private init(_ apply: @escaping @Sendable (inout FieldLimits) -> Void) {
        self.apply = apply
    }
}

extension FieldOption {
    /// No two entities have the same value. Deleted ones that are kept do not count.
    public static var unique: Self { Self { $0.isUnique = true } }
    /// Entities are often looked for by it.
    public static var indexed: Self { Self { $0.isIndexed = true } }
    /// It never leaves the server: no answer, no broadcast and no schema has it, and no request sets it.
    public static var syncExclude: Self { Self { $0.isSyncExcluded = true } }
    /// The audit says that it changed, not from what to what.
    public static var redacted: Self { Self { $0.isRedacted = true } }
    /// It stays as it was when the entity was created.
    public static var fixed: Self { Self { $0.isFixed = true } }
}

extension FieldOption where Value.Base == String {
    /// How many characters (Unicode scalars) it has.
    public static func length(_ range: ClosedRange<Int>) -> Self { Self { $0.length = range } }
    /// What it has to look like as a whole: a regular expression that Swift's `Regex` and ECMA-262 both know.
    public static func pattern(_ expression: String) -> Self { Self { $0.pattern = expression } }
    /// White space around it is dropped before it is looked at.
    public static var trimmed: Self { Self { $0.isTrimmed = true } }
}

extension FieldOption where Value.Base: Comparable {
    /// The least and the greatest that it may be.
    public static func range(_ range: ClosedRange<Value.Base>) -> Self {
        Self {
            $0.minimum = range.lowerBound.sqlValue
            $0.maximum = range.upperBound.sqlValue
        }
    }

    /// The least that it may be.
    public static func atLeast(_ minimum: Value.Base) -> Self { Self { $0.minimum = minimum.sqlValue } }
    /// The greatest that it may be.
    public static func atMost(_ maximum: Value.Base) -> Self { Self { $0.maximum = maximum.sqlValue } }
}

extension FieldOption where Value.Base == UUID {
    /// It is the identifier of an entity of another kind, which has to be there and cannot be deleted meanwhile.
    public static func references<Other: Entity>(_ other: Other.Type) -> Self { Self { $0.references = other } }
}
