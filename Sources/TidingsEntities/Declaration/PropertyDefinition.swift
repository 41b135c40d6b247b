import FoundationEssentials

/// What a property's declaration says. A class, so that a schema can find out which property a key path names: the one
/// with the same definition.
final class PropertyDefinition: Sendable {
    /// What kind of property it is.
    enum Kind: Sendable {
        case key
        case field
        case reference(prefix: String)
        case version(isRequired: Bool)
        case createdAt
        case updatedAt
        case deletedAt
        case children(any Entity.Type)
    }

    let kind: Kind
    let type: FieldType
    let isNullable: Bool
    let choices: [String]?
    let states: StateMachine?
    /// What a new entity has without being told; nil: it has to be told.
    let initial: SQLValue?
    let limits: FieldLimits

    init(
        kind: Kind,
        type: FieldType,
        isNullable: Bool = false,
        choices: [String]? = nil,
        states: StateMachine? = nil,
        initial: SQLValue? = nil,
        limits: FieldLimits = FieldLimits()
    ) {
        self.kind = kind
        self.type = type
        self.isNullable = isNullable
        self.choices = choices
        self.states = states
        self.initial = initial
        self.limits = limits
    }
}

/// What a field may be, and what is done with it.
struct FieldLimits: Sendable {
    /// Characters (Unicode scalars) of a text.
    var length: ClosedRange<Int>?
    var pattern: String?
    var minimum: SQLValue?
    var maximum: SQLValue?
    var isTrimmed = false
    var isUnique = false
    var isIndexed = false
    /// The table that it names a row of.
    var references: (any Entity.Type)?
    /// Whether only the server sees it.
    var isSyncExcluded = false
    /// Whether the audit says only that it changed.
    var isRedacted = false
    /// Whether it stays as it was created.
    var isFixed = false
}

/// A property that was declared.
protocol DeclaredProperty {
    /// What its declaration says; nil for one that was read from somewhere.
    var definition: PropertyDefinition? { get }
}

/// A declared property that is a column.
protocol ColumnProperty: DeclaredProperty {
    /// Its value; nil if it was given none.
    var sqlValue: SQLValue? { get }
    init(sqlValue: SQLValue) throws
}

/// A declared property that holds entities.
protocol ChildrenProperty: DeclaredProperty {
    init(records: [EntityRecord], schema: EntitySchema) throws
}
