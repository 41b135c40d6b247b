import Foundation
import SocketTestSupport
import TestSupport
import Testing

@Suite("The doctor, before servers and proxies that misbehave", .timeLimit(.patience))
struct MisbehavingServerTests {
    @Test("who accepts and never answers, at the upgrade and after it")
    func silence() async throws {
        let mute = try await ScriptedServer { _ in .silence }
        try await DoctorReport.expect("connection", "no_answer", of: Self.url(mute))
        let speechless = try await Self.webSocket { _ in [] }
        try await DoctorReport.expect("authentication", "no_answer", of: Self.url(speechless))
    }

    @Test("who answers pings and no subscribe")
    func deaf() async throws {
        let server = try await Self.webSocket { $0.contains("ping") ? [#"{"id":1,"pong":1}"#] : [] }
        try await DoctorReport.expect("subscription", "no_answer", of: Self.url(server))
    }

    @Test("a proxy that does not pass Upgrade on: the server answers as it does to who has not asked for one")
    func upgradeLost() async throws {
        let server = try await ServeProcess.start()
        let connection = try await RawConnection.connect(port: try server.port)
        try await connection.send("GET /ws/broadcast HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        let answer = String(decoding: try await connection.receiveAll(), as: UTF8.self)
        let proxy = try await ScriptedServer { head in
            head.hasPrefix("GET /ws/broadcast") ? .text(answer) : ScriptedServer.status("404 Not Found")
        }
        try await DoctorReport.expect("upgrade", "upgrade_lost", of: Self.url(proxy))
        #expect(try await server.stop() == 0)
    }

    @Test(
        "who answers the upgrade with another status",
        arguments: [
            ("301 Moved Permanently", "redirected"), ("307 Temporary Redirect", "redirected"),
            ("502 Bad Gateway", "server_error"), ("500 Internal Server Error", "server_error"),
            ("503 Service Unavailable", "server_error"), ("200 OK", "no_websocket"),
        ]
    )
    func status(line: String, code: String) async throws {
        let server = try await ScriptedServer { _ in
            ScriptedServer.status(line, "Location: http://127.0.0.1:1/elsewhere")
        }
        try await DoctorReport.expect("upgrade", code, of: Self.url(server))
    }

    @Test("a server whose set of keys cannot be loaded")
    func keys() async throws {
        let keys = try await ScriptedServer { _ in ScriptedServer.status("500 Internal Server Error") }
        let server = try await ServeProcess.start("--authentication-key-set", "http://127.0.0.1:\(keys.port)/keys")
        let token = try await TestToken.make()
        try await DoctorReport.expect("upgrade", "keys_unavailable", of: server.url, "--token", token)
        #expect(try await server.stop() == 0)
    }

    @Test("a subject that has as many connections as it may")
    func connections() async throws {
        let server = try await ServeProcess.start(
            "--authentication-secret=\(TestToken.secret)",
            "--limits-connections-per-subject=1"
        )
        let token = try await TestToken.make()
        let client = try await TestSocket.connect(to: server.url, headers: [("Authorization", "Bearer \(token)")])
        try await client.roundTrip()
        try await DoctorReport.expect("authentication", "too_many_connections", of: server.url, "--token", token)
        client.close()
        #expect(try await server.stop() == 0)
    }

    @Test("a subject that an operator keeps out")
    func keptOut() async throws {
        let secret = String(repeating: "o", count: 32)
        let server = try await ServeProcess.start(
            "--authentication-secret=\(TestToken.secret)",
            "--operators-secret=\(secret)"
        )
        let body = #"{"until":"2999-01-01T00:00:00Z"}"#
        let answer = try await server.request(
            "DELETE /broadcast/sessions?subject=42",
            ["Authorization: Bearer \(secret)", "Content-Type: application/json"],
            body
        )
        #expect(answer.hasPrefix("HTTP/1.1 200"))
        let token = try await TestToken.make()
        try await DoctorReport.expect("authentication", "kept_out", of: server.url, "--token", token)
        #expect(try await server.stop() == 0)
    }

    @Test("a server that takes an event, and tells nobody of it")
    func missing() async throws {
        let server = try await Self.webSocket { text in
            if text.contains("ping") { return [#"{"id":1,"pong":1}"#] }
            if text.contains("subscribe") {
                return [#"{"id":2,"subscribed":{"tidings:doctor":{"position":"e:1","recovered":false}}}"#]
            }
            return [#"{"id":3,"published":{"position":"e:2"}}"#]
        }
        try await DoctorReport.expect("broadcast", "event_missing", of: Self.url(server))
    }

    /// A server that welcomes, and has no other paths.
    private static func webSocket(_ speak: @escaping @Sendable (String) -> [String]) async throws -> ScriptedServer {
        let welcome = #"{"welcome":{"connection":"c-1","server":"test","heartbeat_ms":25000}}"#
        return try await ScriptedServer { head in
            guard head.hasPrefix("GET /ws/broadcast") else { return ScriptedServer.status("404 Not Found") }
            return .webSocket { $0.isEmpty ? [welcome] : speak($0) }
        }
    }

    private static func url(_ server: ScriptedServer) -> String { "ws://127.0.0.1:\(server.port)/ws/broadcast" }
}
