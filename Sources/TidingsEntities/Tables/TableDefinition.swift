/// A table as declarations want it.
struct TableDefinition {
    struct Column {
        let name: String
        let type: String
        let isNullable: Bool
        /// What follows the type, such as a foreign key.
        var constraints = ""
        /// What rows that are there already get, as SQL; nil if they can only get null.
        var initial: String?
        /// Whether the rest of the definition stands in `type` already: a key that is counted up.
        var isCountedKey = false
    }

    struct Index {
        let name: String
        let columns: String
        var isUnique = false
        var condition = ""
    }

    let name: String
    var columns: [Column]
    var constraints: [String] = []
    var indexes: [Index] = []

    /// The statements that make the table.
    var creation: [String] {
        let columns = columns.map(definition)
        let body = (columns + constraints).joined(separator: ", ")
        return ["CREATE TABLE \(SQLName.quoted(name)) (\(body))"] + indexes.map(creation)
    }

    /// The statements that turn a table that is there into this one, and every difference that adding cannot mend, each
    /// in a sentence without its end.
    ///
    /// - Parameter existing: The table as it is.
    func additions(to existing: SQLTable) -> (statements: [String], differences: [String]) {
        var differences: [String] = []
        var statements: [String] = []
        for column in columns {
            guard let present = existing.columns[column.name] else {
                if column.isNullable || column.initial != nil {
                    statements.append("ALTER TABLE \(SQLName.quoted(name)) ADD COLUMN \(definition(column))")
                } else {
                    differences.append(
                        "\(name).\(column.name) is missing, and has neither a default nor may it be null: "
                            + "rows that are there would have no value. Give it a default or make it optional"
                    )
                }
                continue
            }
            differences += self.differences(of: column, from: present)
        }
        for (column, present) in existing.columns.sorted(by: { $0.key < $1.key })
        where !present.isNullable && !columns.contains(where: { $0.name == column }) {
            differences.append(
                "\(name).\(column) is not declared and may not be null, so nothing could be inserted. "
                    + "Declare it, or drop the column by hand"
            )
        }
        return (statements + indexes.filter { !existing.indexes.contains($0.name) }.map(creation), differences)
    }

    private func differences(of column: Column, from present: SQLTable.Column) -> [String] {
        guard !column.isCountedKey else { return [] }
        var differences: [String] = []
        if column.type.uppercased() != present.type.uppercased() {
            differences.append(
                "\(name).\(column.name) is \(present.type) and is declared as \(column.type). "
                    + "Declare it as it is, or move its values to a new field"
            )
        }
        if present.isNullable != column.isNullable {
            let (is_, declared) = present.isNullable ? ("may be null", "not optional") : ("may not be null", "optional")
            differences.append(
                "\(name).\(column.name) \(is_) and is declared as \(declared). Declare it as it is, or alter it by hand"
            )
        }
        return differences
    }

    private func definition(_ column: Column) -> String {
        guard !column.isCountedKey else { return "\(SQLName.quoted(column.name)) \(column.type)" }
        var parts = [SQLName.quoted(column.name), column.type]
        if !column.isNullable { parts.append("NOT NULL") }
        if let initial = column.initial { parts.append("DEFAULT \(initial)") }
        if !column.constraints.isEmpty { parts.append(column.constraints) }
        return parts.joined(separator: " ")
    }

    private func creation(_ index: Index) -> String {
        let condition = index.condition.isEmpty ? "" : " WHERE \(index.condition)"
        return "CREATE \(index.isUnique ? "UNIQUE " : "")INDEX \(SQLName.quoted(index.name))"
            + " ON \(SQLName.quoted(name)) (\(index.columns))\(condition)"
    }
}
