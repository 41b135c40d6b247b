import Hummingbird
import Logging
import NIOCore
import TidingsBroadcast
import TidingsWire

/// The endpoints that a broadcast backend adds to a router.
struct BroadcastRoutes {
    let broadcast: WebSocketBroadcastBackend
    let endpoints: BroadcastEndpoints
    /// What the console hears, where there is one.
    var consoleFeeds: ConsoleFeeds?

    func add(to router: Router<some RequestContext>) {
        endpoints.readiness.register("broadcast") { [broadcast] in try await broadcast.checkHealth() }
        endpoints.readiness.register("draining") { [broadcast] in
            guard broadcast.hub.isDraining else { return }
            throw BroadcastError(.closed, "The server is draining.")
        }
        endpoints.readiness.register("feeds") { [broadcast, feeds = endpoints.feeds] in
            try broadcast.hub.feeds.check()
            guard feeds.map({ $0.hub === broadcast.hub }) ?? true else {
                throw FeedError(.notRunning, "The feeds of the endpoints are those of another broadcast backend.")
            }
        }
        addWebSockets(to: router)
        EventStreamRoute(hub: broadcast.hub, endpoints: endpoints).add(to: router)
        PublishRoute(broadcast: broadcast, endpoints: endpoints).add(to: router)
        addOperators(to: router)
        if let console = endpoints.console, let consoleFeeds {
            ConsoleRoutes(console, feeds: consoleFeeds).add(to: router)
        }
        addHealth(to: router)
    }

    private func addWebSockets(to router: Router<some RequestContext>) {
        let hub = broadcast.hub
        addWebSocket(at: endpoints.webSocketPath, to: router) { _, attempt in
            let dialect = attempt.offeredSubprotocols.lazy.compactMap(Dialect.init(subprotocol:)).first
            return WebSocketRoute(subprotocol: dialect?.subprotocol) {
                hub.handler(of: $0, speaking: dialect ?? .plain)
            }
        }
        addWebSocket(at: endpoints.topicWebSocketPath, to: router) { _, _ in
            WebSocketRoute { hub.handler(of: $0, speaking: .topic) }
        }
        guard endpoints.feeds != nil else { return }
        addWebSocket(at: endpoints.feedWebSocketPath, to: router) { request, _ in
            let names = request.uri.queryParameters[values: "feed"].map(String.init)
            return WebSocketRoute { hub.feedHandler(of: $0, hearing: names) }
        }
    }

    /// - Parameter choose: What the connection is to become, by what the client asks for.
    private func addWebSocket(
        at path: RouterPath,
        to router: Router<some RequestContext>,
        choose: @escaping @Sendable (Request, UpgradeAttempt) -> WebSocketRoute
    ) {
        let hub = broadcast.hub
        let (allowedOrigins, cookie) = (endpoints.allowedOrigins, endpoints.tokenCookie)
        router.get(path) { request, _ in
            guard let attempt = UpgradeAttempt.current else { throw UpgradeAttempt.notAnUpgrade }
            try allowedOrigins.check(request)
            if let refusal = hub.refusal { throw Problem(refusal) }
            let credentials = try await Self.credentials(of: request, attempt, cookie: cookie, hub: hub)
            let route = choose(request, attempt)
            let extensions = hub.compressesMessages ? try attempt.answerToCompression() : nil
            return try attempt.accept(subprotocol: route.subprotocol, extensions: extensions) { eventLoop, hasTLS in
                route.makeHandler(
                    AcceptedConnection(
                        eventLoop: eventLoop,
                        credentials: credentials,
                        isCompressed: extensions != nil,
                        writesDirectly: !hasTLS
                    )
                )
            }
        }
    }

    /// Who the client is; nil if it brought no token. A token that is refused is no reason to refuse the upgrade: a
    /// browser would not learn why.
    private static func credentials(
        of request: Request,
        _ attempt: UpgradeAttempt,
        cookie: String?,
        hub: BroadcastHub
    ) async throws -> Result<Identity, AuthenticationError>? {
        guard let token = BearerToken.token(in: request, of: attempt, cookie: cookie) else { return nil }
        let credentials = await hub.credentials(of: token)
        guard case .failure(let error) = credentials, error.code == .unavailable else { return credentials }
        throw Problem(unavailable: error)
    }

    private func addOperators(to router: Router<some RequestContext>) {
        let administration = BroadcastAdministration(broadcast: broadcast)
        let secret = endpoints.operatorSecret
        // The names of channels tell who is there: a server that asks for tokens does not tell them to everybody.
        if let path = endpoints.statsPath, secret != nil || !broadcast.hub.asksWhoClientsAre {
            administration.addStats(at: path, to: router) { try Self.check($0, secret) }
        }
        if let metrics = endpoints.metrics, secret != nil || !broadcast.hub.asksWhoClientsAre {
            BroadcastMetrics(broadcast: broadcast, feeds: endpoints.feeds, others: metrics)
                .add(at: endpoints.metricsPath, to: router) { try Self.check($0, secret) }
        }
        guard secret != nil else { return }
        administration.addSessions(at: endpoints.sessionsPath, to: router) { try Self.check($0, secret) }
    }

    private static func check(_ request: Request, _ secret: String?) throws {
        guard let secret else { return }
        guard let token = BearerToken.ofAuthorization(request.headers[.authorization]),
            ConstantTime.isEqual(token, secret)
        else {
            throw Problem(
                .unauthorized,
                code: "unauthenticated",
                detail: "This is for operators: send the operators' secret as Authorization: Bearer <secret>.",
                headers: [.wwwAuthenticate: "Bearer"]
            )
        }
    }

    private func addHealth(to router: Router<some RequestContext>) {
        router.get(endpoints.healthPath) { _, _ in try Response.json(["status": "ok"]) }
        let readiness = endpoints.readiness
        router.get(endpoints.readinessPath) { _, context in
            let failures = await readiness.failures()
            guard failures.isEmpty else {
                let parts = failures.map(\.part).joined(separator: ", ")
                context.logger.warning("not ready", metadata: ["failures": "\(failures)"])
                throw Problem(.serviceUnavailable, code: "not_ready", detail: "Not ready: \(parts).")
            }
            return try Response.json(Readiness(status: "ready", parts: readiness.details))
        }
    }
}

/// What a WebSocket is to be.
private struct WebSocketRoute: Sendable {
    /// The one that is chosen of those that the client offers.
    var subprotocol: String?
    let makeHandler: @Sendable (AcceptedConnection) -> any ChannelHandler
}

/// What is known of a connection when it becomes a WebSocket.
private struct AcceptedConnection {
    let eventLoop: any EventLoop
    let credentials: Result<Identity, AuthenticationError>?
    let isCompressed: Bool
    let writesDirectly: Bool
}

extension BroadcastHub {
    fileprivate func handler(of connection: AcceptedConnection, speaking dialect: Dialect) -> any ChannelHandler {
        makeSessionHandler(
            on: connection.eventLoop,
            speaking: dialect,
            credentials: connection.credentials,
            isCompressed: connection.isCompressed,
            writesDirectly: connection.writesDirectly
        )
    }

    fileprivate func feedHandler(of connection: AcceptedConnection, hearing names: [String]) -> any ChannelHandler {
        makeFeedSessionHandler(
            on: connection.eventLoop,
            hearing: names,
            credentials: connection.credentials,
            isCompressed: connection.isCompressed,
            writesDirectly: connection.writesDirectly
        )
    }
}

/// What a server that is ready answers.
private struct Readiness: Encodable {
    let status: String
    /// How those parts fare that tell it.
    let parts: [String: [String: Int]]

    private enum CodingKeys: CodingKey {
        case status, parts
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(status, forKey: .status)
        if !parts.isEmpty { try container.encode(parts, forKey: .parts) }
    }
}

extension Response {
    /// An answer that nobody keeps, since it is about this moment.
    static func json(_ value: some Encodable) throws -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: try ResponseBody(json: value)
        )
    }
}

extension Problem {
    /// A server that takes no further connection.
    init(_ refusal: BroadcastError) {
        self.init(
            .serviceUnavailable,
            code: refusal.code == .full ? "server_full" : "draining",
            detail: refusal.message,
            headers: [.retryAfter: "5"]
        )
    }
}
