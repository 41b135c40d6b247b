import HTTPTypes
import Hummingbird
import SocketTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsHummingbird
import TidingsWire

@Suite("Upgrades on Hummingbird's port", .timeLimit(.patience))
struct UpgradeTests {
    static let handshake = """
        GET /ws/broadcast HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
        """

    @Test("the answer is the one of RFC 6455 and has nothing of an ordinary answer in it")
    func handshakeAnswer() async throws {
        try await TestServer.run { server in
            let connection = try await RawConnection.connect(port: server.port)
            try await connection.send(Self.handshake)
            let answer = try await connection.receive(until: "\r\n\r\n").lowercased()
            #expect(answer.hasPrefix("http/1.1 101 "))
            #expect(answer.contains("\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"))
            #expect(answer.contains("\r\nupgrade: websocket\r\n"))
            #expect(answer.contains("\r\nconnection: upgrade\r\n"))
            #expect(!answer.contains("content-length") && !answer.contains("transfer-encoding"))
            await connection.close()
        }
    }

    @Test("frames that a client sends behind its handshake, in one piece with it, are read")
    func pipelinedFrames() async throws {
        try await TestServer.run { server in
            let connection = try await RawConnection.connect(port: server.port)
            let ping = WebSocketFrame.encode(.text, Array(#"{"ping":5}"#.utf8), mask: 99)
            try await connection.send(Array(Self.handshake.utf8) + ping + ping)
            _ = try await connection.receive(until: #"{"pong":5}"#)
            await connection.close()
        }
    }

    @Test("plain routes are served as ever, one after the other on one connection, and an upgrade may follow them")
    func afterPlainRequests() async throws {
        let router = Router()
        router.get("hello") { _, _ in "hello there" }
        try await TestServer.run(router: router) { server in
            let connection = try await RawConnection.connect(port: server.port)
            for _ in 0..<2 {
                try await connection.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
                _ = try await connection.receive(until: "hello there")
            }
            try await connection.send(Self.handshake)
            _ = try await connection.receive(until: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")
            try await connection.send(WebSocketFrame.encode(.text, Array(#"{"ping":5}"#.utf8), mask: 99))
            _ = try await connection.receive(until: #"{"pong":5}"#)
            #expect(server.broadcast.hub.connectionCount == 1)
            await connection.close()
            try await eventually("the session is gone") { server.broadcast.hub.connectionCount == 0 }
        }
    }

    @Test("an upgrade that is pipelined behind a slow request waits for that request's answer")
    func behindASlowRequest() async throws {
        let gate = Inbox<Void>()
        let router = Router()
        router.get("slow") { _, _ in
            _ = try await gate.next()
            return "slow answer"
        }
        try await TestServer.run(router: router) { server in
            let connection = try await RawConnection.connect(port: server.port)
            try await connection.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n" + Self.handshake)
            gate.put(())
            let text = try await connection.receive(until: "xOo=\r\n")
            let (slow, upgrade) = (text.firstRange(of: "slow answer"), text.firstRange(of: "101 Switching"))
            let ordered = try #require(slow).lowerBound < #require(upgrade).lowerBound
            #expect(ordered)
            await connection.close()
        }
    }

    @Test("a server that is cancelled does not wait for a session that began with a plain request")
    func cancelled() async throws {
        let router = Router()
        router.get("hello") { _, _ in "hello there" }
        let sessions = Inbox<RawConnection>()
        let serving = Task {
            try await TestServer.run(router: router) { server in
                let connection = try await RawConnection.connect(port: server.port)
                try await connection.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n" + Self.handshake)
                _ = try await connection.receive(until: "xOo=\r\n")
                sessions.put(connection)
                // Serves until it is cancelled.
                try await Task.sleep(for: .seconds(3600))
            }
        }
        let connection = try #require(try await sessions.next())
        serving.cancel()
        await #expect(throws: CancellationError.self) { try await serving.value }
        await connection.close()
    }

    @Test("the router's middleware answers for upgrades as for every other request")
    func middleware() async throws {
        struct Bouncer: RouterMiddleware {
            typealias Context = BasicRequestContext
            func handle(
                _ request: Request,
                context: Context,
                next: (Request, Context) async throws -> Response
            ) async throws -> Response {
                guard request.uri.queryParameters["key"] == "open" else {
                    throw Problem(.unauthorized, code: "unauthenticated", detail: "Say the key.")
                }
                return try await next(request, context)
            }
        }
        let router = Router()
        router.add(middleware: Bouncer())
        try await TestServer.run(router: router) { server in
            let refused = try await Self.answer(to: Self.handshake, port: server.port)
            #expect(refused.hasPrefix("HTTP/1.1 401 "))
            #expect(refused.contains("Connection: close"))
            #expect(refused.contains(#""code":"unauthenticated""#))
            let socket = try await TestSocket.connect(to: server.url + "?key=open")
            try await socket.roundTrip()
            socket.close()
        }
    }

    @Test(
        "what is no correct handshake is answered over HTTP with what is wrong",
        arguments: [
            ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", "400", "bad_handshake"),
            ("dGhlIHNhbXBsZSBub25jZQ==", "short", "400", "bad_handshake"),
            ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8", "426", "unsupported_version"),
            ("Sec-WebSocket-Version: 13\r\n", "", "426", "unsupported_version"),
            ("keep-alive, Upgrade\r\nUpgrade: WebSocket", "close", "426", "upgrade_required"),
            ("Connection: keep-alive, Upgrade", "Connection: close", "426", "upgrade_required"),
            ("Upgrade: WebSocket", "Upgrade: h2c", "426", "upgrade_required"),
            ("\r\n\r\n", "\r\nContent-Length: 5\r\n\r\nhello", "426", "upgrade_required"),
            ("/ws/broadcast", "/ws/nothing", "404", ""),
            ("GET /ws", "POST /ws", "404", ""),
        ]
    )
    func refused(part: String, replacement: String, status: String, code: String) async throws {
        try await TestServer.run { server in
            let request = Self.handshake.replacing(part, with: replacement)
            #expect(request != Self.handshake)
            let answer = try await Self.answer(to: request, port: server.port)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
            #expect(answer.contains(code))
            #expect(server.broadcast.hub.connectionCount == 0)
        }
    }

    @Test("an offer of HTTP/2 without TLS is not taken, and the request is served")
    func cleartextHTTP2() async throws {
        let router = Router()
        router.post("echo") { request, _ in try await request.body.collect(upTo: 100) }
        try await TestServer.run(router: router) { server in
            let answer = try await Self.answer(
                to: "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                    + "HTTP2-Settings: AAMAAABkAAQ\r\nContent-Length: 5\r\n\r\nhello",
                port: server.port
            )
            #expect(answer.hasPrefix("HTTP/1.1 200 "))
            #expect(answer.hasSuffix("hello"))
        }
    }

    @Test(
        "nonsense is answered with 400",
        arguments: ["nonsense\r\n\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n", "\u{16}\u{3}\u{1}"]
    )
    func nonsense(text: String) async throws {
        try await TestServer.run { server in
            let answer = try await Self.answer(to: text + "\r\n\r\n", port: server.port)
            #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
        }
    }

    @Test(
        "whoever does not finish the first request in time is cut off",
        arguments: ["", "GET /ws/broadcast HTTP/1.1\r\nHost: a\r\nX-Slow: "]
    )
    func slowFirstRequest(text: String) async throws {
        var endpoints = BroadcastEndpoints.make()
        endpoints.timeouts.firstRequest = .milliseconds(100)
        try await TestServer.run(endpoints: endpoints) { server in
            let connection = try await RawConnection.connect(port: server.port)
            if !text.isEmpty { try await connection.send(text) }
            #expect(try await connection.receiveAll().isEmpty)
        }
    }

    private static func answer(to request: String, port: Int) async throws -> String {
        let connection = try await RawConnection.connect(port: port)
        try await connection.send(request)
        let answer = String(decoding: try await connection.receiveAll(), as: UTF8.self)
        await connection.close()
        return answer
    }
}
