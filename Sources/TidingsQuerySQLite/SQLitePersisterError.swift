/// Why stored queries cannot be used.
public struct SQLitePersisterError: Error, Sendable {
    /// The kind of an error. More may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The name of the code.
        public let description: String

        /// The file can be neither opened nor made.
        public static let cannotOpen = Code(description: "cannotOpen")
    }

    /// What kind of error it is.
    public let code: Code
    /// What happened and what to do.
    public let message: String
    /// The error underneath.
    public let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)?) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}
