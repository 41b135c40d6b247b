import TidingsBroadcast
import TidingsWire

/// Reads the outbox in the order of positions.
struct OutboxReader {
    let connection: any SQLConnection
    let topicNames: [String: [EventName: String]]

    /// The rows after a position, at most so many.
    func rows(after position: UInt64, limit: Int) throws -> [OutboxRow] {
        try connection.execute(
            "SELECT \(OutboxRow.columns) FROM sync_outbox WHERE position > ? ORDER BY position LIMIT ?",
            [.integer(Int64(clamping: position)), .integer(Int64(limit))]
        ).map { OutboxRow($0, topicNames: topicNames) }
    }

    /// The newest rows up to a position, oldest first: at most so many, and not many more bytes than so many.
    func newest(_ limit: Int, upTo position: UInt64, bytes: Int = 16 * 1024 * 1024) throws -> [OutboxRow] {
        var rows: [OutboxRow] = []
        var (end, size) = (position, 0)
        while rows.count < limit, size < bytes, end > 0 {
            let page = min(500, limit - rows.count)
            let found = try connection.execute(
                "SELECT \(OutboxRow.columns) FROM sync_outbox WHERE position <= ? ORDER BY position DESC LIMIT ?",
                [.integer(Int64(clamping: end)), .integer(Int64(page))]
            ).map { OutboxRow($0, topicNames: topicNames) }
            rows += found
            size += found.reduce(0) { $0 + $1.size }
            guard found.count == page, let last = found.last, last.position > 0 else { break }
            end = last.position - 1
        }
        return rows.reversed()
    }

    /// The most rows that are looked through for one client.
    private static let searchedRows: UInt64 = 100_000

    /// What happened on a channel after a position, all of it or the reason why that is not known.
    func events(on channel: ChannelName, after position: EventPosition, limit: Int) throws -> EventReplay {
        let head = try OutboxHead.read(on: connection)
        guard position.epoch == head.epoch else { return .notRecoverable(.epoch) }
        guard position.offset <= head.offset, position.offset >= head.purged else { return .notRecoverable(.gap) }
        // There is no index by channel: who was away for longer refetches.
        guard head.offset - position.offset <= Self.searchedRows else { return .notRecoverable(.gap) }
        // The name as it stands in the column: a JSON text. The pattern only leaves out rows that cannot be meant; what is
        // no list of texts may have been meant.
        let name = String(decoding: JSONNode.string(channel.rawValue).json, as: UTF8.self)
        let rows = try connection.execute(
            """
            SELECT \(OutboxRow.columns) FROM sync_outbox WHERE position > ? AND position <= ?
                AND (channels LIKE ? ESCAPE '!' OR channels NOT LIKE '["%"]') ORDER BY position LIMIT ?
            """,
            [
                .integer(Int64(clamping: position.offset)), .integer(Int64(clamping: head.offset)),
                .text("%\(Self.escaped(name))%"), .integer(Int64(limit) + 1),
            ]
        ).map { OutboxRow($0, topicNames: topicNames) }
        guard rows.count <= limit, rows.allSatisfy({ $0.entry(epoch: head.epoch) != nil }) else {
            return .notRecoverable(.gap)
        }
        return .events(rows.compactMap { $0.event(on: channel, epoch: head.epoch) }, through: head.position)
    }

    /// A text that stands for itself in a pattern of `LIKE`.
    private static func escaped(_ text: String) -> String {
        // By scalars: a mark with an accent behind it is one character, and still a mark for the database.
        text.unicodeScalars.reduce(into: "") { result, scalar in
            if ["!", "%", "_"].contains(scalar) { result.append("!") }
            result.unicodeScalars.append(scalar)
        }
    }
}
