#if PostgreSQL
extension PostgresEntityStore {
    /// How the store uses its server.
    public struct Configuration: Sendable {
        /// Connections, and so transactions at the same time. Each has a thread. The watch of the outbox has one more.
        public var connections: Int
        /// Time that a transaction waits for a connection that is free.
        public var waitLimit: Duration
        /// Transactions that may wait for a connection.
        public var waitingTransactions: Int
        /// Time to connect and sign in; whole seconds, at least 2. The connection string's `connect_timeout` goes before.
        public var connectTimeout: Duration
        /// Time that a statement may take, waiting for locks included. After ``TidingsEntities/SQLConnection/lockSchema()``
        /// a transaction has no such limit.
        public var statementTimeout: Duration
        /// Time that a body may spend between two statements.
        public var idleInTransactionTimeout: Duration
        /// Statements that each connection keeps prepared.
        public var preparedStatements: Int

        /// The defaults: 8 connections, 10 seconds in line with at most 1,000 others, 5 seconds to connect, 10 seconds for a
        /// statement and 30 between two, 200 prepared statements.
        public init() {
            connections = 8
            waitLimit = .seconds(10)
            waitingTransactions = 1000
            connectTimeout = .seconds(5)
            statementTimeout = .seconds(10)
            idleInTransactionTimeout = .seconds(30)
            preparedStatements = 200
        }

        /// The defaults with changes.
        ///
        /// - Parameter configure: Makes the changes.
        public init(_ configure: (inout Configuration) -> Void) {
            self.init()
            configure(&self)
        }
    }
}
#endif
