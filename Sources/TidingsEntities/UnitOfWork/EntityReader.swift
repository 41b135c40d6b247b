public import FoundationEssentials

/// Reads entities as they were at one moment.
///
/// It is good until the closure that it was given to returns, and only on its thread.
public struct EntityReader {
    /// The transaction's connection, for the application's own tables.
    public let connection: any SQLConnection
    let catalog: EntityCatalog

    /// The entity of an identifier; nil if there is none, or none any more.
    ///
    /// - Parameters:
    ///   - type: Its type.
    ///   - id: Its identifier.
    /// - Throws: ``StoreError``.
    public func get<Subject: Entity>(_ type: Subject.Type, _ id: UUID) throws -> Subject? {
        let schema = try catalog.schema(of: type)
        return try rows(of: schema).record(of: id).map { try schema.decode(type, $0) }
    }

    /// The one entity of a type that there is one of.
    ///
    /// - Parameter type: Its type, a singleton.
    /// - Throws: ``EntityError/Code/notFound`` if the type is no singleton, or `prepare()` was not called; ``StoreError``.
    public func get<Subject: Entity>(_ type: Subject.Type) throws -> Subject {
        guard let subject = try get(type, EntitySchema.singletonID) else {
            throw EntityError.notFound(try catalog.schema(of: type))
        }
        return subject
    }

    /// All entities of a type, in the order of their identifiers.
    ///
    /// - Parameters:
    ///   - type: Their type.
    ///   - limit: At most so many.
    /// - Throws: ``StoreError``.
    public func all<Subject: Entity>(_ type: Subject.Type, limit: Int = 1000) throws -> [Subject] {
        let schema = try catalog.schema(of: type)
        return try rows(of: schema).records(where: [], [], order: "id", limit: limit).map {
            try schema.decode(type, $0)
        }
    }

    /// Entities whose field has a value, in the order of their identifiers.
    ///
    /// - Parameters:
    ///   - type: Their type.
    ///   - field: The field.
    ///   - value: The value that it has to have.
    ///   - limit: At most so many.
    /// - Throws: ``StoreError``.
    public func find<Subject: Entity, Value: FieldValue>(
        _ type: Subject.Type,
        where field: KeyPath<Subject, Field<Value>>,
        is value: Value,
        limit: Int = 1000
    ) throws -> [Subject] {
        try find(type, in: catalog.schema(of: type), where: field, is: value, limit: limit)
    }

    func find<Subject: Entity, Value: FieldValue>(
        _ type: Subject.Type,
        in schema: EntitySchema,
        where field: KeyPath<Subject, Field<Value>>,
        is value: Value,
        limit: Int
    ) throws -> [Subject] {
        guard let column = schema.column(of: field) else {
            throw StoreError(.schema, "The field is not one of \(schema.name).")
        }
        let condition = "\(SQLName.quoted(column.name)) \(connection.dialect.isSame) ?"
        let wanted = column.normal(value.sqlValue)
        return try rows(of: schema).records(where: [condition], [wanted], order: "id", limit: limit)
            .map { try schema.decode(type, $0) }
    }

    func rows(of schema: EntitySchema) -> EntityRows { EntityRows(schema: schema, connection: connection) }
}

extension EntitySchema {
    /// The column that a key path names.
    ///
    /// A prototype of its own would have definitions of its own, so the names are found by place.
    func column<Subject: Entity, Value: FieldValue>(of field: KeyPath<Subject, Field<Value>>) -> EntityColumn? {
        let prototype = Subject()
        let wanted = prototype[keyPath: field].definition
        let found = DeclaredProperties.of(prototype).first { $0.property.definition === wanted }
        return found.flatMap { layout.place(ofProperty: $0.name) }.map { columns[$0] }
    }
}
