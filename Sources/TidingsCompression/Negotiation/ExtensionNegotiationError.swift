/// Why the header `Sec-WebSocket-Extensions` cannot be accepted. The connection has to be failed: a server refuses the
/// handshake with the status 400, a client closes the transport (RFC 6455 §9.1, RFC 7692 §7.1).
public struct ExtensionNegotiationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong. Nothing of the header's content.
    public let description: String

    init(_ fault: String) {
        description = "Sec-WebSocket-Extensions: \(fault)"
    }
}
