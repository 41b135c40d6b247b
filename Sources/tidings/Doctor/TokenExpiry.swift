import Foundation

/// What a token says of its end, without asking whether it is genuine.
enum TokenExpiry {
    /// When a JSON Web Token (RFC 7519) expires; nil if it does not say, or is none.
    static func date(of token: String) -> Date? {
        struct Claims: Decodable {
            let exp: Double?
        }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        // base64url without padding (RFC 7515 §2).
        var text = parts[1].replacing("-", with: "+").replacing("_", with: "/")
        text += String(repeating: "=", count: (4 - text.count % 4) % 4)
        guard let data = Data(base64Encoded: String(text)) else { return nil }
        return (try? JSONDecoder().decode(Claims.self, from: data))?.exp.map { Date(timeIntervalSince1970: $0) }
    }
}
