/// Why a database did not do what it was asked.
public struct StoreError: Error, Sendable {
    /// What kind of failure it was. Later versions may add codes.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code's name.
        public let rawValue: String

        /// Takes any code, known or not.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The database cannot be reached, or the connection was lost before anything was committed. Trying again later
        /// may help.
        public static let unavailable = Code(rawValue: "unavailable")
        /// The connection was lost during the commit: the change may be there or not.
        public static let unknownOutcome = Code(rawValue: "unknown_outcome")
        /// A statement took longer than it may, or was not given a connection or a lock in time.
        public static let timeout = Code(rawValue: "timeout")
        /// Another transaction stood in the way and this one was chosen to give up. Trying again at once helps.
        public static let conflict = Code(rawValue: "conflict")
        /// A value that has to be unique is there already.
        public static let unique = Code(rawValue: "unique")
        /// A value names a row that is not there, or a row cannot go because others name it.
        public static let foreignKey = Code(rawValue: "foreign_key")
        /// There is no room left on the disk.
        public static let full = Code(rawValue: "full")
        /// The store was closed.
        public static let closed = Code(rawValue: "closed")
        /// What the database holds is not what the declarations say.
        public static let schema = Code(rawValue: "schema")
        /// Everything else, such as a statement that the database does not understand.
        public static let other = Code(rawValue: "other")
    }

    /// What kind of failure it was.
    public let code: Code
    /// One sentence that says what to do. It has no parameter's value and no password in it.
    public let message: String
    /// The name of the constraint or the columns that a value does not fit, where the database says so: in PostgreSQL
    /// the constraint's name, in SQLite `table.column, table.column`.
    public let constraint: String?

    /// Describes a failure.
    ///
    /// - Parameters:
    ///   - code: What kind of failure it was.
    ///   - message: One sentence that says what to do.
    ///   - constraint: What a value does not fit, where the database says so.
    public init(_ code: Code, _ message: String, constraint: String? = nil) {
        self.code = code
        self.message = message
        self.constraint = constraint
    }
}

extension StoreError: CustomStringConvertible {
    /// The code and the sentence.
    public var description: String { "\(code.rawValue): \(message)" }
}
