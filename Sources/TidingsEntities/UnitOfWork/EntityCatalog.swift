/// The schemas of all entities, by name.
struct EntityCatalog: Sendable {
    let schemas: [EntitySchema]
    private let byName: [String: EntitySchema]

    init(_ schemas: [EntitySchema]) {
        self.schemas = schemas
        byName = Dictionary(schemas.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    subscript(name: String) -> EntitySchema? { byName[name] }

    /// The schema of a type.
    ///
    /// - Throws: ``StoreError/Code/schema`` if the type is not among the entities.
    func schema(of type: any Entity.Type) throws -> EntitySchema {
        guard let schema = byName[type.name] else {
            throw StoreError(.schema, "\(type) is not among the entities. Name it where Entities is made.")
        }
        return schema
    }

    /// The children of an entity that are of a type, by their place.
    func children(of type: any Entity.Type, in schema: EntitySchema) throws -> Int {
        guard let place = schema.children.firstIndex(where: { $0.schema.name == type.name }) else {
            throw StoreError(
                .schema,
                "\(schema.name) has no children of the type \(type). Declare them with @Children."
            )
        }
        return place
    }
}
