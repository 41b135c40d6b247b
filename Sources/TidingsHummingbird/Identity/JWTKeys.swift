public import AsyncHTTPClient

/// Where the keys come from that tokens are checked with.
public struct JWTKeys: Sendable {
    enum Source: Sendable {
        case secret([UInt8])
        case publicKey(pem: String, SigningAlgorithm)
        case set(json: String)
        case file(path: String)
        case url(String, HTTPClient)
    }

    let source: Source

    /// One secret for tokens signed with HS256.
    ///
    /// - Parameter secret: At least 32 bytes (RFC 7518 §3.2), from a random source.
    public static func secret(_ secret: String) -> JWTKeys {
        JWTKeys(source: .secret(Array(secret.utf8)))
    }

    /// One public key.
    ///
    /// - Parameters:
    ///   - pem: The key as PEM (RFC 7468), `-----BEGIN PUBLIC KEY-----`.
    ///   - algorithm: What tokens are signed with. Not HS256.
    public static func publicKey(pem: String, _ algorithm: SigningAlgorithm) -> JWTKeys {
        JWTKeys(source: .publicKey(pem: pem, algorithm))
    }

    /// A set of public keys (RFC 7517 §5).
    ///
    /// - Parameter json: The set as JSON. Keys for other uses and algorithms are skipped.
    public static func set(_ json: String) -> JWTKeys {
        JWTKeys(source: .set(json: json))
    }

    /// A file with a set of public keys, which is read again from time to time and when a token names a key that is not
    /// in it.
    ///
    /// - Parameter path: The file's path; the file has at most 1 MiB.
    public static func file(_ path: String) -> JWTKeys {
        JWTKeys(source: .file(path: path))
    }

    /// A URL that serves a set of public keys, such as the `jwks_uri` of an identity provider. It is asked when the first
    /// token comes, again from time to time, and when a token names a key that is not in the set.
    ///
    /// - Parameters:
    ///   - url: An `https` URL; plain `http` only to this machine, since everybody on the way could put their own keys in.
    ///   - client: Asks.
    public static func url(_ url: String, client: HTTPClient = .shared) -> JWTKeys {
        JWTKeys(source: .url(url, client))
    }
}

/// Why keys cannot be used.
public struct JWTKeysError: Error, CustomStringConvertible {
    /// What kind of failure it was. Later versions may add codes.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code's name.
        public let rawValue: String

        /// Takes any code, known or not.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// What is there is no key for any of the algorithms.
        public static let unusable = Code(rawValue: "unusable")
        /// The keys cannot be read.
        public static let unreadable = Code(rawValue: "unreadable")
    }

    /// What kind of failure it was.
    public let code: Code
    /// One sentence that says what to do. It has nothing of a key in it.
    public let message: String
    /// The failure underneath, where there is one.
    public let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The sentence, and the failure underneath.
    public var description: String { message + (cause.map { " (\($0))" } ?? "") }
}
