#if PostgreSQL
/// A place for a connection, on the thread that it belongs to.
final class ConnectionSlot {
    private let settings: ConnectionSettings
    private var connection: PostgresConnection?

    init(_ settings: ConnectionSettings) {
        self.settings = settings
    }

    /// A connection, and whether it was made just now: one that was made earlier may have died unnoticed.
    func connect() throws -> (connection: PostgresConnection, isNew: Bool) {
        if let connection, connection.isUsable { return (connection, false) }
        // The old one is ended first, so that there are never more than there may be.
        connection = nil
        let new = try PostgresConnection(settings)
        connection = new
        return (new, true)
    }

    /// Ends the connection.
    func disconnect() {
        connection = nil
    }
}
#endif
