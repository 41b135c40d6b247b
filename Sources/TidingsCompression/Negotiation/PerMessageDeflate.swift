/// The extension `permessage-deflate` (RFC 7692 §7): what its two sides say in the opening handshake.
///
/// A server here begins each message with an empty window, always: that way an event is compressed once, and its bytes
/// are the same for everyone. It demands the same of its clients, so that a session keeps no state between messages.
///
/// For the same reason there is one size of the server's window for all, 4 KiB. Events hardly ever reach further back,
/// and a compressor takes an eighth of the memory that 32 KiB would. An offer that demands less is declined
/// (§7.1.2.1), and that client is served uncompressed; one that allows more is accepted, since every decompressor reads
/// what was made with a smaller window than it has.
public struct PerMessageDeflate: Hashable, Sendable {
    /// Whether the server's messages refer back to those before: the client has to keep its window then.
    public let serverKeepsContext: Bool

    private static let name = "permessage-deflate"
    private static let windowBits = Int(MessageDeflater.windowBits)
}

// MARK: - The server's side

extension PerMessageDeflate {
    /// Answers a client's offers: the first that can be accepted is.
    ///
    /// - Parameter offers: The values of the request's header `Sec-WebSocket-Extensions`, one for each line.
    /// - Returns: The value for the answer's header; nil for none, when nothing that was offered can be accepted.
    /// - Throws: ``ExtensionNegotiationError`` if the header breaks the grammar. The handshake has to be refused.
    public static func answer(to offers: [String]) throws(ExtensionNegotiationError) -> String? {
        try WebSocketExtension.parse(offers).lazy.compactMap(answer).first
    }

    private static func answer(to offer: WebSocketExtension) -> String? {
        guard offer.name == name, let wanted = DeflateParameters(offer.parameters) else { return nil }
        let answer = "\(name); server_no_context_takeover; client_no_context_takeover"
        guard let window = wanted.serverMaxWindowBits else { return answer }
        return window < windowBits ? nil : "\(answer); server_max_window_bits=\(windowBits)"
    }
}

// MARK: - The client's side

extension PerMessageDeflate {
    /// What a client offers, as the value of the request's header `Sec-WebSocket-Extensions`.
    ///
    /// It never refers back to an earlier message and says so. Servers may refer back if they wish: one connection's
    /// window costs a client little. It does not offer `client_max_window_bits`, because there are sizes that it could
    /// not keep to: zlib has no raw deflate with a window of 256 bytes.
    public static let offer = "\(name); client_no_context_takeover"

    /// Checks what a server answered to ``offer``.
    ///
    /// - Parameter answer: The values of the answer's header `Sec-WebSocket-Extensions`, one for each line.
    /// - Returns: What was agreed on; nil if the server chose no extension.
    /// - Throws: ``ExtensionNegotiationError`` if the answer is none to the offer. The connection has to be failed.
    public static func agreement(
        with answer: [String]
    ) throws(ExtensionNegotiationError) -> PerMessageDeflate? {
        let chosen = try WebSocketExtension.parse(answer)
        guard let first = chosen.first else { return nil }
        guard chosen.count == 1, first.name == name else {
            throw ExtensionNegotiationError("the server chose an extension that was not offered")
        }
        guard let parameters = DeflateParameters(first.parameters), !parameters.hasClientMaxWindowBits else {
            throw ExtensionNegotiationError("the server chose parameters that were not offered")
        }
        return PerMessageDeflate(serverKeepsContext: !parameters.serverNoContextTakeover)
    }
}
