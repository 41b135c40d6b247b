public import FoundationEssentials

/// The identifier of an entity. The client that creates it may choose it; otherwise the server does.
@propertyWrapper
public struct Key: ColumnProperty, Codable, Sendable {
    let definition: PropertyDefinition?
    private var value: UUID?

    /// Declares the identifier.
    public init() {
        definition = PropertyDefinition(kind: .key, type: .uuid)
    }

    /// The identifier; before the entity was inserted, the nil one unless it was chosen.
    public var wrappedValue: UUID {
        get { value ?? .blank }
        set { value = newValue }
    }

    /// The declaration, for key paths such as `\.$id`.
    public var projectedValue: Key { self }

    var sqlValue: SQLValue? { value?.sqlValue }

    init(sqlValue: SQLValue) throws {
        guard let value = UUID(sqlValue) else { throw UnreadableValue(type: "UUID") }
        definition = nil
        self.value = value
    }

    /// Reads the identifier.
    public init(from decoder: any Decoder) throws {
        definition = nil
        value = try UUID(from: decoder)
    }

    /// Writes the identifier.
    public func encode(to encoder: any Encoder) throws {
        try wrappedValue.encode(to: encoder)
    }
}
