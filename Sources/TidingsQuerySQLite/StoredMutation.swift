import GRDB
import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The rows of mutations.
enum StoredMutation {
    static func load(in database: Database) throws -> PersistedMutations {
        let rows = try Row.fetchAll(database, sql: "SELECT * FROM mutation3 ORDER BY position")
        var found = PersistedMutations()
        for row in rows {
            if let mutation = mutation(row) {
                found.mutations.append(mutation)
            } else {
                found.corrupt.append(String.fromDatabaseValue(row["identifier"]) ?? "")
                try database.execute(sql: "DELETE FROM mutation3 WHERE identifier IS ?", arguments: [row["identifier"]])
            }
        }
        return found
    }

    private static func mutation(_ row: Row) -> PersistedMutation? {
        guard let identifier = String.fromDatabaseValue(row["identifier"]),
            let name = String.fromDatabaseValue(row["name"]), let input = Data.fromDatabaseValue(row["input"]),
            let key = String.fromDatabaseValue(row["idempotency_key"]),
            let submittedAt = Double.fromDatabaseValue(row["submitted_at"]),
            let order = Int64.fromDatabaseValue(row["position"]),
            let metadata = QueryMetadata(stored: row["metadata"])
        else { return nil }
        return PersistedMutation(
            identifier: MutationIdentifier(identifier),
            name: name,
            input: input,
            idempotencyKey: key,
            submittedAt: Date(timeIntervalSince1970: submittedAt),
            order: order,
            metadata: metadata,
            failure: String.fromDatabaseValue(row["failure"])
        )
    }

    static func save(_ mutation: PersistedMutation, in database: Database) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO mutation3 (identifier, position, name, input, idempotency_key, submitted_at, metadata, failure)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (identifier) DO UPDATE SET
                    position = excluded.position, metadata = excluded.metadata, failure = excluded.failure
                """
        )
        .execute(arguments: [
            mutation.identifier.description, mutation.order, mutation.name, mutation.input, mutation.idempotencyKey,
            mutation.submittedAt.timeIntervalSince1970, try mutation.metadata.stored, mutation.failure,
        ])
    }

    static func remove(_ identifier: MutationIdentifier, in database: Database) throws {
        try database.cachedStatement(sql: "DELETE FROM mutation3 WHERE identifier = ?")
            .execute(arguments: [identifier.description])
    }
}
