public import TidingsEntities

extension SQLDialect {
    /// How SQLite spells it. Dates are RFC 3339 in UTC with milliseconds, so that their order is the order of the text;
    /// identifiers are text in lower case, truth values 0 and 1.
    public static let sqlite = SQLDialect(
        name: "SQLite",
        countedKey: "INTEGER PRIMARY KEY AUTOINCREMENT",
        isSame: "IS",
        lockingClause: "",
        stampsOnInsert: true
    ) { type in
        switch type {
        case .text, .date, .uuid: "TEXT"
        case .integer, .boolean: "INTEGER"
        case .real: "REAL"
        }
    }
}
