import Hummingbird
import Logging
import TidingsBroadcast
import TidingsWire

/// The endpoints that a broadcast backend adds to a router.
struct BroadcastRoutes {
    let broadcast: WebSocketBroadcastBackend
    let endpoints: BroadcastEndpoints

    func add(to router: Router<some RequestContext>) {
        endpoints.readiness.register("broadcast") { [broadcast] in try await broadcast.checkHealth() }
        endpoints.readiness.register("draining") { [broadcast] in
            guard broadcast.hub.isDraining else { return }
            throw BroadcastError(.closed, "The server is draining.")
        }
        addWebSocket(at: endpoints.webSocketPath, to: router) { attempt in
            attempt.offeredSubprotocols.lazy.compactMap(Dialect.init(subprotocol:)).first
        }
        addWebSocket(at: endpoints.topicWebSocketPath, to: router) { _ in .topic }
        addStats(to: router)
        addHealth(to: router)
    }

    /// - Parameter choose: The dialect; nil if the client offers none, which is the plain one.
    private func addWebSocket(
        at path: RouterPath,
        to router: Router<some RequestContext>,
        choose: @escaping @Sendable (UpgradeAttempt) -> Dialect?
    ) {
        let hub = broadcast.hub
        let allowedOrigins = endpoints.allowedOrigins
        router.get(path) { request, _ in
            guard let attempt = UpgradeAttempt.current else { throw UpgradeAttempt.notAnUpgrade }
            try allowedOrigins.check(request)
            if let refusal = hub.refusal { throw Problem(refusal) }
            let chosen = choose(attempt)
            return try attempt.accept(subprotocol: chosen?.subprotocol) { eventLoop, hasTLS in
                hub.makeSessionHandler(on: eventLoop, speaking: chosen ?? .plain, writesDirectly: !hasTLS)
            }
        }
    }

    private func addStats(to router: Router<some RequestContext>) {
        let hub = broadcast.hub
        router.get(endpoints.statsPath) { _, _ in
            let channels = hub.channels.map { ($0.key.rawValue, $0.value) }
            return try Response.json(
                Stats(connections: hub.connectionCount, channels: Dictionary(channels, uniquingKeysWith: +))
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
            return try Response.json(["status": "ready"])
        }
    }

    private struct Stats: Encodable {
        let connections: Int
        let channels: [String: Int]
    }
}

extension Response {
    /// An answer that nobody keeps, since it is about this moment.
    fileprivate static func json(_ value: some Encodable) throws -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: try ResponseBody(json: value)
        )
    }
}

extension Problem {
    /// A server that takes no further connection.
    fileprivate init(_ refusal: BroadcastError) {
        self.init(
            .serviceUnavailable,
            code: refusal.code == .full ? "server_full" : "draining",
            detail: refusal.message,
            headers: [.retryAfter: "5"]
        )
    }
}
