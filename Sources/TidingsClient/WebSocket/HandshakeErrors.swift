/// The server answered the opening handshake with something other than a WebSocket.
package struct HandshakeRefusal: Error {
    /// The answer's status.
    package let status: Int
    /// What went wrong, for programs; nil if the answer has no problem details (RFC 9457).
    package let code: String?
    /// What went wrong, for people.
    package let detail: String?
}

/// The server's answer to the opening handshake is not one to the question.
package struct HandshakeMismatch: Error, CustomStringConvertible {
    /// What does not match.
    package let description: String
}
