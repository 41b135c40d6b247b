import GRDB
import TidingsEntities

extension StoreError {
    /// Says what an error of SQLite means to somebody who does not know it. SQLite's messages name tables, columns and
    /// words of the statement, never a parameter's value.
    init(_ error: DatabaseError) {
        let text = error.message ?? "no message"
        switch error.resultCode {
        case .SQLITE_CONSTRAINT: self.init(constraint: error)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(.timeout, "Another process holds the database; look for one that keeps a transaction open.")
        case .SQLITE_FULL: self.init(.full, "There is no room for the database; free some of the disk.")
        case .SQLITE_READONLY where error.extendedResultCode == .SQLITE_READONLY_DBMOVED:
            self.init(.unavailable, "The database was moved or deleted while it was open; restart the server.")
        case .SQLITE_READONLY:
            self.init(.other, "The database cannot be written to here (\(text)); write within write(_:).")
        case .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_NOMEM, .SQLITE_PROTOCOL:
            self.init(.unavailable, "SQLite cannot use its file (\(text)); check the disk and the memory.")
        case .SQLITE_NOTADB, .SQLITE_CORRUPT:
            self.init(.unavailable, "The file is no sound database (\(text)); restore it from a backup.")
        default: self.init(.other, "SQLite refuses a statement: \(text).")
        }
    }

    private init(constraint error: DatabaseError) {
        let text = error.message ?? ""
        let columns = text.split(separator: ": ", maxSplits: 1).dropFirst().first.map(String.init)
        switch error.extendedResultCode {
        case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_ROWID:
            self.init(.unique, "There is a row with this value already (\(columns ?? "a key")).", constraint: columns)
        // ON DELETE RESTRICT is a trigger to SQLite, as those are that an application wrote.
        case .SQLITE_CONSTRAINT_FOREIGNKEY,
            .SQLITE_CONSTRAINT_TRIGGER where text.hasPrefix("FOREIGN KEY"):
            self.init(.foreignKey, "A row names one that is not there, or is still named by another.")
        default: self.init(.other, "SQLite refuses a row: \(text).", constraint: columns)
        }
    }

    /// A file that cannot be opened.
    init(opening path: String, _ error: any Error) {
        let failure = error as? DatabaseError
        if let obstacle = DatabaseFile.obstacle(at: path) {
            self.init(.unavailable, obstacle)
        } else if failure?.resultCode == .SQLITE_NOTADB {
            self.init(.unavailable, "The file at \(path) is not a database; name another one or move it away.")
        } else if let failure, failure.resultCode == .SQLITE_BUSY || failure.resultCode == .SQLITE_LOCKED {
            self.init(.timeout, "Another process holds the database at \(path); end it or wait for it.")
        } else if let failure, failure.resultCode != .SQLITE_CANTOPEN, failure.resultCode != .SQLITE_READONLY {
            let cause = StoreError(failure)
            self.init(cause.code == .other ? .unavailable : cause.code, "\(path): \(cause.message)")
        } else {
            self.init(.unavailable, "No database can be opened or made at \(path); check the rights and the disk.")
        }
    }
}
