/// How a token is signed (RFC 7518 §3.1, RFC 8037 §3.1).
public struct SigningAlgorithm: RawRepresentable, Hashable, Sendable {
    /// The name in a token's header.
    public let rawValue: String

    /// Takes a name; nil if it is none of those that are supported. `none` is not.
    public init?(rawValue: String) {
        guard Self.all.contains(where: { $0.rawValue == rawValue }) else { return nil }
        self.rawValue = rawValue
    }

    private init(_ name: String) {
        rawValue = name
    }

    /// HMAC with SHA-256: who can check a token can also make one.
    public static let hs256 = SigningAlgorithm("HS256")
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    public static let rs256 = SigningAlgorithm("RS256")
    /// ECDSA with P-256 and SHA-256.
    public static let es256 = SigningAlgorithm("ES256")
    /// EdDSA with Ed25519.
    public static let edDSA = SigningAlgorithm("EdDSA")

    static let all: [SigningAlgorithm] = [.hs256, .rs256, .es256, .edDSA]
}
