/// Why a feed cannot be declared, or a value not be told.
public struct FeedError: Error, Sendable {
    /// What kind of failure it was. Later versions may add codes.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code's name.
        public let rawValue: String

        /// Takes any code, known or not.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// A feed of this name is declared already.
        public static let duplicate = Code(rawValue: "duplicate")
        /// The interval is below a second, and it was not said twice that it is meant.
        public static let shortInterval = Code(rawValue: "short_interval")
        /// The value cannot be told in the feed's frame, or not at all.
        public static let badValue = Code(rawValue: "bad_value")
        /// The registry runs already.
        public static let alreadyRunning = Code(rawValue: "already_running")
        /// Feeds are declared that nothing runs.
        public static let notRunning = Code(rawValue: "not_running")
    }

    /// What kind of failure it was.
    public let code: Code
    /// One sentence that says what to do. It has no value in it.
    public let message: String
    /// The failure underneath, where there is one.
    public let cause: (any Error)?

    /// Describes a failure.
    ///
    /// - Parameters:
    ///   - code: What kind of failure it was.
    ///   - message: One sentence that says what to do.
    ///   - cause: The failure underneath.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension FeedError: CustomStringConvertible {
    /// Code and message.
    public var description: String { "\(code.rawValue): \(message)" }
}
