import FoundationEssentials
import TidingsBroadcast

/// Remembers the answers to requests that may be sent again, in the same transaction as what they changed.
struct Idempotency {
    let key: String
    let call: EntityCall
    let retention: Duration

    init?(_ call: EntityCall, retention: Duration) {
        guard let key = call.idempotencyKey else { return nil }
        self.key = key
        self.call = call
        self.retention = retention
    }

    private var place: [SQLValue] {
        [.text(call.context.identity?.subject ?? ""), .text(call.route), .text(key)]
    }

    private var fingerprint: String { Fingerprint.text(call.body) }

    /// Takes the key, or finds what was answered the first time. A request that comes while the first one runs waits for it.
    ///
    /// - Throws: ``EntityError/Code/idempotencyKeyReused`` if it came with another body.
    func begin(in unit: UnitOfWork) throws -> Done? {
        let expired = unit.now - retention / .seconds(1)
        try unit.connection.execute(
            "DELETE FROM tidings_idempotency WHERE subject = ? AND route = ? AND key = ? AND created_at < ?",
            place + [.date(expired)]
        )
        let taken = try unit.connection.execute(
            """
            INSERT INTO tidings_idempotency (subject, route, key, fingerprint, created_at) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (subject, route, key) DO NOTHING RETURNING key
            """,
            place + [.text(fingerprint), .date(unit.now)]
        )
        guard taken.isEmpty else { return nil }
        let rows = try unit.connection.execute(
            """
            SELECT fingerprint, answer, event_id, created_at FROM tidings_idempotency
            WHERE subject = ? AND route = ? AND key = ?
            """,
            place
        )
        guard let row = rows.first, row[0].text == fingerprint else {
            throw EntityError(
                .idempotencyKeyReused,
                "This idempotency key came with another request. Take a new one for each change."
            )
        }
        guard let answer = row[1].text.flatMap(EntityAnswer.init(kept:)) else {
            throw StoreError(.schema, "An answer that was kept for an idempotency key cannot be read.")
        }
        return Done(answer: answer, events: WrittenEvents(last: UUID(row[2]), time: Date(row[3]) ?? .blank))
    }

    /// Keeps the answer.
    func keep(_ answer: EntityAnswer, event: UUID?, in unit: UnitOfWork) throws {
        try unit.connection.execute(
            "UPDATE tidings_idempotency SET answer = ?, event_id = ? WHERE subject = ? AND route = ? AND key = ?",
            [.text(answer.kept), event.map(SQLValue.uuid) ?? .null] + place
        )
    }
}
