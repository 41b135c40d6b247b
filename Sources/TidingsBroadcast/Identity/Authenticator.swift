/// Says who the bearer of a token is.
///
/// `JWTAuthenticator` of TidingsHummingbird does it for JSON Web Tokens. An application with tokens of another kind, such
/// as session identifiers in a database, conforms a type of its own.
public protocol Authenticator: Sendable {
    /// Finds out who the bearer of a token is.
    ///
    /// Called when a client connects and again when it sends a fresh token. What the client says meanwhile waits. The
    /// task is cancelled when the client goes.
    ///
    /// - Parameter token: As the client sent it: any text of any length up to the limit of a message or of a request's
    ///   head. It must not be logged.
    /// - Throws: ``AuthenticationError`` if the token does not say, or cannot be checked now.
    func identity(of token: String) async throws(AuthenticationError) -> Identity
}

/// Why a token does not say who its bearer is.
public struct AuthenticationError: Error, Hashable, Sendable {
    /// What kind of failure it was. Later versions may add codes.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code's name.
        public let rawValue: String

        /// Takes any code, known or not.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The token is none, or was not made by whom this server trusts, or is for somebody else.
        public static let invalid = Code(rawValue: "invalid")
        /// The token was good once.
        public static let expired = Code(rawValue: "expired")
        /// The token cannot be checked at this moment: its keys cannot be had.
        public static let unavailable = Code(rawValue: "unavailable")
    }

    /// What kind of failure it was.
    public let code: Code
    /// One sentence that says what to do. The client is told: it has nothing of the token and of the keys in it.
    public let message: String

    /// Describes a failure.
    ///
    /// - Parameters:
    ///   - code: What kind of failure it was.
    ///   - message: One sentence that says what to do, for the client too.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension AuthenticationError: CustomStringConvertible {
    /// The code and the sentence.
    public var description: String { "\(code.rawValue): \(message)" }
}
