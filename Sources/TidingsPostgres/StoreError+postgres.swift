#if PostgreSQL
import TidingsEntities

/// What a server says about a statement that failed. Its details are left out: they contain values.
struct ServerMessage {
    /// Five characters (PostgreSQL, appendix A).
    let state: String
    let text: String
    let constraint: String?
    /// Whether the server ended the connection with it.
    let isFatal: Bool

    /// The server has no plan any more for a statement that was prepared, because its columns have changed.
    var isOutdatedPlan: Bool { state == "0A000" && text.contains("cached plan") }
}

extension StoreError {
    /// Says what a server's message means to somebody who does not know it.
    init(_ message: ServerMessage) {
        switch message.state {
        case "23505":
            let name = message.constraint ?? "a key"
            self.init(.unique, "There is a row with this value already (\(name)).", constraint: message.constraint)
        case "23503", "23001":
            self.init(
                .foreignKey,
                "A row names one that is not there, or is still named by another (\(message.constraint ?? "unknown")).",
                constraint: message.constraint
            )
        case "40001", "40P01":
            self.init(.conflict, "Another transaction stood in the way; run this one again.")
        case "57014":
            self.init(.timeout, "A statement took longer than it may; look for locks and for a missing index.")
        case "55P03":
            self.init(.timeout, "A lock was not free in time; look for transactions that take long.")
        case "25P03", "25P04", "57P05":
            self.init(
                .timeout,
                "The server ended a transaction that was idle for too long; do less between statements."
            )
        case "53100":
            self.init(.full, "There is no room on the database server's disk; free some.")
        case "53300":
            self.init(.unavailable, "The server has no connection free; allow more of them there, or fewer here.")
        case "25006":
            self.init(.other, "This transaction only reads, or the server is a standby; write within write(_:).")
        default:
            self.init(otherwise: message)
        }
    }

    private init(otherwise message: ServerMessage) {
        switch message.state.prefix(2) {
        case "08", "57", "58", "53":
            self.init(
                .unavailable,
                "The database server cannot go on (\(message.state): \(message.text)); see its log."
            )
        // These messages quote what they are about.
        case "22", "P0":
            self.init(.other, "The database refuses a value (SQLSTATE \(message.state)); see the server's log.")
        default:
            self.init(
                .other,
                "The database refuses a statement (\(message.state): \(message.text)).",
                constraint: message.constraint
            )
        }
    }

    /// The server is not there any more, or does not answer. Nothing was committed.
    static let connectionLost = StoreError(
        .unavailable,
        "The connection to the database was lost, and nothing of the transaction is kept; try again later."
    )

    /// The server went away after it was told to commit.
    static let unknownOutcome = StoreError(
        .unknownOutcome,
        "The connection to the database was lost during a commit; look whether the change is there."
    )
}
#endif
