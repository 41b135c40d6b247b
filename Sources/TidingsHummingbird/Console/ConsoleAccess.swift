import FoundationEssentials
import Hummingbird
import JWTKit
import NIOCore

/// Who may see the console: whoever has its secret, or a pass that was given for it.
///
/// A pass is signed with the secret, so every node with the same secret knows it, and changing the secret ends all of them.
/// A forged pass is therefore a guess of the secret, and counts as one.
struct ConsoleAccess: Sendable {
    private static let cookieName = "tidings_console"
    private static let audience = "tidings-console"

    /// What becomes of somebody who asks.
    enum Decision: Sendable {
        case allowed
        case refused
        /// Too much was wrong: nothing is looked at for a while.
        case limited(TimeAmount)
    }

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
    private let guesses: ConsoleGuesses
    private let now: @Sendable () -> Date

    init(_ console: Console, guesses: ConsoleGuesses? = nil, now: @escaping @Sendable () -> Date = { Date() }) {
        secret = console.secret
        path = console.path.description
        lifetime = console.passLifetime
        keys = JWTKeyCollection()
        self.guesses = guesses ?? ConsoleGuesses(burst: console.wrongSecrets, now: console.guessingTime)
        self.now = now
    }

    /// Whether a text is the secret.
    func decide(_ text: String) -> Decision {
        if let wait = guesses.wait() { return .limited(wait) }
        guard ConstantTime.isEqual(text, secret) else { return .refused }
        guesses.wasRight()
        return .allowed
    }

    /// Whether a request has the secret in its header, or a pass in its cookie.
    func decide(_ request: Request) async -> Decision {
        if let token = BearerToken.ofAuthorization(request.headers[.authorization]) { return decide(token) }
        guard let cookie = request.cookies[Self.cookieName]?.value, !cookie.isEmpty else { return .refused }
        guard !guesses.knows(cookie, at: now()) else { return .allowed }
        if let wait = guesses.wait() { return .limited(wait) }
        guard let signer = try? await signer(), let pass = try? await signer.verify(cookie, as: Pass.self) else {
            return .refused
        }
        // One that is over was good: no guess.
        guesses.wasRight()
        guard pass.exp.value > now() else { return .refused }
        guesses.learn(cookie, until: pass.exp.value)
        return .allowed
    }

    func check(_ request: Request) async throws {
        switch await decide(request) {
        case .allowed: break
        case .refused: throw Self.refusal
        case .limited(let wait): throw Self.limited(for: wait)
        }
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

    private static func limited(for wait: TimeAmount) -> Problem {
        Problem(
            .tooManyRequests,
            code: "rate_limited",
            detail: "Too many wrong secrets came in here. Try again later.",
            headers: [.retryAfter: wait.retryAfter]
        )
    }
}

/// Comparing in a time that does not tell how much of it was right.
enum ConstantTime {
    static func isEqual(_ left: String, _ right: String) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        return zip(left.utf8, right.utf8).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
