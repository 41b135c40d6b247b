/// Which entities somebody may know of.
///
/// ```swift
/// static func scope(of identity: Identity?) -> EntityScope<Order> {
///     guard let table = identity?.attributes["table"] else { return .all }
///     return .where(\.$table, is: table)
/// }
/// ```
public struct EntityScope<Subject: Entity>: Sendable {
    enum Rule: Sendable {
        case all
        case none
        case values(@Sendable (Subject) -> PropertyDefinition?, [SQLValue])
        case every([Rule])
    }

    let rule: Rule

    /// Every entity.
    public static var all: Self { Self(rule: .all) }
    /// None.
    public static var none: Self { Self(rule: .none) }

    /// Those whose field has a value.
    ///
    /// - Parameters:
    ///   - field: The field.
    ///   - value: The value that it has to have.
    public static func `where`<Value: FieldValue>(
        _ field: any KeyPath<Subject, Field<Value>> & Sendable,
        is value: Value
    ) -> Self {
        self.where(field, isOneOf: [value])
    }

    /// Those whose field has one of a few values.
    ///
    /// - Parameters:
    ///   - field: The field.
    ///   - values: The values that it may have.
    public static func `where`<Value: FieldValue>(
        _ field: any KeyPath<Subject, Field<Value>> & Sendable,
        isOneOf values: [Value]
    ) -> Self {
        Self(rule: .values({ $0[keyPath: field].definition }, values.map(\.sqlValue)))
    }

    /// Those that are in both.
    ///
    /// - Parameter other: The other one.
    public func and(_ other: Self) -> Self { Self(rule: .every([rule, other.rule])) }
}
