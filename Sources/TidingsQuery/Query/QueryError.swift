/// Why the cache has no answer. What a fetch function throws is passed on as it is.
public struct QueryError: Error, Sendable {
    /// The kind of a ``QueryError``. More may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The name of the code.
        public let description: String

        /// The fetch was cancelled, or its entry removed, and there is no data to answer with.
        public static let cancelled = Code(description: "cancelled")
        /// There is no data, and the query has no function to fetch it with.
        public static let noFetch = Code(description: "noFetch")
        /// The entry of this key holds values of another type.
        public static let typeMismatch = Code(description: "typeMismatch")
        /// A mutation of this name was not registered, or not with these types.
        public static let notRegistered = Code(description: "notRegistered")
        /// A mutation was discarded before it was confirmed.
        public static let discarded = Code(description: "discarded")
        /// What was persisted cannot be read.
        public static let corrupt = Code(description: "corrupt")
    }

    /// What kind of error it is.
    public let code: Code
    /// What happened and what to do, for whoever reads the log. It contains no data.
    public let message: String
    /// The error underneath, if there is one.
    public let cause: (any Error)?

    /// Makes an error.
    ///
    /// - Parameters:
    ///   - code: What kind of error it is.
    ///   - message: What happened and what to do.
    ///   - cause: The error underneath.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    static func cancelled(_ key: QueryKey) -> QueryError {
        QueryError(.cancelled, "The fetch of \(key) was cancelled before there was any data; fetch again to get some.")
    }

    static func typeMismatch(_ key: QueryKey) -> QueryError {
        QueryError(.typeMismatch, "The entry \(key) holds values of another type; give each type its own key.")
    }

    static func noFetch(_ key: QueryKey) -> QueryError {
        QueryError(.noFetch, "The query \(key) has no function to fetch with; set its data, or define one.")
    }
}

extension QueryError: CustomStringConvertible {
    /// The code and the message.
    public var description: String { "\(code): \(message)" }
}
