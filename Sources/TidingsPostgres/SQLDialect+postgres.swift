#if PostgreSQL
public import TidingsEntities

extension SQLDialect {
    /// How PostgreSQL spells it; types as `format_type` prints them.
    public static let postgres = SQLDialect(
        name: "PostgreSQL",
        countedKey: "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        isSame: "IS NOT DISTINCT FROM",
        lockingClause: "FOR UPDATE",
        stampsOnInsert: false
    ) { type in
        switch type {
        case .text: "text"
        case .integer: "bigint"
        case .real: "double precision"
        case .boolean: "boolean"
        // Without the precision PostgreSQL keeps microseconds, which a date that was read would not be equal to.
        case .date: "timestamp(3) with time zone"
        case .uuid: "uuid"
        }
    }
}
#endif
