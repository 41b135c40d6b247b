/// Entities that belong to one other and have no life without it, such as the items of an order, in the order in which
/// they were added.
///
/// ```swift
/// @Children var items: [OrderItem]
/// ```
///
/// They have routes under their parent, and what happens to them is told as the parent's: `item_added`, `item_updated`,
/// `item_removed`. A change of theirs is a change of the parent: its version goes up. They are read with their parent.
@propertyWrapper
public struct Children<Child: Entity>: Sendable {
    let definition: PropertyDefinition?
    /// The children as they were read. Add, change and remove them through the unit of work.
    public let wrappedValue: [Child]

    /// Declares children.
    public init() {
        definition = PropertyDefinition(kind: .children(Child.self), type: .text)
        wrappedValue = []
    }

    /// The declaration, for key paths such as `\.$items`.
    public var projectedValue: Children<Child> { self }
}

extension Children: ChildrenProperty {
    init(records: [EntityRecord], schema: EntitySchema) throws {
        definition = nil
        wrappedValue = try records.map { try schema.decode(Child.self, $0) }
    }
}

extension Children: Codable {
    /// Reads the children.
    public init(from decoder: any Decoder) throws {
        definition = nil
        wrappedValue = try [Child](from: decoder)
    }

    /// Writes the children.
    public func encode(to encoder: any Encoder) throws {
        try wrappedValue.encode(to: encoder)
    }
}
