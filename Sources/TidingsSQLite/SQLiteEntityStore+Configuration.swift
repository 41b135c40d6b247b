extension SQLiteEntityStore {
    /// How the store uses its file.
    public struct Configuration: Sendable {
        /// What a committed transaction survives.
        public struct Durability: Hashable, Sendable {
            let pragma: String

            /// The end of the process, of the system, and of the power: each commit waits until the disk has it
            /// (`synchronous = FULL`).
            public static let full = Durability(pragma: "FULL")
            /// The end of the process. After a power cut the last commits may be missing, whole ones and from the end, and
            /// with them events that clients have seen already (`synchronous = NORMAL`). Many times faster on slow disks.
            public static let process = Durability(pragma: "NORMAL")
        }

        /// What a committed transaction survives.
        public var durability: Durability
        /// Time that a transaction waits for another process that writes.
        public var busyTimeout: Duration
        /// Transactions that may read at the same time, while one writes.
        public var readers: Int
        /// Time that a transaction waits for others of this store.
        public var waitLimit: Duration
        /// Transactions that may wait for others of this store, those that read and those that write each.
        public var waitingTransactions: Int
        /// Time that a transaction may take from its beginning, waiting for other processes included; the statement that
        /// runs then is interrupted.
        public var transactionTimeout: Duration
        /// Time between two looks for changes of other processes.
        public var watchInterval: Duration

        /// The defaults: full durability, 5 seconds for other processes, 5 readers, 10 seconds in line with at most 1,000
        /// others, 30 seconds for a transaction, a look every 30 milliseconds.
        public init() {
            durability = .full
            busyTimeout = .seconds(5)
            readers = 5
            waitLimit = .seconds(10)
            waitingTransactions = 1000
            transactionTimeout = .seconds(30)
            watchInterval = .milliseconds(30)
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
