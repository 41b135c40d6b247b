/// Why an event could not be broadcast, or a channel not be subscribed to.
public struct BroadcastError: Error, Sendable {
    /// What kind of failure it was. Later versions may add codes.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code's name.
        public let rawValue: String

        /// Takes any code, known or not.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The backend was closed.
        public static let closed = Code(rawValue: "closed")
        /// The backend cannot be reached. Trying again later may help.
        public static let unavailable = Code(rawValue: "unavailable")
        /// The connection to the backend was lost before it answered: the event may have been told or not.
        public static let unconfirmed = Code(rawValue: "unconfirmed")
        /// The server has as many connections as it may.
        public static let full = Code(rawValue: "full")
        /// The event's payload is larger than it may be.
        public static let payloadTooLarge = Code(rawValue: "payload_too_large")
        /// The channel's events come from a log that is kept elsewhere: write the event there.
        public static let relayedChannel = Code(rawValue: "relayed_channel")
        /// The key of a request that may come again came with another request. Take a new one for each.
        public static let keyReused = Code(rawValue: "key_reused")
    }

    /// What kind of failure it was.
    public let code: Code
    /// One sentence that says what to do. It has no payload and no secret in it.
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

extension BroadcastError: CustomStringConvertible {
    /// Code, message and cause.
    public var description: String {
        "\(code.rawValue): \(message)" + (cause.map { " (\($0))" } ?? "")
    }
}
