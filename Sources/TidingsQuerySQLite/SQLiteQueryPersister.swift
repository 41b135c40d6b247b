import GRDB
public import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Keeps a client's entries and mutations in a SQLite file, one row each.
///
/// ```swift
/// let client = QueryClient(.init { $0.persister = try? SQLiteQueryPersister(path: cacheFile) })
/// ```
///
/// The file belongs to one client at a time; one that takes it over waits up to five seconds for what the one before it is
/// still writing. It is a cache: one that is no database any more is replaced by an empty one.
/// One that is a database but cannot be used is left as it is.
public final class SQLiteQueryPersister: QueryPersister {
    /// Whether there was a file that could not be used, and that was replaced by an empty one.
    public let isReplaced: Bool
    private let database: DatabaseQueue

    /// Opens a file, or makes it.
    ///
    /// - Parameter path: Where it is. The folder has to be there.
    /// - Throws: ``SQLitePersisterError`` if there can be no file at this place.
    public init(path: String) throws(SQLitePersisterError) {
        do {
            (database, isReplaced) = try Self.open(path)
        } catch {
            throw SQLitePersisterError(
                .cannotOpen,
                "No file for stored queries can be opened or made at \(path); check that the folder can be written to, and "
                    + "that the file is not another program's.",
                cause: error
            )
        }
    }

    private static func open(_ path: String) throws -> (DatabaseQueue, Bool) {
        do {
            return (try prepared(path), false)
        } catch let error as DatabaseError where error.isCorruption {
            for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
            return (try prepared(path), true)
        }
    }

    private static func prepared(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.journalMode = .wal
        // A client that has just ended may still be writing.
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL") }
        let database = try DatabaseQueue(path: path, configuration: configuration)
        try database.write { try Schema.create(in: $0) }
        return database
    }

    // MARK: Entries

    /// Loads entries, and deletes those that are of no use any more and those that cannot be read.
    public func load(_ selection: PersistedSelection, in scope: PersistenceScope) async throws -> PersistedEntries {
        try await write { database in
            try StoredEntry.deleteUseless(in: database, scope)
            return try StoredEntry.load(selection, in: database)
        }
    }

    /// Stores changes in one transaction.
    public func save(_ changes: [PersistedChange], in scope: PersistenceScope) async throws {
        try await write { database in
            for change in changes {
                switch change {
                case .save(let entry): try StoredEntry.save(entry, in: database, scope)
                case .remove(let keys): try StoredEntry.remove(keys, in: database)
                case .invalidate(let keys): try StoredEntry.invalidate(keys, in: database)
                }
            }
        }
    }

    // MARK: Mutations

    /// Loads the mutations, and deletes those that cannot be read: they could never be sent.
    public func loadMutations() async throws -> PersistedMutations {
        try await write { try StoredMutation.load(in: $0) }
    }

    /// Stores a mutation, or replaces it at its place in the order.
    public func save(_ mutation: PersistedMutation) async throws {
        try await write { try StoredMutation.save(mutation, in: $0) }
    }

    /// Forgets a mutation.
    public func removeMutation(_ identifier: MutationIdentifier) async throws {
        try await write { try StoredMutation.remove(identifier, in: $0) }
    }

    /// Writes on the database's own queue. A task that is cancelled still writes: the last changes are stored when the
    /// client ends.
    private func write<Outcome: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Outcome
    ) async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            database.asyncWrite(body) { _, result in continuation.resume(with: result) }
        }
    }
}

extension DatabaseError {
    fileprivate var isCorruption: Bool {
        resultCode == .SQLITE_NOTADB || resultCode == .SQLITE_CORRUPT
    }
}
