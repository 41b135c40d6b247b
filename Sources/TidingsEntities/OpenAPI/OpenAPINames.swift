/// Hands out names: whoever asks for one that is taken gets it with a number.
struct UniqueNames {
    private var taken: Set<String> = []

    mutating func take(_ wanted: String) -> String {
        var (name, number) = (wanted, 2)
        while !taken.insert(name).inserted { (name, number) = ("\(wanted)\(number)", number + 1) }
        return name
    }
}

/// The names of the document's schemas. Entities come first: their names are theirs, whatever is derived from others.
struct OpenAPINames {
    private var names = UniqueNames()
    private var records: [String: String] = [:]

    init(_ schemas: [EntitySchema]) {
        for schema in schemas + schemas.flatMap({ $0.children.map(\.schema) }) {
            records[schema.name] = names.take(FieldName.capitalized(schema.name))
        }
    }

    /// The name of an entity's own schema.
    func record(_ schema: EntitySchema) -> String { records[schema.name] ?? FieldName.capitalized(schema.name) }

    /// A name for another schema.
    mutating func take(_ wanted: String) -> String { names.take(wanted) }
}

extension FieldName {
    /// `order_item` becomes `OrderItem`.
    static func capitalized(_ name: String) -> String {
        name.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// `move_table` becomes `moveTable`.
    static func camelCase(_ name: String) -> String {
        let capitalized = capitalized(name)
        return capitalized.prefix(1).lowercased() + capitalized.dropFirst()
    }

    /// `order_item` becomes `order item`.
    static func words(_ name: String) -> String { name.split(separator: "_").joined(separator: " ") }
}
