#if PostgreSQL
import CLibpq
import Logging
import TidingsEntities

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// How connections are made.
struct ConnectionSettings: Sendable {
    /// What this store is, for whoever looks at the server's list of connections.
    private static let applicationName = "tidings"

    let configuration: PostgresEntityStore.Configuration
    let logger: Logger
    private let connectionString: String

    init(
        _ connectionString: String,
        _ configuration: PostgresEntityStore.Configuration,
        _ logger: Logger
    ) throws(StoreError) {
        self.connectionString = connectionString
        self.configuration = configuration
        self.logger = logger
        try Self.check(connectionString)
    }

    /// Keywords and values for `PQconnectdbParams`, in the order in which later ones go before earlier ones. Those before
    /// the connection string are defaults, those after it are not negotiable.
    var parameters: [(keyword: String, value: String)] {
        [
            ("application_name", Self.applicationName),
            ("connect_timeout", "\(max(2, Int((configuration.connectTimeout / .seconds(1)).rounded(.up))))"),
            // A server that went away without a word is noticed after half a minute at most.
            ("keepalives", "1"), ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "30000"),
            ("dbname", connectionString),
            ("client_encoding", "UTF8"),
        ]
    }

    /// The statements that each session begins with.
    var sessionSettings: String {
        let settings = [
            ("statement_timeout", "\(configuration.statementTimeout.wholeMilliseconds)"),
            ("idle_in_transaction_session_timeout", "\(configuration.idleInTransactionTimeout.wholeMilliseconds)"),
            ("TimeZone", "'UTC'"),
            ("standard_conforming_strings", "on"),
        ]
        // What is committed has to be on the disk. Whoever asks for more than that, of other servers, gets it.
        let durability = """
            SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
            """
        return (settings.map { "SET SESSION \($0) = \($1)" } + [durability]).joined(separator: "; ")
    }

    /// Refuses what libpq would misunderstand. Its own messages quote the string, and so maybe the password.
    private static func check(_ connectionString: String) throws(StoreError) {
        guard connectionString.contains("=") || connectionString.contains("://") else {
            throw unreadable
        }
        guard let options = PQconninfoParse(connectionString, nil) else { throw unreadable }
        defer { PQconninfoFree(options) }
        var option = options
        while let keyword = option.pointee.keyword {
            if ["host", "port"].contains(String(cString: keyword)), let value = option.pointee.val,
                String(cString: value).contains("@")
            {
                throw unreadable
            }
            option += 1
        }
    }

    private static let unreadable = StoreError(
        .unavailable,
        "The connection string cannot be read; write it as postgresql://user:password@host:5432/database, with special"
            + " characters percent-encoded, or as host=… dbname=… user=… password=… ."
    )
}

extension Duration {
    /// At least 1, because 0 means “no limit” to PostgreSQL, and at most what it takes: 24 days.
    var wholeMilliseconds: Int { Int(min(max(1, (self / .milliseconds(1)).rounded(.up)), Double(Int32.max))) }
}
#endif
