import FoundationEssentials
import TidingsBroadcast

extension Entities {
    /// What a sweep has removed.
    public struct Sweep: Hashable, Sendable {
        /// Events of the outbox.
        public internal(set) var events = 0
        /// Entries of the audit.
        public internal(set) var auditEntries = 0
        /// Answers to requests with an idempotency key.
        public internal(set) var answers = 0

        /// Nothing.
        public init() {}
    }

    /// Rows that are removed in one transaction, so that nobody waits long for it.
    private static let batch = 1000

    /// Removes what is older than it is to be kept: events, entries of the audit, answers to requests that may come again.
    ///
    /// ``OutboxRelay`` does so by itself. Where no relay runs, call it now and then. Several processes may do so at once.
    /// Events go from the oldest on, in short transactions, and stay as long as one of these holds: they are younger than
    /// ``Configuration/outboxRetention``, they are among the newest ``Configuration/outboxRows``, or a subscriber that ran
    /// within ``Configuration/subscriptionRetention`` has not handled them.
    ///
    /// - Returns: What was removed.
    /// - Throws: ``StoreError``; what was removed until then stays removed.
    @discardableResult
    public func sweep() async throws -> Sweep {
        var sweep = Sweep()
        let now = configuration.now()
        sweep.events = try await sweepOutbox(now)
        sweep.auditEntries = try await repeating {
            try $0.execute(
                """
                DELETE FROM system_event WHERE seq IN
                    (SELECT seq FROM system_event WHERE expires_at < ? ORDER BY expires_at LIMIT ?) RETURNING seq
                """,
                [.date(now), .integer(Int64(Self.batch))]
            ).count
        }
        let expired = now - configuration.idempotencyRetention / .seconds(1)
        sweep.answers = try await repeating {
            try $0.execute(
                """
                DELETE FROM tidings_idempotency WHERE (subject, route, key) IN
                    (SELECT subject, route, key FROM tidings_idempotency WHERE created_at < ? LIMIT ?) RETURNING key
                """,
                [.date(expired), .integer(Int64(Self.batch))]
            ).count
        }
        return sweep
    }

    private func sweepOutbox(_ now: Date) async throws -> Int {
        let rows = Int64(configuration.outboxRows)
        let newestToGo = try await store.read { connection in
            try connection.execute(
                """
                SELECT position FROM sync_outbox WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1 OFFSET ?
                """,
                [.integer(rows)]
            ).first?[0].integer
        }
        guard let newestToGo else { return 0 }
        let old = now - configuration.outboxRetention / .seconds(1)
        let away = now - configuration.subscriptionRetention / .seconds(1)
        return try await repeating { connection in
            try Self.purge(on: connection, upTo: newestToGo, olderThan: old, unlessAwaitedSince: away)
        }
    }

    /// Removes the oldest events, and says so in the same moment: whoever resumes from before is told to refetch.
    private static func purge(
        on connection: any SQLConnection,
        upTo end: Int64,
        olderThan old: Date,
        unlessAwaitedSince away: Date
    ) throws -> Int {
        // Held until the end: of two processes that purge, the second one sees what the first one did.
        try connection.execute(
            "SELECT value FROM tidings_meta WHERE name = 'purged' \(connection.dialect.lockingClause)"
        )
        let handled = try connection.execute(
            "SELECT MIN(position) FROM tidings_outbox_cursor WHERE updated_at >= ?",
            [.date(away)]
        ).first?[0].integer
        let oldest = try connection.execute(
            "SELECT position, created_at FROM sync_outbox WHERE position <= ? ORDER BY position LIMIT ?",
            [.integer(min(end, handled ?? end)), .integer(Int64(batch))]
        )
        // Times need not be in the order of positions: nothing is removed behind what stays.
        let going = oldest.prefix { Date($0[1]).map { $0 < old } ?? true }
        guard let last = going.last?[0].integer else { return 0 }
        try connection.execute("DELETE FROM sync_outbox WHERE position <= ?", [.integer(last)])
        try OutboxHead.set("purged", to: String(last), on: connection)
        return going.count
    }

    /// Does something in one transaction after the other, until it has done less than it could.
    private func repeating(_ body: @escaping @Sendable (any SQLConnection) throws -> Int) async throws -> Int {
        var total = 0
        while true {
            let count = try await store.write(body)
            total += count
            if count < Self.batch { return total }
        }
    }
}
