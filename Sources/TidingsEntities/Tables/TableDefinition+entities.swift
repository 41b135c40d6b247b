import FoundationEssentials
import TidingsWire

extension TableDefinition {
    /// The table of an entity's declaration.
    init(_ schema: EntitySchema, in dialect: SQLDialect) {
        name = schema.table
        columns = schema.columns.map { column in
            var definition = Column(
                name: column.name,
                type: dialect.columnType(column.type),
                isNullable: column.isNullable,
                initial: column.definition.initial.flatMap(Self.literal)
            )
            // Entities that are older than the declaration of their version were never changed, as far as anybody knows.
            if case .version = column.definition.kind { definition.initial = "1" }
            if case .key = column.definition.kind { definition.constraints = "PRIMARY KEY" }
            if let other = column.limits.references {
                definition.constraints = "REFERENCES \(SQLName.quoted(other.tableName)) (\"id\")"
            }
            return definition
        }
        if let parent = schema.parent, let parentColumn = schema.parentColumn {
            columns.append(Column(name: parentColumn, type: dialect.columnType(.uuid), isNullable: false))
            columns.append(Column(name: Self.ordinal, type: dialect.columnType(.integer), isNullable: false))
            constraints.append(
                "FOREIGN KEY (\(SQLName.quoted(parentColumn))) REFERENCES \(SQLName.quoted(parent.table)) (\"id\") ON DELETE CASCADE"
            )
            indexes.append(
                Index(
                    name: SQLName.joined(name, parentColumn, "index"),
                    columns: [parentColumn, Self.ordinal].map(SQLName.quoted).joined(separator: ", ")
                )
            )
        }
        addIndexes(of: schema)
    }

    /// The column that keeps children in the order in which they were added.
    static let ordinal = "tidings_ordinal"

    private mutating func addIndexes(of schema: EntitySchema) {
        let present = schema.roles.deletedAt.map { "\(SQLName.quoted(schema.columns[$0].name)) IS NULL" } ?? ""
        for column in schema.columns {
            if column.limits.isUnique {
                indexes.append(
                    Index(
                        name: SQLName.joined(name, column.name, "unique"),
                        columns: SQLName.quoted(column.name),
                        isUnique: true,
                        condition: present
                    )
                )
            } else if column.limits.isIndexed || column.limits.references != nil {
                indexes.append(
                    Index(
                        name: SQLName.joined(name, column.name, "index"),
                        columns: [column.name, "id"].map(SQLName.quoted).joined(separator: ", ")
                    )
                )
            }
        }
        if let createdAt = schema.roles.createdAt {
            let column = schema.columns[createdAt].name
            indexes.append(
                Index(
                    name: SQLName.joined(name, column, "index"),
                    columns: [column, "id"].map(SQLName.quoted).joined(separator: ", ")
                )
            )
        }
    }

    /// A value as it is written in a table's definition, where it cannot be bound.
    private static func literal(_ value: SQLValue) -> String? {
        switch value {
        case .null: return nil
        case .integer(let value): return String(value)
        case .real(let value): return value.isFinite ? String(value) : nil
        case .boolean(let value): return value ? "TRUE" : "FALSE"
        case .uuid(let value): return "'\(value.uuidString.lowercased())'"
        case .date(let value): return Timestamp.text(value).map { "'\($0)'" }
        case .text(let value):
            return "'" + value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
        }
    }
}

extension Entity {
    /// The table's name.
    static var tableName: String { isSingleton ? name : plural }
}
