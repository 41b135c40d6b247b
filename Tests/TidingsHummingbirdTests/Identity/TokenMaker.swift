import Foundation
import JWTKit
import Synchronization
import TidingsBroadcast
import TidingsHummingbird

/// Makes tokens with keys of its own, good ones and others.
struct TokenMaker: Sendable {
    /// What a token says.
    struct Claims: JWTPayload {
        var sub: String? = "42"
        var exp: Double?
        var nbf: Double?
        var iss: String?
        var aud: [String]?
        var channels: [String]?
        var publish: [String]?
        var role: String?
        var table: String?

        func verify(using algorithm: some JWTAlgorithm) {}
    }

    static let secret = "a secret of thirty-two bytes, at least"
    private let keys = JWTKeyCollection()

    /// Signs with a secret.
    static func secret(_ secret: String = Self.secret) async -> TokenMaker {
        let maker = TokenMaker()
        await maker.keys.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
        return maker
    }

    static func ecdsa(_ key: ES256PrivateKey) async -> TokenMaker {
        let maker = TokenMaker()
        await maker.keys.add(ecdsa: key)
        return maker
    }

    static func edDSA(_ key: EdDSA.PrivateKey) async -> TokenMaker {
        let maker = TokenMaker()
        await maker.keys.add(eddsa: key)
        return maker
    }

    static func rsa(_ key: Insecure.RSA.PrivateKey) async -> TokenMaker {
        let maker = TokenMaker()
        await maker.keys.add(rsa: key, digestAlgorithm: .sha256)
        return maker
    }

    /// A token that says what its claims say, for an hour unless they say otherwise.
    func token(
        _ claims: Claims = Claims(),
        at time: Date = Date(),
        lasting life: Double = 3600,
        header: JWTHeader = JWTHeader()
    ) async throws -> String {
        var claims = claims
        claims.exp = claims.exp ?? time.timeIntervalSince1970 + life
        return try await keys.sign(claims, header: header)
    }
}

extension JWTAuthenticator {
    /// Why a token is refused; nil if it is not.
    func refusal(of token: String) async -> AuthenticationError? {
        do throws(AuthenticationError) {
            _ = try await identity(of: token)
            return nil
        } catch {
            return error
        }
    }
}

/// A time that stands still until a test moves it.
final class MovableDate: Sendable {
    private let date: Mutex<Date>

    init(_ date: Date = Date(timeIntervalSince1970: 1_800_000_000)) {
        self.date = Mutex(date)
    }

    var now: Date { date.withLock { $0 } }

    func advance(by seconds: Double) {
        date.withLock { $0 += seconds }
    }
}
