#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The parts of the opening handshake (RFC 6455 §4) that both sides compute.
public enum WebSocketHandshake {
    /// The version of the protocol that Tidings speaks.
    public static let version = "13"

    /// A new value for `Sec-WebSocket-Key`: 16 random bytes in Base64.
    ///
    /// - Parameter generator: Where the randomness comes from.
    public static func makeKey(using generator: inout some RandomNumberGenerator) -> String {
        Data((0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }).base64EncodedString()
    }

    /// Whether a value of `Sec-WebSocket-Key` is 16 bytes in Base64.
    ///
    /// - Parameter key: The value as it arrived.
    public static func isKey(_ key: String) -> Bool {
        key.utf8.count == 24 && Data(base64Encoded: key)?.count == 16
    }

    /// The value of `Sec-WebSocket-Accept` that proves that the server read the key (§4.2.2).
    ///
    /// - Parameter key: The value of `Sec-WebSocket-Key`.
    public static func accept(_ key: String) -> String {
        Data(SHA1.hash(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))).base64EncodedString()
    }

    /// Whether a header's comma-separated list of tokens has a token, upper and lower case alike (RFC 9110 §5.6.1).
    ///
    /// - Parameters:
    ///   - list: The header's value, such as `keep-alive, Upgrade`.
    ///   - token: The token in lower case.
    public static func list(_ list: String, has token: String) -> Bool {
        list.split(separator: ",").contains { element in
            var element = element.drop(while: isWhiteSpace)
            while element.last.map(isWhiteSpace) == true { element.removeLast() }
            return element.lowercased() == token
        }
    }

    private static func isWhiteSpace(_ character: Character) -> Bool {
        character == " " || character == "\t"
    }
}
