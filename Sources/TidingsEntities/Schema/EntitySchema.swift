import FoundationEssentials
import TidingsBroadcast

/// What a declaration comes to: columns, children, channels, and the application's own code behind one face.
///
/// Made once when the server starts, by ``SchemaBuilder``.
final class EntitySchema: Sendable {
    let name: String
    let plural: String
    let isSingleton: Bool
    let layout: FieldLayout
    let children: [ChildSchema]
    let roles: ColumnRoles
    let hooks: EntityHooks
    let telling: EntityTelling
    let actions: [ActionSchema]
    /// The entity that it belongs to; nil for one with a life of its own.
    let parent: ParentReference?

    init(
        name: String,
        plural: String,
        isSingleton: Bool,
        layout: FieldLayout,
        children: [ChildSchema],
        roles: ColumnRoles,
        hooks: EntityHooks,
        telling: EntityTelling,
        actions: [ActionSchema],
        parent: ParentReference?
    ) {
        self.name = name
        self.plural = plural
        self.isSingleton = isSingleton
        self.layout = layout
        self.children = children
        self.roles = roles
        self.hooks = hooks
        self.telling = telling
        self.actions = actions
        self.parent = parent
    }

    /// The table's name.
    var table: String { plural }
    /// The column of a child that names its parent.
    var parentColumn: String? { parent?.column }

    var columns: [EntityColumn] { layout.columns }

    func id(of record: EntityRecord) -> UUID { UUID(record.values[roles.key]) ?? .blank }
}

/// The entity that another one belongs to.
struct ParentReference: Sendable {
    let name: String
    let table: String

    /// The column of the child that names it.
    var column: String { name + "_id" }
}

/// The fields of a declaration, in its order.
struct FieldLayout: Sendable {
    /// Whose they are, for messages.
    let owner: String
    let columns: [EntityColumn]
    private let placesByProperty: [String: Int]
    private let placesByColumn: [String: Int]

    /// Of two columns with one name the first counts; that there are none is checked elsewhere.
    init(owner: String, columns: [EntityColumn]) {
        self.owner = owner
        self.columns = columns
        placesByProperty = Dictionary(
            columns.enumerated().map { ($1.property, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        placesByColumn = Dictionary(columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func place(ofProperty property: String) -> Int? { placesByProperty[property] }
    func place(ofColumn column: String) -> Int? { placesByColumn[column] }

    /// The column that a key path's property is.
    func place(of definition: PropertyDefinition?) -> Int? {
        definition.flatMap { wanted in columns.firstIndex { $0.definition === wanted } }
    }

    /// The columns that clients see.
    var publicColumns: [(place: Int, column: EntityColumn)] {
        columns.enumerated().filter { !$1.limits.isSyncExcluded }.map { (place: $0, column: $1) }
    }
}

/// A field of an entity as a column of a table and a member of JSON.
struct EntityColumn: Sendable {
    /// The property's name in Swift.
    let property: String
    /// The column's and the member's name.
    let name: String
    let definition: PropertyDefinition

    var type: FieldType { definition.type }
    var isNullable: Bool { definition.isNullable }
    var limits: FieldLimits { definition.limits }

    /// Whether clients may set it when they create an entity.
    var isCreatable: Bool {
        switch definition.kind {
        case .key: true
        case .field: !limits.isSyncExcluded
        default: false
        }
    }

    /// Whether clients may change it.
    var isChangeable: Bool {
        guard case .field = definition.kind else { return false }
        return !limits.isSyncExcluded && !limits.isFixed
    }

    /// A value as it is kept: dates to the millisecond, texts without white space around them where that is declared.
    func normal(_ value: SQLValue) -> SQLValue {
        guard limits.isTrimmed, case .text(let text) = value else { return type.canonical(value) ?? value }
        let isSpace: (Unicode.Scalar) -> Bool = { $0.properties.isWhitespace }
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !isSpace($0) }),
            let last = scalars.lastIndex(where: { !isSpace($0) })
        else { return .text("") }
        return .text(String(scalars[first...last]))
    }

    /// Whether an entity cannot be created without saying what it is.
    var isRequired: Bool {
        guard case .field = definition.kind else { return false }
        return definition.initial == nil
    }
}

/// Which columns have a meaning of their own, by their places.
struct ColumnRoles: Sendable {
    var key = 0
    var version: Int?
    var isVersionRequired = false
    var createdAt: Int?
    var updatedAt: Int?
    var deletedAt: Int?
    var reference: (place: Int, prefix: String)?
    var state: (place: Int, machine: StateMachine)?
}

/// Entities that belong to another one.
struct ChildSchema: Sendable {
    /// The property's name in Swift.
    let property: String
    /// The member's name in JSON, and the part of the path: `items`.
    let name: String
    /// What one is called in events and payloads: `item`.
    let singular: String
    /// How many a parent has at most.
    let limit: Int64
    let schema: EntitySchema
}

/// Who is told what.
struct EntityTelling: Sendable {
    enum Channel: Sendable {
        case all
        case one
        case each(prefix: String, place: Int)
    }

    let channels: [Channel]
    let payload: EntityPayload
    let delivery: ChannelDelivery
    let events: [EventName]?
    let topicNames: [EventName: String]
}

/// Something that can be done to an entity.
struct ActionSchema: Sendable {
    let name: String
    /// The input's fields.
    let input: FieldLayout
    /// Does it to a record; takes the input's values by column, and gives the record's.
    let perform: @Sendable (EntitySchema, _ input: [SQLValue], EntityRecord, UnitOfWork) throws -> [SQLValue?]
}

/// The application's own code, behind types that all entities share. Each takes the schema that it belongs to.
struct EntityHooks: Sendable {
    let validate: @Sendable (EntitySchema, EntityRecord) throws -> [FieldFault]
    let check: @Sendable (EntitySchema, RecordChange, UnitOfWork) throws -> Void
    let scope: @Sendable (EntitySchema, Identity?) -> RowScope
    let authorize: @Sendable (EntitySchema, Identity?, EntityOperation, EntityRecord?) throws -> Bool
}

/// What is about to happen to a record.
struct RecordChange: Sendable {
    let operation: EntityOperation
    let old: EntityRecord?
    let new: EntityRecord?
    let identity: Identity?
}

/// Which rows somebody may know of.
indirect enum RowScope: Sendable {
    case all
    case none
    case values(place: Int, [SQLValue])
    case every([RowScope])

    /// Whether a row is one of them.
    func contains(_ record: EntityRecord) -> Bool {
        switch self {
        case .all: true
        case .none: false
        case .values(let place, let values): values.contains(record.values[place])
        case .every(let scopes): scopes.allSatisfy { $0.contains(record) }
        }
    }

    /// Whether every row is one of them.
    var isAll: Bool {
        switch self {
        case .all: true
        case .every(let scopes): scopes.allSatisfy(\.isAll)
        case .none, .values: false
        }
    }
}
