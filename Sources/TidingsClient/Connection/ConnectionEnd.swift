import TidingsWire

/// How a connection ended, or why there was none.
enum ConnectionEnd {
    /// The application could not say with which token to connect.
    case unauthorized(any Error)
    /// No socket, no TLS, or no answer: the server could not be reached.
    case unreachable(any Error)
    /// The server answered the opening handshake with an ordinary HTTP answer.
    case refused(status: Int, detail: String?)
    /// The connection was there and is gone. Without a close frame the code is 1006, and nobody sent it.
    case closed(CloseCode, reason: String, by: CloseCode.Sender)

    var advice: CloseCode.Advice {
        switch self {
        case .unauthorized, .unreachable: .reconnect
        case .refused(let status, _): Self.mayPass(status) ? .reconnect : .stayAway
        case .closed(let code, _, let sender): code.advice(sentBy: sender)
        }
    }

    var error: BroadcastClientError {
        switch self {
        case .unauthorized(let cause):
            BroadcastClientError(.notAuthenticated, "There is no token to connect with.", cause: cause)
        case .unreachable(let cause):
            BroadcastClientError(.connectionLost, "The server cannot be reached.", cause: cause)
        case .refused(let status, let detail):
            BroadcastClientError(
                .refused,
                "The server refused the connection with status \(status)" + Self.suffix(detail)
            )
        case .closed(.abnormal, _, _):
            BroadcastClientError(.connectionLost, "The connection was lost.")
        case .closed(.notAuthenticated, let reason, .server):
            BroadcastClientError(.notAuthenticated, "The server wants to know who this is" + Self.suffix(reason))
        case .closed(let code, let reason, .server):
            BroadcastClientError(
                .closedByServer,
                "The server closed the connection with code \(code)" + Self.suffix(reason)
            )
        case .closed(let code, let reason, .client):
            BroadcastClientError(.closedByServer, "The connection was closed with code \(code)" + Self.suffix(reason))
        }
    }

    /// Whether the same request may succeed later: the server is overloaded or broken, not unwilling.
    private static func mayPass(_ status: Int) -> Bool {
        status >= 500 || status == 408 || status == 429
    }

    private static func suffix(_ text: String?) -> String {
        text.flatMap { $0.isEmpty ? nil : ": \($0)" } ?? "."
    }
}
