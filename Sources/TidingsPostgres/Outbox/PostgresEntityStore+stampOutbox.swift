#if PostgreSQL
import TidingsEntities

extension PostgresEntityStore {
    /// Gives positions to the committed rows of `sync_outbox` that have none, in the order of `seq`, from the sequence
    /// `sync_outbox_position`, and tells whoever listens.
    ///
    /// A row gets its position after it was committed, and one transaction at a time gives positions: so whoever has seen a
    /// position has seen, or can see, all that are smaller. A number that is given when the row is written does not do,
    /// because transactions commit in another order than they take numbers.
    ///
    /// - Returns: Whether any row got one; false also while another node is at it.
    public func stampOutbox() async throws -> Bool {
        var isAny = false
        while true {
            let count = try await pool.run(.write) { try Self.stamp($0) }
            if count > 0 { isAny = true }
            if count < Self.batch { return isAny }
        }
    }

    /// Rows in one transaction, so that the first of many need not wait for the last.
    private static let batch: Int64 = 1000

    private static func stamp(_ connection: PostgresTransaction) throws -> Int64 {
        // In a statement of its own: the next one has to see what was committed before the lock was free.
        let lock = try connection.execute(
            "SELECT pg_try_advisory_xact_lock(?) AS taken",
            [.integer(AdvisoryLock.outbox)]
        )
        guard lock.first?["taken"] == true else { return 0 }
        let stamped = try connection.execute(
            """
            WITH pending AS MATERIALIZED (
                SELECT seq FROM sync_outbox WHERE position IS NULL ORDER BY seq LIMIT ?
            ), numbered AS MATERIALIZED (
                SELECT seq, nextval('sync_outbox_position') AS position FROM pending
            ), stamped AS (
                UPDATE sync_outbox AS o SET position = n.position FROM numbered AS n WHERE o.seq = n.seq RETURNING o.seq
            )
            SELECT count(*) AS n FROM stamped
            """,
            [.integer(batch)]
        )
        let count = stamped.first?["n"].integer ?? 0
        if count > 0 { try connection.execute("NOTIFY sync_outbox") }
        return count
    }
}
#endif
