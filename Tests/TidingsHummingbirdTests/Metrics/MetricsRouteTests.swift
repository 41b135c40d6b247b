import CoreMetrics
import Hummingbird
import NIOHTTP1
import SocketTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsHummingbird

@Suite("Metrics over HTTP", .timeLimit(.patience))
struct MetricsRouteTests {
    @Test("there are none unless they are configured, and then those of hub, backend, feeds and process")
    func route() async throws {
        try await TestServer.run { server in
            let answer = try await EndpointTests.get("/metrics", server)
            #expect(answer.status == 404)
        }
        let broadcast = WebSocketBroadcastBackend(hub: BroadcastHub(configuration: .make { _ in }))
        let feeds = FeedRegistry(broadcast)
        let load = try feeds.declare("load", .events(of: Int.self))
        var endpoints = BroadcastEndpoints.make()
        let metrics = PrometheusMetrics()
        endpoints.metrics = metrics
        endpoints.feeds = feeds
        try await TestServer.run(endpoints: endpoints, broadcast: broadcast) { server in
            Counter(label: "orders_total", factory: metrics).increment()
            let socket = try await TestSocket.connect(to: server.url)
            try await socket.subscribe(to: "order", "table")
            for _ in 0..<3 { try await server.broadcast.broadcast("updated", on: "order") }
            try await load.send(7)
            for _ in 0..<3 { _ = try await socket.receive() }
            let answer = try await EndpointTests.get("/metrics", server)
            #expect(answer.status == 200)
            #expect(answer.type == "text/plain; version=0.0.4; charset=utf-8")
            let lines = Set(answer.body.split(separator: "\n").map(String.init))
            for line in [
                "tidings_connections 1", "tidings_subscriptions 2", "tidings_published_total 4",
                "tidings_delivered_total 3", "tidings_superseded_total 0", "tidings_collapsed_total 0",
                "tidings_pending_bytes 0", "tidings_backend_up 1", "tidings_draining 0", "orders_total 1",
                "tidings_feed_broadcasts_total{feed=\"load\"} 1",
                "# TYPE tidings_broadcast_duration_seconds histogram",
            ] {
                #expect(lines.contains(line), "\(line) is missing")
            }
            await server.broadcast.close()
            #expect(try await socket.end().code == .goingAway)
            let closed = try await EndpointTests.get("/metrics", server)
            #expect(closed.body.contains("tidings_backend_up 0\n"))
            #expect(closed.body.contains("tidings_closed_total{code=\"1001\"} 1\n"))
        }
    }

    @Test("they are for operators where there is a secret, and on no public address where clients need tokens")
    func rights() async throws {
        var endpoints = BroadcastEndpoints.make()
        endpoints.metrics = PrometheusMetrics()
        var hub = BroadcastHub.Configuration.make { _ in }
        hub.authenticator = try await JWTAuthenticator(keys: .secret(TokenMaker.secret))
        try await TestServer.run(endpoints: endpoints, hub: hub) { server in
            let answer = try await EndpointTests.get("/metrics", server)
            #expect(answer.status == 404)
        }
        endpoints.operatorSecret = "operators only"
        endpoints.metricsPath = "/admin/metrics"
        try await TestServer.run(endpoints: endpoints, hub: hub) { server in
            let headers: HTTPHeaders = ["Authorization": "Bearer operators only"]
            let answers = [
                try await EndpointTests.get("/admin/metrics", server),
                try await EndpointTests.get("/admin/metrics", server, headers: headers),
            ]
            #expect(answers.map(\.status) == [401, 200])
        }
    }

    @Test("an administrative address has them without further words")
    func administration() async throws {
        let broadcast = WebSocketBroadcastBackend(hub: BroadcastHub(configuration: .make { _ in }))
        let router = Router()
        router.group("admin").addBroadcastAdministration(of: broadcast)
        try await TestServer.run(router: router, broadcast: broadcast) { server in
            let answer = try await EndpointTests.get("/admin/metrics", server)
            #expect(answer.status == 200)
            #expect(answer.body.contains("tidings_connections 0\n"))
        }
    }

    @Test("a relay's numbers are among them")
    func relay() async throws {
        let metrics = PrometheusMetrics()
        var endpoints = BroadcastEndpoints.make()
        endpoints.metrics = metrics
        try await EntityServer.run(broadcastEndpoints: endpoints, metrics: metrics) { server in
            _ = try await server.openOrder()
            try await eventually("the relay has told it") {
                let text = try await EndpointTests.get("/metrics", server.server).body
                return text.contains("tidings_relay_delivered_total 1\n")
                    && text.contains("# TYPE tidings_relay_lag_seconds gauge")
            }
        }
    }
}
