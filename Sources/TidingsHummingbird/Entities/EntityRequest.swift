import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import TidingsBroadcast
import TidingsEntities
import TidingsWire

/// What a request for entities says, before its body is read.
struct EntityRequest {
    static let maximumKeyCharacters = 255
    private static let maximumOriginCharacters = 128

    /// Who asks; nil if nobody said.
    let identity: Identity?
    /// The identifier in the path; empty if there is none.
    let id: String
    /// The child's identifier in the path; empty if there is none.
    let childID: String
    /// The parameters of the URL, in their order.
    let parameters: [(name: String, value: String)]

    init(_ request: Request, _ context: any RequestContext, _ endpoints: EntityEndpoints) async throws {
        identity = try await Self.identity(of: request, endpoints)
        id = context.parameters.get("id") ?? ""
        childID = context.parameters.get("child") ?? ""
        parameters = try QueryString.parameters(of: request.uri.query)
    }

    private static func identity(of request: Request, _ endpoints: EntityEndpoints) async throws -> Identity? {
        guard let authenticator = endpoints.authenticator else { return nil }
        let token = BearerToken.token(of: request, cookie: endpoints.tokenCookie)
        guard let token else {
            guard endpoints.requiresToken else { return nil }
            throw Problem(unauthenticated: "Send a token: Authorization: Bearer <token>.", challenge: "Bearer")
        }
        do throws(AuthenticationError) {
            return try await authenticator.identity(of: token)
        } catch {
            guard error.code != .unavailable else { throw Problem(unavailable: error) }
            throw Problem(unauthenticated: error.message, challenge: #"Bearer error="invalid_token""#)
        }
    }

    /// The request as one that changes something, with its body.
    func call(
        _ request: Request,
        _ context: any RequestContext,
        _ endpoints: EntityEndpoints
    ) async throws -> EntityCall {
        EntityCall(
            context: ChangeContext(
                identity: identity,
                origin: try request.token(in: .mutationID, atMost: Self.maximumOriginCharacters),
                // Not `context.id`, which traps where the log drops metadata.
                requestID: context.logger[metadataKey: "hb.request.id"]?.description,
                traceID: request.traceID
            ),
            body: try await request.jsonBody(atMost: endpoints.bodyBytes),
            ifMatch: try request.headers[.ifMatch].map(EntityTags.strong),
            idempotencyKey: try request.token(in: .idempotencyKey, atMost: Self.maximumKeyCharacters),
            route: "\(request.method) \(request.uri.path)"
        )
    }
}

extension HTTPField.Name {
    /// A name that literals below are sure to be.
    private static func literal(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no header's name.") }
        return name
    }

    static let mutationID = literal("X-Mutation-ID")
    static let idempotencyKey = literal("Idempotency-Key")
    static let traceParent = literal("traceparent")
    static let tidingsPosition = literal("Tidings-Position")
    static let requestID = literal("X-Request-Id")
    static let lastEventID = literal("Last-Event-ID")
    /// What a proxy such as nginx heeds.
    static let accelBuffering = literal("X-Accel-Buffering")
}

/// Lists of entity tags, as in `If-Match` and `If-None-Match` (RFC 9110 §8.8.3, §13.1).
enum EntityTags {
    /// The tags that compare strongly; `*` stands for every one.
    static func strong(_ header: String) throws -> [String] {
        let tags = tags(header)
        guard tags == ["*"] || !tags.isEmpty && tags.allSatisfy(isTag) else {
            throw Problem(.badRequest, code: "bad_header", detail: #"If-Match is "*" or a list of entity tags."#)
        }
        return tags.filter { !$0.hasPrefix("W/") }
    }

    private static func isTag(_ text: String) -> Bool {
        let opaque = text.hasPrefix("W/") ? text.dropFirst(2) : text[...]
        return opaque.utf8.count >= 2 && opaque.hasPrefix("\"") && opaque.hasSuffix("\"")
    }

    /// The tags without regard to whether they are weak.
    static func weak(_ header: String) -> [String] {
        tags(header).map { $0.hasPrefix("W/") ? String($0.dropFirst(2)) : $0 }
    }

    private static func tags(_ header: String) -> [String] {
        header.split(separator: ",").map { part in
            let trimmed = part.drop { $0 == " " || $0 == "\t" }
            return String(trimmed.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
        }
    }
}

/// The query of a URL as the names and values of a form (application/x-www-form-urlencoded).
enum QueryString {
    static func parameters(of query: String?) throws -> [(name: String, value: String)] {
        try (query ?? "").split(separator: "&").map { part in
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (try decoded(pair[0]), try pair.count > 1 ? decoded(pair[1]) : "")
        }
    }

    private static func decoded(_ text: Substring) throws -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(0x20)
            case UInt8(ascii: "%"):
                let digits = rest.prefix(2)
                rest = rest.dropFirst(2)
                guard digits.count == 2, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else {
                    throw malformed
                }
                bytes.append(value)
            default: bytes.append(byte)
            }
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else { throw malformed }
        return decoded
    }

    private static var malformed: Problem {
        Problem(.badRequest, code: "bad_request", detail: "The query is not percent-encoded UTF-8.")
    }
}
