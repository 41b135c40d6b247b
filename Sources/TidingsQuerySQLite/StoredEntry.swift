import GRDB
import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The rows of entries.
enum StoredEntry {
    static func deleteUseless(in database: Database, _ scope: PersistenceScope) throws {
        try database.cachedStatement(sql: "DELETE FROM entry2 WHERE buster <> ? OR updated_at < ?")
            .execute(arguments: [scope.buster, scope.oldest.timeIntervalSince1970])
    }

    static func load(_ selection: PersistedSelection, in database: Database) throws -> PersistedEntries {
        var found = PersistedEntries()
        switch selection {
        case .keys(let keys):
            for key in keys {
                let sql = "SELECT * FROM entry2 WHERE key = ?"
                try read(Row.fetchCursor(database, sql: sql, arguments: [key.description]), into: &found)
            }
        case .allExcept(let keys):
            try read(Row.fetchCursor(database, sql: "SELECT * FROM entry2"), except: Set(keys), into: &found)
        }
        for key in found.corrupt { try remove(key, in: database) }
        return found
    }

    private static func read(
        _ rows: RowCursor,
        except excluded: Set<QueryKey> = [],
        into found: inout PersistedEntries
    ) throws {
        while let row = try rows.next() {
            let key = String.fromDatabaseValue(row["key"]) ?? ""
            let parsed = QueryKey(canonical: key)
            if let parsed, excluded.contains(parsed) { continue }
            if parsed != nil, let entry = entry(row, key) {
                found.entries.append(entry)
            } else {
                found.corrupt.append(key)
            }
        }
    }

    /// - Returns: Nil if the row is not one that this program writes.
    private static func entry(_ row: Row, _ key: String) -> PersistedEntry? {
        guard case .blob(let value) = DatabaseValue.storage(row["value"]),
            let updatedAt = Double.fromDatabaseValue(row["updated_at"]),
            let isInvalidated = Bool.fromDatabaseValue(row["is_invalidated"]),
            let metadata = QueryMetadata(stored: row["metadata"])
        else { return nil }
        return PersistedEntry(
            key: key,
            value: value,
            valueType: String.fromDatabaseValue(row["value_type"]),
            updatedAt: Date(timeIntervalSince1970: updatedAt),
            version: Int64.fromDatabaseValue(row["version"]),
            isInvalidated: isInvalidated,
            metadata: metadata
        )
    }

    static func save(_ entry: PersistedEntry, in database: Database, _ scope: PersistenceScope) throws {
        let metadata = try entry.metadata.stored
        try database.cachedStatement(
            sql: """
                INSERT INTO entry2 (key, value, value_type, updated_at, version, is_invalidated, metadata, buster)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (key) DO UPDATE SET
                    value = excluded.value, value_type = excluded.value_type, updated_at = excluded.updated_at,
                    version = excluded.version, is_invalidated = excluded.is_invalidated, metadata = excluded.metadata, buster = excluded.buster
                WHERE excluded.updated_at >= entry2.updated_at OR excluded.buster <> entry2.buster
                """
        )
        .execute(arguments: [
            entry.key, entry.value, entry.valueType, entry.updatedAt.timeIntervalSince1970, entry.version,
            entry.isInvalidated, metadata, scope.buster,
        ])
    }

    static func remove(_ keys: PersistedKeys, in database: Database) throws {
        if keys == .under([]) { return try database.execute(sql: "DELETE FROM entry2") }
        for key in try stored(keys, in: database) { try remove(key, in: database) }
    }

    static func invalidate(_ keys: PersistedKeys, in database: Database) throws {
        if keys == .under([]) { return try database.execute(sql: "UPDATE entry2 SET is_invalidated = 1") }
        for key in try stored(keys, in: database) {
            try database.cachedStatement(sql: "UPDATE entry2 SET is_invalidated = 1 WHERE key = ?")
                .execute(arguments: [key])
        }
    }

    private static func remove(_ key: String, in database: Database) throws {
        try database.cachedStatement(sql: "DELETE FROM entry2 WHERE key = ?").execute(arguments: [key])
    }

    /// The keys of rows, as they are stored. What lies below a key begins like it, and the cache says whether it matches.
    private static func stored(_ keys: PersistedKeys, in database: Database) throws -> [String] {
        guard case .under(let prefix) = keys else {
            guard case .exactly(let key) = keys else { return [] }
            return [key.description]
        }
        let text = prefix.commonText
        let found = try String.fetchAll(
            database.cachedStatement(sql: "SELECT key FROM entry2 WHERE key >= ? AND substr(key, 1, ?) = ?"),
            arguments: [text, text.unicodeScalars.count, text]
        )
        return found.filter { QueryKey(canonical: $0).map(keys.contains) ?? false }
    }
}

extension QueryKey {
    /// How the canonical forms of all keys begin that lie at or below this one. Objects and arrays match others that begin
    /// differently.
    fileprivate var commonText: String {
        let exact = segments.prefix { segment in
            switch segment {
            case .object, .array: false
            default: true
            }
        }
        return String(QueryKey(Array(exact)).description.dropLast())
    }
}

extension DatabaseValue {
    fileprivate static func storage(_ value: DatabaseValue) -> Storage { value.storage }
}
