import HTTPTypes
import Hummingbird
import HummingbirdCore

/// Where a client that connects may have put its token, in the order in which they are looked at: the header
/// `Authorization` (RFC 6750 §2.1), a subprotocol `bearer.<token>` for browsers, a cookie if one is configured, and the
/// query for clients that can do nothing else.
enum BearerToken {
    private static let subprotocolPrefix = "bearer."
    private static let queryName = "token"

    static func token(in request: Request, of attempt: UpgradeAttempt, cookie: String?) -> String? {
        ofAuthorization(request.headers[.authorization])
            ?? ofSubprotocols(attempt.offeredSubprotocols)
            ?? cookie.flatMap { nonEmpty(request.cookies[$0]?.value) }
            ?? nonEmpty(attempt.queryToken)
    }

    /// The token of a plain request: of the header, or of a cookie if one is configured.
    static func token(of request: Request, cookie: String?) -> String? {
        ofAuthorization(request.headers[.authorization]) ?? cookie.flatMap { nonEmpty(request.cookies[$0]?.value) }
    }

    private static func nonEmpty(_ text: String?) -> String? {
        text.flatMap { $0.isEmpty ? nil : $0 }
    }

    static func ofAuthorization(_ field: String?) -> String? {
        guard let parts = field?.split(separator: " ", maxSplits: 1), parts.count == 2,
            parts[0].lowercased() == "bearer"
        else { return nil }
        let token = parts[1].drop { $0 == " " }
        return token.isEmpty ? nil : String(token)
    }

    private static func ofSubprotocols(_ names: [String]) -> String? {
        let name = names.first { $0.hasPrefix(subprotocolPrefix) && $0.utf8.count > subprotocolPrefix.utf8.count }
        return name.map { String($0.dropFirst(subprotocolPrefix.count)) }
    }

    /// Takes a token out of a request's query, so that nobody behind this logs it.
    static func takeOut(of request: inout HTTPRequest) -> String? {
        guard let path = request.path, let mark = path.firstIndex(of: "?") else { return nil }
        let members = path[path.index(after: mark)...].split(separator: "&", omittingEmptySubsequences: false)
        let kept = members.filter { !$0.hasPrefix(queryName + "=") }
        guard kept.count < members.count else { return nil }
        let token = URI(path).queryParameters.get(queryName)
        request.path = String(path[..<mark]) + (kept.isEmpty ? "" : "?" + kept.joined(separator: "&"))
        return token
    }
}
