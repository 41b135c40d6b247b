#if PostgreSQL
import CLibpq
import TidingsEntities

extension PostgresConnection {
    /// Runs one statement with parameters.
    ///
    /// - Throws: ``ServerFailure``, ``Interruption``, or ``StoreError`` for what is not sent at all.
    func execute(
        _ sql: String,
        _ parameters: [SQLValue],
        limit: Duration?,
        isCancelled: () -> Bool
    ) throws -> [SQLRow] {
        let statement = try translate(sql)
        guard statement.parameters == parameters.count else {
            throw StoreError(
                .other,
                "The statement has \(statement.parameters) parameters, and \(parameters.count) were given."
            )
        }
        let list = try ParameterList(parameters)
        let count = Int32(parameters.count)
        // What `*` stands for may change, and a prepared statement would fail then.
        let key = list.types.map(String.init).joined(separator: ",") + ":" + sql
        var name: String?
        switch statement.hasStar ? .plain : statements.use(key) {
        case .plain: break
        case .prepared(let known): name = known
        case .prepare(let new, let old):
            if let old { try run("DEALLOCATE \(old)") }
            _ = try perform(limit: limit, isCancelled: isCancelled) { handle in
                list.withPointers { types, _ in
                    statement.sql.withCharacters { PQsendPrepare(handle, new, $0, count, types) }
                }
            }
            statements.didPrepare(key, as: new)
            name = new
        }
        let result = try perform(limit: limit, isCancelled: isCancelled) { handle in
            list.withPointers { types, values in
                if let name { return PQsendQueryPrepared(handle, name, count, values, nil, nil, Self.binary) }
                return statement.sql.withCharacters {
                    PQsendQueryParams(handle, $0, count, types, values, nil, nil, Self.binary)
                }
            }
        }
        return try result.rows()
    }

    private static let binary: Int32 = 1

    private func translate(_ sql: String) throws -> PlaceholderTranslation {
        if let known = translations[sql] { return known }
        guard !sql.utf8.contains(0) else {
            throw StoreError(.other, "The statement has the character U+0000 in it; take it out.")
        }
        if translations.count >= 500 { translations = [:] }
        let translation = PlaceholderTranslation(sql)
        translations[sql] = translation
        return translation
    }
}

extension [UInt8] {
    fileprivate func withCharacters<Result>(_ body: (UnsafePointer<CChar>?) -> Result) -> Result {
        withUnsafeBytes { body($0.baseAddress?.assumingMemoryBound(to: CChar.self)) }
    }
}
#endif
