import TidingsBroadcast
import TidingsWire

/// How far the outbox has come.
struct OutboxHead: Hashable, Sendable {
    /// The life of the database's outbox.
    let epoch: String
    /// The newest position that was given; 0 if none was.
    let offset: UInt64
    /// The newest position that has left; 0 if none has.
    let purged: UInt64

    var position: EventPosition { EventPosition(epoch: epoch, offset: offset) }

    /// The life of the database's outbox.
    static func epoch(on connection: any SQLConnection) throws -> String {
        guard let epoch = try connection.execute("SELECT value FROM tidings_meta WHERE name = 'epoch'").first?[0].text
        else { throw noOutbox }
        return epoch
    }

    /// Begins the life of an outbox that was just made.
    static func begin(on connection: any SQLConnection) throws {
        try renew(on: connection)
        try set("purged", to: "0", on: connection)
    }

    /// Begins another life of the outbox: what clients know of positions is not true any more.
    static func renew(on connection: any SQLConnection) throws {
        try set("epoch", to: String(UInt64.random(in: 0...UInt64.max), radix: 36), on: connection)
    }

    static func set(_ name: String, to value: String, on connection: any SQLConnection) throws {
        try connection.execute(
            """
            INSERT INTO tidings_meta (name, value) VALUES (?, ?)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value
            """,
            [.text(name), .text(value)]
        )
    }

    private static var noOutbox: StoreError {
        StoreError(.schema, "The database has no outbox. Call `prepare()` of Entities first.")
    }

    /// Where the outbox stands in the moment that a transaction sees.
    static func read(on connection: any SQLConnection) throws -> OutboxHead {
        let rows = try connection.execute(
            """
            SELECT (SELECT value FROM tidings_meta WHERE name = 'epoch'),
                (SELECT MAX(position) FROM sync_outbox),
                (SELECT value FROM tidings_meta WHERE name = 'purged')
            """
        )
        guard let row = rows.first, let epoch = row[0].text else { throw noOutbox }
        let purged = row[2].text.flatMap { UInt64($0) } ?? 0
        let newest = row[1].integer.flatMap { UInt64(exactly: $0) } ?? 0
        return OutboxHead(epoch: epoch, offset: max(newest, purged), purged: purged)
    }
}
