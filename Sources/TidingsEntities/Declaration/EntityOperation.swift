public import TidingsBroadcast

/// What somebody wants to do to an entity. Later versions may add operations.
public struct EntityOperation: RawRepresentable, Hashable, Sendable {
    /// The operation's name; that of an ``EntityAction`` is the action's.
    public let rawValue: String

    /// Takes any name.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// See a list of them.
    public static let list = EntityOperation(rawValue: "list")
    /// See one of them.
    public static let read = EntityOperation(rawValue: "read")
    /// See what happened to one.
    public static let history = EntityOperation(rawValue: "history")
    /// Make one.
    public static let create = EntityOperation(rawValue: "create")
    /// Change fields.
    public static let update = EntityOperation(rawValue: "update")
    /// Go to another state.
    public static let transition = EntityOperation(rawValue: "transition")
    /// Delete it.
    public static let delete = EntityOperation(rawValue: "delete")
    /// Add a child.
    public static let addChild = EntityOperation(rawValue: "add_child")
    /// Change a child.
    public static let updateChild = EntityOperation(rawValue: "update_child")
    /// Remove a child.
    public static let removeChild = EntityOperation(rawValue: "remove_child")
}

/// What is about to happen to an entity.
public struct EntityChange<Subject: Entity>: Sendable {
    /// What is to be done.
    public let operation: EntityOperation
    /// The entity as it was; nil when it is created.
    public let old: Subject?
    /// The entity as it will be; nil when it is deleted. Children are as they were.
    public let new: Subject?
    /// Who does it; nil if nobody said.
    public let identity: Identity?
}

/// Something that can be done to an entity besides creating, changing and deleting it: `POST /orders/{id}/name`.
///
/// ```swift
/// struct MoveTable: EntityAction {
///     @Field(.length(1...20)) var table: String
///
///     func perform(on order: inout Order, in unit: UnitOfWork) throws {
///         order.table = table
///     }
/// }
/// ```
///
/// Its fields are the request's body, with the limits that they are declared with.
public protocol EntityAction<Subject>: FieldSet {
    /// What it is done to.
    associatedtype Subject: Entity
    /// The last part of its path. The type's name in snake case unless said otherwise.
    static var name: String { get }

    /// Does it, within the transaction and after the entity was locked. What it does to the entity is checked and written as
    /// any other change.
    ///
    /// - Parameters:
    ///   - subject: What it is done to.
    ///   - unit: Changes what else has to change.
    /// - Throws: ``EntityError``; the transaction is rolled back.
    func perform(on subject: inout Subject, in unit: UnitOfWork) throws
}

extension EntityAction {
    /// The type's name in snake case.
    public static var name: String { FieldName.snakeCase(String(describing: Self.self)) }
}
