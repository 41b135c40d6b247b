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

    /// Declares children, at most a thousand: they are read with their parent.
    public init() { self.init(atMost: 1000) }

    /// Declares children.
    ///
    /// - Parameter count: How many a parent has at most. All of them are read with their parent.
    public init(atMost count: Int) {
        definition = PropertyDefinition(
            kind: .children(Child.self),
            type: .text,
            limits: FieldLimits(maximum: .integer(Int64(count)))
        )
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
