/// Why a WebSocket was closed (RFC 6455 §7.4), with the codes of Tidings: 4000–4499 mean that a client reconnects,
/// 4500–4999 that it stays away until something changed.
public struct CloseCode: RawRepresentable, Hashable, Sendable {
    /// The code as it stands on the wire.
    public let rawValue: UInt16

    /// Takes any code, known or not.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Whoever sent it is done.
    public static let normal = CloseCode(rawValue: 1000)
    /// The server is going down, or a page was left.
    public static let goingAway = CloseCode(rawValue: 1001)
    /// The peer broke a rule of RFC 6455.
    public static let protocolError = CloseCode(rawValue: 1002)
    /// The peer sent a kind of data that is not accepted.
    public static let unsupportedData = CloseCode(rawValue: 1003)
    /// Never sent: the close frame had no code.
    public static let noCode = CloseCode(rawValue: 1005)
    /// Never sent: the connection ended without a close frame.
    public static let abnormal = CloseCode(rawValue: 1006)
    /// A text was not UTF-8.
    public static let invalidText = CloseCode(rawValue: 1007)
    /// A rule of the application was broken.
    public static let policyViolation = CloseCode(rawValue: 1008)
    /// A message was larger than it may be.
    public static let messageTooBig = CloseCode(rawValue: 1009)
    /// The server failed.
    public static let internalError = CloseCode(rawValue: 1011)
    /// The server restarts.
    public static let serviceRestart = CloseCode(rawValue: 1012)
    /// The server is overloaded.
    public static let tryAgainLater = CloseCode(rawValue: 1013)
    /// The server drains: reconnect within the time that it announced.
    public static let draining = CloseCode(rawValue: 4000)
    /// The reader was too slow for what it had asked for.
    public static let tooSlow = CloseCode(rawValue: 4001)
    /// The peer was silent for too long.
    public static let noHeartbeat = CloseCode(rawValue: 4002)
    /// The token is no longer valid.
    public static let tokenExpired = CloseCode(rawValue: 4003)
    /// The subject has as many connections as it may.
    public static let connectionLimit = CloseCode(rawValue: 4004)
    /// The client did not say who it is, or it was not believed.
    public static let notAuthenticated = CloseCode(rawValue: 4500)
    /// An operator closed the connection.
    public static let closedByOperator = CloseCode(rawValue: 4501)

    /// Whether a close frame may carry the code (RFC 6455 §7.4.1 and §7.4.2, and IANA's registry of close codes).
    public var mayBeSent: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

extension CloseCode: CustomStringConvertible {
    /// The number.
    public var description: String { String(rawValue) }
}

extension CloseCode {
    /// Which side sent the close frame. A connection that was lost counts as closed by the server.
    public enum Sender: Sendable {
        /// The client.
        case client
        /// The server, or nobody.
        case server
    }

    /// What a client does after a connection ended.
    public enum Advice: String, Sendable {
        /// Reconnect after a backoff.
        case reconnect
        /// Reconnect at a random moment within the time that the server announced, else after a backoff.
        case reconnectAnnounced = "reconnect_announced"
        /// Reconnect with the last positions.
        case reconnectResuming = "reconnect_resuming"
        /// Get a new token, then reconnect.
        case refreshToken = "refresh_token"
        /// Reconnect, starting at the longest backoff.
        case reconnectLongest = "reconnect_longest"
        /// Stay away until told otherwise.
        case stayAway = "stay_away"
        /// Stay away until there is a new token.
        case awaitToken = "await_token"
        /// Stay away and tell the application: one of the two sides is broken.
        case report
    }

    /// What a client does after a connection ended with this code.
    ///
    /// - Parameter sender: Which side sent it.
    public func advice(sentBy sender: Sender) -> Advice {
        if self == .normal { return sender == .client ? .stayAway : .reconnect }
        switch rawValue {
        case 1002, 1003, 1007...1010: return .report
        case 4000: return .reconnectAnnounced
        case 4001: return .reconnectResuming
        case 4003: return .refreshToken
        case 4004: return .reconnectLongest
        case 4500: return .awaitToken
        case 4501...4999: return .stayAway
        default: return .reconnect
        }
    }
}
