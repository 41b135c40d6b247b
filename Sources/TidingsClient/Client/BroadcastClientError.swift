/// Why a client cannot connect, or has given up.
public struct BroadcastClientError: Error, Sendable {
    /// What kind of failure it was. Later versions may add codes.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code's name.
        public let rawValue: String

        /// Takes any code, known or not.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The URL is not one that a client can connect to.
        public static let badURL = Code(rawValue: "bad_url")
        /// The server could not be reached, or the connection was lost.
        public static let connectionLost = Code(rawValue: "connection_lost")
        /// The server answered the opening handshake with something other than a WebSocket.
        public static let refused = Code(rawValue: "refused")
        /// The server does not know who this is: it wants a token, or another one.
        public static let notAuthenticated = Code(rawValue: "not_authenticated")
        /// The server closed the connection with a code that says to stay away.
        public static let closedByServer = Code(rawValue: "closed_by_server")
        /// As many attempts were made as the options allow.
        public static let attemptsExhausted = Code(rawValue: "attempts_exhausted")
    }

    /// What kind of failure it was.
    public let code: Code
    /// One sentence that says what to do. It has no token and no payload in it.
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

extension BroadcastClientError: Equatable {
    /// Equal when code and message are: causes cannot be compared.
    public static func == (left: BroadcastClientError, right: BroadcastClientError) -> Bool {
        left.code == right.code && left.message == right.message
    }
}

extension BroadcastClientError: CustomStringConvertible {
    /// Message and cause.
    public var description: String {
        message + (cause.map { " (\($0))" } ?? "")
    }
}
