import FoundationEssentials
import Hummingbird
import JWTKit

/// Who may see the console: whoever has its secret, or a pass that was given for it.
///
/// A pass is signed with the secret, so every node with the same secret knows it, and changing the secret ends all of them.
struct ConsoleAccess: Sendable {
    private static let cookieName = "tidings_console"
    private static let audience = "tidings-console"

    private struct Pass: JWTPayload {
        var aud: AudienceClaim
        var exp: ExpirationClaim

        func verify(using algorithm: some JWTAlgorithm) throws {
            try aud.verifyIntendedAudience(includes: ConsoleAccess.audience)
        }
    }

    private let secret: String
    private let path: String
    private let lifetime: Duration
    private let keys: JWTKeyCollection
    private let now: @Sendable () -> Date

    init(_ console: Console, now: @escaping @Sendable () -> Date = { Date() }) {
        secret = console.secret
        path = console.path.description
        lifetime = console.passLifetime
        keys = JWTKeyCollection()
        self.now = now
    }

    func isSecret(_ text: String) -> Bool { ConstantTime.isEqual(text, secret) }

    /// Whether a request has the secret in its header, or a pass in its cookie.
    func allows(_ request: Request) async -> Bool {
        if let token = BearerToken.ofAuthorization(request.headers[.authorization]) { return isSecret(token) }
        guard let cookie = request.cookies[Self.cookieName]?.value, let signer = try? await signer() else {
            return false
        }
        guard let pass = try? await signer.verify(cookie, as: Pass.self) else { return false }
        return pass.exp.value > now()
    }

    func check(_ request: Request) async throws {
        guard await allows(request) else { throw Self.refusal }
    }

    /// A cookie with a pass. Browsers send it to the console alone, never for another site, and show it to no script.
    func cookie(overTLS hasTLS: Bool) async throws -> String {
        let end = now().addingTimeInterval(lifetime / .seconds(1))
        let pass = Pass(aud: .init(value: [Self.audience]), exp: .init(value: end))
        return header(try await signer().sign(pass), seconds: lifetime.components.seconds, hasTLS)
    }

    /// A cookie that takes the pass away.
    func noCookie(overTLS hasTLS: Bool) -> String { header("", seconds: 0, hasTLS) }

    private func header(_ value: String, seconds: Int64, _ hasTLS: Bool) -> String {
        "\(Self.cookieName)=\(value); Path=\(path); Max-Age=\(seconds); HttpOnly; SameSite=Strict"
            + (hasTLS ? "; Secure" : "")
    }

    private func signer() async throws -> JWTKeyCollection {
        await keys.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
    }

    private static let refusal = Problem(
        .unauthorized,
        code: "unauthenticated",
        detail: "This is for operators: sign in at the console, or send its secret as Authorization: Bearer <secret>.",
        headers: [.wwwAuthenticate: "Bearer"]
    )
}

/// Comparing in a time that does not tell how much of it was right.
enum ConstantTime {
    static func isEqual(_ left: String, _ right: String) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        return zip(left.utf8, right.utf8).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
