/// A table as it is in the database.
public struct SQLTable: Hashable, Sendable {
    /// A column as it is in the database.
    public struct Column: Hashable, Sendable {
        /// The type as the database spells it, in the same way as ``SQLDialect/columnType``.
        public let type: String
        /// Whether it may hold null.
        public let isNullable: Bool

        /// Describes a column.
        ///
        /// - Parameters:
        ///   - type: The type as the database spells it.
        ///   - isNullable: Whether it may hold null.
        public init(type: String, isNullable: Bool) {
            self.type = type
            self.isNullable = isNullable
        }
    }

    /// The columns by name.
    public let columns: [String: Column]
    /// The names of its indexes, those that stand for constraints included.
    public let indexes: Set<String>

    /// Describes a table.
    ///
    /// - Parameters:
    ///   - columns: The columns by name.
    ///   - indexes: The names of its indexes.
    public init(columns: [String: Column], indexes: Set<String>) {
        self.columns = columns
        self.indexes = indexes
    }
}
