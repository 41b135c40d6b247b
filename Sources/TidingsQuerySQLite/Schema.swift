import GRDB

/// The tables. Another version of them has other names, so that an older program finds nothing rather than something
/// strange.
enum Schema {
    static func create(in database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS entry2 (
                    key TEXT PRIMARY KEY NOT NULL,
                    value BLOB NOT NULL,
                    value_type TEXT,
                    updated_at REAL NOT NULL,
                    version INTEGER,
                    is_invalidated INTEGER NOT NULL,
                    metadata BLOB,
                    buster TEXT NOT NULL
                ) WITHOUT ROWID;
                CREATE TABLE IF NOT EXISTS mutation3 (
                    identifier TEXT PRIMARY KEY NOT NULL,
                    position INTEGER NOT NULL,
                    name TEXT NOT NULL,
                    input BLOB NOT NULL,
                    idempotency_key TEXT NOT NULL,
                    submitted_at REAL NOT NULL,
                    metadata BLOB,
                    failure TEXT
                ) WITHOUT ROWID;
                """
        )
    }
}
