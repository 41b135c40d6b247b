import HTTPTypes
public import Hummingbird
import Logging
import TidingsBroadcast

/// Answers for pages of allowed origins with the headers that let a browser show them the answer (CORS, as in the Fetch
/// standard), around everything that the application answers, errors and unknown paths included. Nothing behind it sees a
/// token in the query of a WebSocket's path, where a proxy may have made a plain request of an upgrade.
public struct OriginResponder<Base: HTTPResponder>: HTTPResponder where Base.Context: RequestContext {
    /// What the routes get with each request.
    public typealias Context = Base.Context

    private let base: Base
    private let allowedOrigins: AllowedOrigins
    private let socketPaths: Set<String>
    private let consolePath: String?

    init(_ base: Base, endpoints: BroadcastEndpoints) {
        self.base = base
        allowedOrigins = endpoints.allowedOrigins
        consolePath = endpoints.console?.path.description
        socketPaths = Set(
            [endpoints.webSocketPath, endpoints.topicWebSocketPath, endpoints.feedWebSocketPath].map(\.description)
        ).union(endpoints.streamPaths)
    }

    /// Answers a preflight itself, refuses changes of pages that are not allowed, and adds headers to every other answer.
    ///
    /// What is broadcast on the way belongs to the trace of the request, or else to its name in the log. The answer says
    /// that name (`X-Request-Id`).
    public func respond(to request: Request, context: Context) async throws -> Response {
        let name = context.logger[metadataKey: "hb.request.id"]?.description
        var response = try await BroadcastTrace.$identifier.withValue(request.traceID ?? name) {
            try await answer(to: withoutToken(request), context: context)
        }
        if response.headers[.requestID] == nil { response.headers[.requestID] = name }
        return response
    }

    private func answer(to request: Request, context: Context) async throws -> Response {
        guard let origin = request.headers[.origin] else {
            return try await base.respond(to: request, context: context)
        }
        let isAllowed = origins(at: request.uri.path).allows(origin, at: request.head.authority)
        var response =
            if request.isPreflight {
                Self.preflightResponse(isAllowed: isAllowed)
            } else if !isAllowed, !request.isSafe {
                // Browsers send some requests of a page without asking first, and the visitor's cookies with them.
                try AllowedOrigins.refusal.makeResponse()
            } else {
                try await base.respond(to: request, context: context)
            }
        response.headers[values: .vary].append("Origin")
        if isAllowed {
            response.headers[.accessControlAllowOrigin] = origin
            response.headers[.accessControlExposeHeaders] =
                "ETag, Location, Retry-After, Tidings-Position, WWW-Authenticate, X-Request-Id"
        }
        return response
    }

    /// The console is for its own pages, whichever others the application allows.
    private func origins(at path: String) -> AllowedOrigins {
        guard let consolePath, path == consolePath || path.hasPrefix(consolePath + "/") else { return allowedOrigins }
        return .sameHost
    }

    private func withoutToken(_ request: Request) -> Request {
        guard socketPaths.contains(request.uri.path) else { return request }
        var head = request.head
        guard BearerToken.takeOut(of: &head) != nil else { return request }
        return Request(head: head, body: request.body)
    }

    private static func preflightResponse(isAllowed: Bool) -> Response {
        guard isAllowed else { return Response(status: .noContent) }
        return Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: "GET, HEAD, POST, PUT, PATCH, DELETE",
                .accessControlAllowHeaders: """
                Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-Mutation-ID, \
                traceparent
                """,
                .accessControlMaxAge: "600",
            ]
        )
    }
}

extension Request {
    /// Whether it changes nothing (RFC 9110 §9.2.1).
    fileprivate var isSafe: Bool { [.get, .head, .options, .trace].contains(method) }

    /// Whether a browser asks before it sends the request itself.
    fileprivate var isPreflight: Bool {
        method == .options && headers.contains(.accessControlRequestMethod)
    }
}
