public import FoundationEssentials
public import Logging
public import TidingsBroadcast

/// Takes JSON Web Tokens (RFC 7519) for what they say, if they are signed with one of the keys (RFC 7515), have not
/// expired, and were made by whom and for whom the configuration says.
///
/// ```swift
/// configuration.authenticator = try await JWTAuthenticator(
///     keys: .url("https://id.example.com/.well-known/jwks.json"),
///     configuration: .init(issuer: "https://id.example.com", audience: "orders")
/// )
/// ```
///
/// A token has a subject (`sub`) and an expiry (`exp`). It may have `channels`, patterns of what its holder may hear, and
/// `publish`, patterns of where its holder may publish.
///
/// The keys say what a signature is checked with, the token's header does not (RFC 8725 §3.1): a token that names another
/// algorithm than the key's, or `none`, is refused, and so is one whose header has extensions that must be understood
/// (`crit`).
public final class JWTAuthenticator: Authenticator {
    /// What is asked of a token, and how keys are kept.
    public struct Configuration: Sendable {
        /// Who has to have made the token (`iss`); nil: anybody with the key.
        public var issuer: String?
        /// For whom the token has to be (`aud`); nil: anybody.
        public var audience: String?
        /// The algorithms that are accepted, of those that the keys are for.
        public var algorithms: Set<SigningAlgorithm> = Set(SigningAlgorithm.all)
        /// Further claims that ``TidingsBroadcast/Identity/attributes`` gets: those that are a string, a whole number or
        /// a truth value.
        public var attributes: [String] = []
        /// How far the clocks of this server and of who makes the tokens may be apart.
        public var clockTolerance: Duration = .seconds(5)
        /// Bytes that a token has at the most.
        public var maximumTokenBytes = 8192
        /// Age at which keys from a file or a URL are loaded again when the next token comes.
        public var refreshInterval: Duration = .seconds(300)
        /// What time it is.
        public var now: @Sendable () -> Date = { Date() }
        /// Hears when keys cannot be loaded.
        public var logger = Logger(label: "tidings.jwt")

        /// Starts with what to ask for.
        ///
        /// - Parameters:
        ///   - issuer: Who has to have made the token; nil: anybody with the key.
        ///   - audience: For whom the token has to be; nil: anybody.
        public init(issuer: String? = nil, audience: String? = nil) {
            self.issuer = issuer
            self.audience = audience
        }
    }

    private let configuration: Configuration
    private let ring: KeyRing

    /// Loads the keys, except for those behind a URL: they come with the first token.
    ///
    /// - Parameters:
    ///   - keys: What tokens are checked with.
    ///   - configuration: What is asked of a token.
    /// - Throws: ``JWTKeysError`` if the keys cannot be read, or are none for these algorithms.
    public init(keys: JWTKeys, configuration: Configuration = Configuration()) async throws {
        self.configuration = configuration
        ring = try await KeyRing(
            keys,
            limits: .init(refreshInterval: configuration.refreshInterval, minimumInterval: .seconds(10)),
            now: configuration.now,
            logger: configuration.logger
        )
    }

    /// Checks a token.
    ///
    /// - Throws: ``TidingsBroadcast/AuthenticationError``. Its message tells what is wrong, and nothing of the token.
    public func identity(of token: String) async throws(AuthenticationError) -> Identity {
        guard token.utf8.count <= configuration.maximumTokenBytes else {
            throw AuthenticationError(.invalid, "The token has more than \(configuration.maximumTokenBytes) bytes.")
        }
        let claims = try await verifiedClaims(of: token)
        try checkTimes(of: claims)
        try checkParties(of: claims)
        guard let subject = claims.string("sub"), !subject.isEmpty, let expiry = claims.date("exp") else {
            throw AuthenticationError(.invalid, "The token has no subject (sub) or no expiry (exp).")
        }
        return Identity(
            subject: subject,
            expiresAt: expiry,
            channels: try claims.patterns("channels"),
            publishChannels: try claims.patterns("publish") ?? [],
            attributes: attributes(of: claims)
        )
    }

    // MARK: Parts

    private func verifiedClaims(of token: String) async throws(AuthenticationError) -> TokenClaims {
        guard let token = SignedToken(token) else {
            throw AuthenticationError(.invalid, "This is no signed JSON Web Token.")
        }
        guard let algorithm = token.algorithm, configuration.algorithms.contains(algorithm) else {
            throw AuthenticationError(.invalid, "The token's algorithm is not accepted.")
        }
        guard !token.hasCriticalExtensions else {
            throw AuthenticationError(.invalid, "The token's header has extensions that are not known here.")
        }
        let keys = try await keys(for: algorithm, identifier: token.keyIdentifier)
        guard keys.contains(where: { $0.verifies(token.signature, of: token.text) }) else {
            throw AuthenticationError(.invalid, "The token's signature is not of any key that is known here.")
        }
        return token.claims
    }

    private func keys(
        for algorithm: SigningAlgorithm,
        identifier: String?
    ) async throws(AuthenticationError) -> [VerificationKey] {
        do {
            return try await ring.keys(for: algorithm, identifier: identifier)
        } catch {
            throw AuthenticationError(.unavailable, "Tokens cannot be checked at the moment. Try again in a while.")
        }
    }

    private func checkTimes(of claims: TokenClaims) throws(AuthenticationError) {
        let (now, tolerance) = (configuration.now(), configuration.clockTolerance / .seconds(1))
        if let expiry = claims.date("exp"), now >= expiry.addingTimeInterval(tolerance) {
            throw AuthenticationError(.expired, "The token has expired.")
        }
        if claims.has("nbf"), claims.date("nbf").map({ now.addingTimeInterval(tolerance) < $0 }) ?? true {
            throw AuthenticationError(.invalid, "The token is not valid yet.")
        }
    }

    private func checkParties(of claims: TokenClaims) throws(AuthenticationError) {
        if let issuer = configuration.issuer, claims.string("iss") != issuer {
            throw AuthenticationError(.invalid, "The token was made by somebody else (iss).")
        }
        if let audience = configuration.audience, claims.strings("aud")?.contains(audience) != true {
            throw AuthenticationError(.invalid, "The token is for somebody else (aud).")
        }
    }

    private func attributes(of claims: TokenClaims) -> [String: String] {
        let known = configuration.attributes.compactMap { name in claims.text(name).map { (name, $0) } }
        return Dictionary(known, uniquingKeysWith: { first, _ in first })
    }
}
