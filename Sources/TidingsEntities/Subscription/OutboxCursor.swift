import FoundationEssentials
import TidingsBroadcast

/// How far a subscriber has come, in the database, and which process reads for it: one at a time, as long as it says again
/// and again that it still does.
struct OutboxCursor: Sendable {
    let name: String
    let store: any EntityStore
    /// How long the cursor is held without being told so again.
    let lease: Duration
    let now: @Sendable () -> Date
    /// Tells this holder from all others.
    let holder = UUID().uuidString.lowercased()

    private var end: SQLValue { .date(now() + lease / .seconds(1)) }

    /// Takes the cursor, or makes it.
    ///
    /// - Parameter isFromOldest: Whether a new one begins with the oldest event that is there; otherwise with the next one.
    /// - Returns: The position of the last event that was handled; nil if another process holds the cursor.
    func take(isFromOldest: Bool) async throws -> UInt64? {
        try await store.write { connection in
            let head = try OutboxHead.read(on: connection)
            let start = isFromOldest ? head.purged : head.offset
            try connection.execute(
                """
                INSERT INTO tidings_outbox_cursor (name, position, updated_at) VALUES (?, ?, ?)
                ON CONFLICT (name) DO NOTHING
                """,
                [.text(name), .integer(Int64(clamping: start)), .date(now())]
            )
            let rows = try connection.execute(
                """
                UPDATE tidings_outbox_cursor SET holder = ?, held_until = ?, updated_at = ?
                WHERE name = ? AND (holder IS NULL OR holder = ? OR held_until < ?) RETURNING position
                """,
                [.text(holder), end, .date(now()), .text(name), .text(holder), .date(now())]
            )
            return rows.first?[0].integer.flatMap { UInt64(exactly: $0) }
        }
    }

    /// Says that this process still reads.
    ///
    /// - Returns: Whether the cursor was still its own.
    func renew() async throws -> Bool {
        try await update("held_until = ?, updated_at = ?", [end, .date(now())])
    }

    /// Notes that everything up to a position was handled.
    ///
    /// - Returns: Whether the cursor was still this process's own.
    func advance(to position: UInt64) async throws -> Bool {
        let values: [SQLValue] = [.integer(Int64(clamping: position)), end, .date(now())]
        return try await update("position = ?, held_until = ?, updated_at = ?", values)
    }

    /// Leaves the cursor to whoever wants it.
    func release() async throws {
        _ = try await update("holder = NULL, held_until = NULL", [])
    }

    private func update(_ assignments: String, _ values: [SQLValue]) async throws -> Bool {
        try await store.write { connection in
            try !connection.execute(
                "UPDATE tidings_outbox_cursor SET \(assignments) WHERE name = ? AND holder = ? RETURNING name",
                values + [.text(name), .text(holder)]
            ).isEmpty
        }
    }
}
