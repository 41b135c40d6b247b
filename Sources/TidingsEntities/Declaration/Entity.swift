public import FoundationEssentials
public import TidingsBroadcast

/// A thing that an application keeps, declared once: its table, its routes, its broadcasts, its audit, its states and its
/// OpenAPI description come from this one declaration.
///
/// ```swift
/// struct Order: Entity {
///     @Key var id: UUID
///     @Field(.length(1...20)) var table: String
///     @Field(.length(0...200)) var note: String?
///     @Field var status: Status
///     @Children var items: [OrderItem]
///     @Version var version: Int
///     @CreatedAt var createdAt: Date
///     @UpdatedAt var updatedAt: Date
/// }
/// ```
///
/// A property's name is the field's: `createdAt` is the column `created_at` and the member `created_at` in JSON. Every
/// stored property is declared with one of ``Key``, ``Field``, ``Reference``, ``Children``, ``Version``, ``CreatedAt``,
/// ``UpdatedAt`` and ``DeletedAt``. Coding is synthesized: do not write coding keys.
///
/// What is declared is checked when ``Entities`` is made, before anything is served.
public protocol Entity: FieldSet, Identifiable where ID == UUID {
    /// Identifies the entity among all of its kind; declared with ``Key``.
    var id: UUID { get }

    /// What one of them is called in channels, events and paths: `order`. The type's name in snake case unless said
    /// otherwise.
    static var name: String { get }
    /// What several are called: `orders`. The table and the path are called so. The name with an `s` unless said otherwise;
    /// where English has it otherwise, it has to be said.
    static var plural: String { get }
    /// Whether there is exactly one, which is always there, such as an application's settings. Its route is `/name`.
    static var isSingleton: Bool { get }
    /// Who is told what when something changes. On `name` and `name:id`, with a hint, unless said otherwise.
    static var broadcast: EntityBroadcast<Self> { get }
    /// What can be done besides creating, changing and deleting; each one is a route of its own.
    static var actions: [any EntityAction<Self>.Type] { get }

    /// Finds what is wrong with the entity besides what its fields' limits say, before it is written.
    ///
    /// - Parameter faults: Takes what is wrong, by field. Nothing is written if there is any.
    func validate(_ faults: inout FieldFaults<Self>)

    /// Stands in the way of a change that must not be made now. Called within the transaction, after the entity is locked
    /// and before anything is written.
    ///
    /// - Parameters:
    ///   - change: What is about to happen, with the entity as it was and as it will be.
    ///   - unit: Reads what else it depends on, or changes what has to change with it.
    /// - Throws: ``EntityError``, such as ``EntityError/refused(_:_:)``; the transaction is rolled back.
    static func check(_ change: EntityChange<Self>, in unit: UnitOfWork) throws

    /// Which of them somebody may know of. Others do not exist for them: lists leave them out, and lookups do not find
    /// them. All of them unless said otherwise.
    ///
    /// - Parameter identity: Who it is; nil if nobody said.
    static func scope(of identity: Identity?) -> EntityScope<Self>

    /// Whether somebody may do something to an entity of their ``scope(of:)``. Everything unless said otherwise. Called
    /// within the transaction.
    ///
    /// - Parameters:
    ///   - identity: Who it is; nil if nobody said.
    ///   - operation: What is to be done.
    ///   - entity: To what; nil for a list. For ``EntityOperation/create`` what is to be created.
    static func authorize(_ identity: Identity?, to operation: EntityOperation, _ entity: Self?) -> Bool
}

extension Entity {
    /// The type's name in snake case.
    public static var name: String { FieldName.snakeCase(String(describing: Self.self)) }
    /// The name with an `s`.
    public static var plural: String { name + "s" }
    /// False.
    public static var isSingleton: Bool { false }
    /// A hint on the channels `name` and `name:id`.
    public static var broadcast: EntityBroadcast<Self> { EntityBroadcast() }
    /// None.
    public static var actions: [any EntityAction<Self>.Type] { [] }

    /// Finds nothing.
    public func validate(_ faults: inout FieldFaults<Self>) {}
    /// Allows every change.
    public static func check(_ change: EntityChange<Self>, in unit: UnitOfWork) throws {}
    /// All of them.
    public static func scope(of identity: Identity?) -> EntityScope<Self> { .all }
    /// True.
    public static func authorize(_ identity: Identity?, to operation: EntityOperation, _ entity: Self?) -> Bool { true }
}

/// A structure whose stored properties are declared fields: an ``Entity``, or the input of an ``EntityAction``.
public protocol FieldSet: Codable, Sendable {
    /// Makes one without values: every field is as it is declared. A structure whose properties are all declared has this
    /// initializer; a public one has to write it out.
    init()
}
