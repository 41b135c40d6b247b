/// How a database spells what databases spell differently.
public struct SQLDialect: Sendable {
    /// The database's name, for messages: `SQLite`, `PostgreSQL`.
    public let name: String
    /// A column's type for a field's type, such as `TEXT`.
    public let columnType: @Sendable (FieldType) -> String
    /// A whole number that the database counts up with each row and never gives twice: type and constraints of a primary
    /// key, such as `INTEGER PRIMARY KEY AUTOINCREMENT`.
    public let countedKey: String
    /// A comparison of two values that takes two nulls for the same, such as `IS`.
    public let isSame: String
    /// What follows `SELECT … WHERE …` to hold the rows against other transactions until this one ends; empty where a
    /// transaction that writes is alone anyway.
    public let lockingClause: String
    /// Whether rows of the outbox get their positions when they are written; otherwise ``EntityStore/stampOutbox()`` gives
    /// them.
    public let stampsOnInsert: Bool

    /// Describes a database.
    ///
    /// - Parameters:
    ///   - name: The database's name, for messages.
    ///   - countedKey: Type and constraints of a primary key that is counted up.
    ///   - isSame: A comparison that takes two nulls for the same.
    ///   - lockingClause: What holds selected rows against other transactions.
    ///   - stampsOnInsert: Whether rows of the outbox get their positions when they are written.
    ///   - columnType: A column's type for a field's type.
    public init(
        name: String,
        countedKey: String,
        isSame: String,
        lockingClause: String,
        stampsOnInsert: Bool,
        columnType: @escaping @Sendable (FieldType) -> String
    ) {
        self.name = name
        self.countedKey = countedKey
        self.isSame = isSame
        self.lockingClause = lockingClause
        self.stampsOnInsert = stampsOnInsert
        self.columnType = columnType
    }
}
