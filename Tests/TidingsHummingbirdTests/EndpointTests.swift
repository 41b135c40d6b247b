import AsyncHTTPClient
import Foundation
import Hummingbird
import NIOCore
import NIOHTTP1
import SocketTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsHummingbird

@Suite("Endpoints over HTTP", .timeLimit(.patience))
struct EndpointTests {
    private struct Broken: Error {}

    @Test("stats count connections and the subscribers of each channel")
    func stats() async throws {
        try await TestServer.run { server in
            let sockets = [try await TestSocket.connect(to: server.url), try await TestSocket.connect(to: server.url)]
            try await sockets[0].subscribe(to: "order", "contact")
            try await sockets[1].subscribe(to: "order")
            let answer = try await Self.get("/broadcast/stats", server)
            #expect(answer.body == #"{"channels":{"contact":1,"order":2},"connections":2}"#)
            for socket in sockets { socket.close() }
            try await eventually("both are gone") {
                try await Self.get("/broadcast/stats", server).body == #"{"channels":{},"connections":0}"#
            }
        }
    }

    @Test("a living process is healthy, also when it is not ready; what is not ready is named")
    func health() async throws {
        let endpoints = BroadcastEndpoints.make()
        endpoints.readiness.register("database") { throw Broken() }
        try await TestServer.run(endpoints: endpoints) { server in
            #expect(try await Self.get("/healthz", server).status == 200)
            let answer = try await Self.get("/readyz", server)
            #expect(answer.status == 503)
            #expect(answer.type == "application/problem+json")
            #expect(answer.body.contains("database") && answer.body.contains("not_ready"))
            #expect(!answer.body.contains("broadcast,"))
        }
    }

    @Test("a closed backend is not ready")
    func closedBackend() async throws {
        try await TestServer.run { server in
            #expect(try await Self.get("/readyz", server).status == 200)
            await server.broadcast.close()
            let answer = try await Self.get("/readyz", server)
            #expect(answer.status == 503)
            #expect(answer.body.contains("broadcast"))
        }
    }

    @Test("paths can be moved")
    func paths() async throws {
        var endpoints = BroadcastEndpoints.make()
        endpoints.webSocketPath = "/live"
        endpoints.statsPath = "/admin/stats"
        try await TestServer.run(endpoints: endpoints) { server in
            let socket = try await TestSocket.connect(to: "ws://127.0.0.1:\(server.port)/live")
            try await socket.roundTrip()
            #expect(try await Self.get("/admin/stats", server).status == 200)
            #expect(try await Self.get("/ws/broadcast", server).status == 404)
            socket.close()
        }
    }

    @Test(
        "pages of allowed origins connect and read answers, others do neither",
        arguments: [
            (AllowedOrigins.sameHost, "http://127.0.0.1:3000", true),
            (.sameHost, "https://127.0.0.1", true),
            (.sameHost, "http://evil.example", false),
            (.sameHost, "http://127.0.0.1.evil.example", false),
            (.sameHost, "null", false),
            (AllowedOrigins(["https://app.example.com"]), "https://app.example.com", true),
            (AllowedOrigins(["https://app.example.com"]), "https://APP.example.com", true),
            (AllowedOrigins(["https://app.example.com"]), "http://app.example.com", false),
            (AllowedOrigins(["https://app.example.com"]), "http://127.0.0.1", false),
            (.any, "http://anywhere.example", true),
        ]
    )
    func origins(allowed: AllowedOrigins, origin: String, isAllowed: Bool) async throws {
        var endpoints = BroadcastEndpoints.make()
        endpoints.allowedOrigins = allowed
        try await TestServer.run(endpoints: endpoints) { server in
            let answer = try await Self.get("/healthz", server, headers: ["Origin": origin])
            #expect(answer.headers.first(name: "Access-Control-Allow-Origin") == (isAllowed ? origin : nil))
            #expect(answer.headers["Vary"].contains("Origin"))

            let preflight = try await Self.get(
                "/orders",
                server,
                method: .OPTIONS,
                headers: ["Origin": origin, "Access-Control-Request-Method": "PATCH"]
            )
            #expect(preflight.status == 204)
            #expect(preflight.headers.first(name: "Access-Control-Allow-Origin") == (isAllowed ? origin : nil))

            let connection = try await RawConnection.connect(port: server.port)
            try await connection.send(
                UpgradeTests.handshake.replacing(
                    "Host: 127.0.0.1\r\n",
                    with: "Host: 127.0.0.1:\(server.port)\r\nOrigin: \(origin)\r\n"
                )
            )
            let upgrade = try await connection.receive(until: "\r\n\r\n")
            #expect(upgrade.hasPrefix(isAllowed ? "HTTP/1.1 101 " : "HTTP/1.1 403 "))
            await connection.close()
        }
    }

    @Test("unknown paths are readable for allowed pages too")
    func notFound() async throws {
        try await TestServer.run { server in
            let answer = try await Self.get("/nothing", server, headers: ["Origin": "http://127.0.0.1"])
            #expect(answer.status == 404)
            #expect(answer.headers.first(name: "Access-Control-Allow-Origin") == "http://127.0.0.1")
        }
    }

    struct Answer {
        let status: UInt
        let headers: HTTPHeaders
        let body: String
        var type: String? { headers.first(name: "Content-Type") }
    }

    static func get(
        _ path: String,
        _ server: TestServer,
        method: HTTPMethod = .GET,
        headers: HTTPHeaders = [:]
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)\(path)")
        request.method = method
        request.headers = headers
        let response = try await HTTPClient.shared.execute(request, timeout: TimeAmount(.patience))
        let body = try await response.body.collect(upTo: 1 << 20)
        return Answer(status: response.status.code, headers: response.headers, body: String(buffer: body))
    }
}
