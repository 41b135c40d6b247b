import Hummingbird

/// Which web pages may connect to the WebSocket endpoints and read answers of the routes: one list for both.
///
/// A browser says with `Origin` where a page comes from (RFC 6454). Programs that are no browsers send none, and are
/// not restricted by this.
///
/// ```swift
/// endpoints.allowedOrigins = ["https://app.example.com", "https://admin.example.com"]
/// ```
public struct AllowedOrigins: Sendable, ExpressibleByArrayLiteral {
    private enum Rule {
        case sameHost
        case any
        case list([String])
    }

    private let rule: Rule

    /// Pages of the host that the request is made to, on any port.
    public static let sameHost = AllowedOrigins(rule: .sameHost)
    /// Pages of every origin. Anybody's page can then act with what its visitors may do here.
    public static let any = AllowedOrigins(rule: .any)

    /// Pages of these origins only, each written as a browser sends it: scheme, host, and port if it is not the
    /// scheme's own.
    public init(arrayLiteral origins: String...) {
        self.init(origins)
    }

    /// Pages of these origins only.
    ///
    /// - Parameter origins: Each as a browser sends it: scheme, host, and port if it is not the scheme's own.
    public init(_ origins: [String]) {
        rule = .list(origins.map { $0.lowercased() })
    }

    private init(rule: Rule) {
        self.rule = rule
    }

    /// Whether a page of an origin may do something at a host.
    ///
    /// - Parameters:
    ///   - origin: The request's `Origin`.
    ///   - authority: The request's `Host`.
    public func allows(_ origin: String, at authority: String?) -> Bool {
        switch rule {
        case .any: true
        case .list(let origins): origins.contains(origin.lowercased())
        case .sameHost: Self.host(ofOrigin: origin).map { $0 == authority.map(Self.host(ofAuthority:)) } ?? false
        }
    }

    func check(_ request: Request) throws {
        guard let origin = request.headers[.origin], !allows(origin, at: request.head.authority) else { return }
        throw Self.refusal
    }

    /// What a page of another origin is told.
    static let refusal = Problem(
        .forbidden,
        code: "forbidden_origin",
        detail: "Pages of this origin may not do this. Add the origin to the server's allowed origins."
    )

    private static func host(ofOrigin origin: String) -> String? {
        guard let end = origin.firstRange(of: "://")?.upperBound else { return nil }
        return host(ofAuthority: String(origin[end...]))
    }

    private static func host(ofAuthority authority: String) -> String {
        let authority = authority.lowercased()
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") { return String(authority[...end]) }
        return String(authority.prefix { $0 != ":" })
    }
}
