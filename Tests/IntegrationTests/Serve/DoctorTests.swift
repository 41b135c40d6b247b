import Foundation
import RedisTestSupport
import SocketTestSupport
import TestSupport
import Testing

@Suite("The doctor", .timeLimit(.patience))
struct DoctorTests {
    @Test("a server with which nothing is wrong: each check is fine, and an event goes there and back")
    func healthy() async throws {
        let server = try await ServeProcess.start("--channels-publishable", "tidings:*")
        let report = try await DoctorReport.of(server.url, "--origin", "http://127.0.0.1:3000")
        #expect(report.status == 0)
        let checks = report.lines.map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
        #expect(
            checks == [
                "ok connection", "skip certificate", "ok upgrade", "ok origin", "ok readiness", "ok authentication",
                "ok ping", "ok subscription", "ok broadcast",
            ]
        )
        #expect(try await server.stop() == 0)
    }

    @Test("1: nobody listens; and a name without an address")
    func nothingListening() async throws {
        let port = try FreePort.find()
        try await DoctorReport.expect("connection", "nothing_listening", of: "ws://127.0.0.1:\(port)/ws/broadcast")
        try await DoctorReport.expect("connection", "unknown_name", of: "ws://no-such-host.invalid/ws/broadcast")
    }

    @Test("2: a wrong path, and something that is no WebSocket")
    func wrongPath() async throws {
        let server = try await ServeProcess.start()
        let base = String(server.url.dropLast("/ws/broadcast".count))
        try await DoctorReport.expect("upgrade", "wrong_path", of: base + "/socket")
        try await DoctorReport.expect("upgrade", "no_websocket", of: base + "/healthz")
        #expect(try await server.stop() == 0)
    }

    @Test("3: a page whose origin is not allowed")
    func origin() async throws {
        let server = try await ServeProcess.start("--origins", "https://app.example.com")
        try await DoctorReport.expect(
            "origin",
            "origin_refused",
            of: server.url,
            "--no-publish",
            "--origin",
            "https://b.example"
        )
        let allowed = try await DoctorReport.of(server.url, "--no-publish", "--origin", "https://app.example.com")
        #expect(allowed.status == 0)
        #expect(try await server.stop() == 0)
    }

    @Test("4: no token, one that has expired, and one that somebody else has signed")
    func tokens() async throws {
        let server = try await ServeProcess.start("--authentication-secret", TestToken.secret)
        try await DoctorReport.expect("authentication", "token_missing", of: server.url)
        let expired = try await TestToken.make(secret: TestToken.secret, lasting: -60)
        try await DoctorReport.expect("authentication", "token_expired", of: server.url, "--token", expired)
        let foreign = try await TestToken.make(secret: String(repeating: "y", count: 32), lasting: 60)
        try await DoctorReport.expect("authentication", "token_refused", of: server.url, "--token", foreign)
        try await DoctorReport.expect("authentication", "token_refused", of: server.url, "--token", "nonsense")
        #expect(try await server.stop() == 0)
    }

    @Test("5: a channel that the token does not open")
    func channel() async throws {
        let server = try await ServeProcess.start("--authentication-secret", TestToken.secret)
        let token = try await TestToken.make(
            secret: TestToken.secret,
            lasting: 60,
            channels: ["menu"],
            publish: ["menu"]
        )
        try await DoctorReport.expect(
            "subscription",
            "channel_forbidden",
            of: server.url,
            "--token",
            token,
            "--channel",
            "order"
        )
        #expect(try await DoctorReport.of(server.url, "--token", token, "--channel", "menu").status == 0)
        #expect(try await server.stop() == 0)

        let open = try await ServeProcess.start(
            "--authentication-secret=\(TestToken.secret)",
            "--channels-public",
            "order:*",
            "--channels-publishable",
            "order:*"
        )
        #expect(try await DoctorReport.of(open.url, "--token", token, "--channel", "order:1").status == 0)
        #expect(try await open.stop() == 0)
    }

    @Test("6: publishing that nobody has allowed")
    func publishing() async throws {
        let server = try await ServeProcess.start()
        try await DoctorReport.expect("broadcast", "publish_forbidden", of: server.url)
        #expect(try await DoctorReport.of(server.url, "--no-publish").status == 0)
        #expect(try await server.stop() == 0)
    }

    @Test("7: a server that is being stopped")
    func draining() async throws {
        let server = try await ServeProcess.start("--drain-window", "1m")
        var clients: [TestSocket] = []
        for _ in 0..<30 {
            let client = try await TestSocket.connect(to: server.url, subprotocols: ["tidings.v1"])
            _ = try await client.receive()
            clients.append(client)
        }
        server.program.interrupt()
        #expect(try await clients[0].receive().contains("draining"))
        try await DoctorReport.expect("upgrade", "draining", of: server.url)
        // The second signal does not wait for the rest.
        server.program.interrupt()
        #expect(try await server.program.exitStatus() == 0)
    }

    @Test("8: a certificate that is not trusted, and TLS where there is none", .needsRedis)
    func certificate() async throws {
        let temporary = try TemporaryFolder()
        defer { withExtendedLifetime(temporary) {} }
        let folder = temporary.path
        try await TestCertificates.make(in: folder)
        let server = try await ServeProcess.start(
            "--tls-certificate=\(folder)/server.pem",
            "--tls-key=\(folder)/server.key"
        )
        #expect(server.url.hasPrefix("wss://"))
        try await DoctorReport.expect("certificate", "certificate_not_trusted", of: server.url)
        let authority = ["--certificate-authority", "\(folder)/ca.pem"]
        let trusted = try await DoctorReport.of(server.url, ["--no-publish"] + authority)
        #expect(trusted.status == 0)
        try await DoctorReport.expect("upgrade", "no_websocket", of: server.url.replacing("wss:", with: "ws:"))
        #expect(try await server.stop() == 0)

        let bare = try await ServeProcess.start()
        try await DoctorReport.expect("certificate", "no_tls", of: bare.url.replacing("ws:", with: "wss:"))
        #expect(try await bare.stop() == 0)
    }

    @Test("a server that has as many connections as it may")
    func full() async throws {
        let server = try await ServeProcess.start("--limits-connections", "1")
        let client = try await TestSocket.connect(to: server.url)
        try await client.roundTrip()
        try await DoctorReport.expect("upgrade", "server_full", of: server.url)
        client.close()
        #expect(try await server.stop() == 0)
    }

    @Test("9: a server that has lost its Redis", .needsRedis)
    func redisAway() async throws {
        let port = try FreePort.find()
        let server = try await ServeProcess.start("--backend=redis", "--redis-url=redis://127.0.0.1:\(port)")
        try await DoctorReport.expect("readiness", "not_ready", of: server.url, "--no-publish")
        #expect(try await server.stop() == 0)
    }
}
