import Foundation
import JWTKit
import RedisTestSupport
import SocketTestSupport
import TestSupport
import Testing

@Suite("The doctor", .timeLimit(.minutes(3)))
struct DoctorTests {
    @Test("a server with which nothing is wrong: each check is fine, and an event goes there and back")
    func healthy() async throws {
        let server = try await ServeProcess.start("--channels-publishable", "tidings:*")
        let report = try await Self.examine(server.url, "--origin", "http://127.0.0.1:3000")
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
        let port = try await PortHolder.reserve().port
        try await Self.expect("connection", "nothing_listening", of: "ws://127.0.0.1:\(port)/ws/broadcast")
        try await Self.expect("connection", "unknown_name", of: "ws://no-such-host.invalid/ws/broadcast")
    }

    @Test("2: a wrong path, and something that is no WebSocket")
    func wrongPath() async throws {
        let server = try await ServeProcess.start()
        let base = String(server.url.dropLast("/ws/broadcast".count))
        try await Self.expect("upgrade", "wrong_path", of: base + "/socket")
        try await Self.expect("upgrade", "no_websocket", of: base + "/healthz")
        #expect(try await server.stop() == 0)
    }

    @Test("3: a page whose origin is not allowed")
    func origin() async throws {
        let server = try await ServeProcess.start("--origins", "https://app.example.com")
        try await Self.expect(
            "origin",
            "origin_refused",
            of: server.url,
            "--no-publish",
            "--origin",
            "https://b.example"
        )
        let allowed = try await Self.examine(server.url, "--no-publish", "--origin", "https://app.example.com")
        #expect(allowed.status == 0)
        #expect(try await server.stop() == 0)
    }

    @Test("4: no token, one that has expired, and one that somebody else has signed")
    func tokens() async throws {
        let server = try await ServeProcess.start("--authentication-secret", Self.secret)
        try await Self.expect("authentication", "token_missing", of: server.url)
        let expired = try await Self.token(secret: Self.secret, lasting: -60)
        try await Self.expect("authentication", "token_expired", of: server.url, "--token", expired)
        let foreign = try await Self.token(secret: String(repeating: "y", count: 32), lasting: 60)
        try await Self.expect("authentication", "token_refused", of: server.url, "--token", foreign)
        try await Self.expect("authentication", "token_refused", of: server.url, "--token", "nonsense")
        #expect(try await server.stop() == 0)
    }

    @Test("5: a channel that the token does not open")
    func channel() async throws {
        let server = try await ServeProcess.start("--authentication-secret", Self.secret)
        let token = try await Self.token(secret: Self.secret, lasting: 60, channels: ["menu"], publish: ["menu"])
        try await Self.expect(
            "subscription",
            "channel_forbidden",
            of: server.url,
            "--token",
            token,
            "--channel",
            "order"
        )
        #expect(try await Self.examine(server.url, "--token", token, "--channel", "menu").status == 0)
        #expect(try await server.stop() == 0)

        let open = try await ServeProcess.start(
            "--authentication-secret=\(Self.secret)",
            "--channels-public",
            "order:*",
            "--channels-publishable",
            "order:*"
        )
        #expect(try await Self.examine(open.url, "--token", token, "--channel", "order:1").status == 0)
        #expect(try await open.stop() == 0)
    }

    @Test("6: publishing that nobody has allowed")
    func publishing() async throws {
        let server = try await ServeProcess.start()
        try await Self.expect("broadcast", "publish_forbidden", of: server.url)
        #expect(try await Self.examine(server.url, "--no-publish").status == 0)
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
        try await Self.expect("upgrade", "draining", of: server.url)
        // The second signal does not wait for the rest.
        server.program.interrupt()
        #expect(try await server.program.exitStatus() == 0)
    }

    @Test("8: a certificate that is not trusted, and TLS where there is none", .needsRedis)
    func certificate() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tidings-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await TestCertificates.make(in: folder)
        let server = try await ServeProcess.start(
            "--tls-certificate=\(folder)/server.pem",
            "--tls-key=\(folder)/server.key"
        )
        #expect(server.url.hasPrefix("wss://"))
        try await Self.expect("certificate", "certificate_not_trusted", of: server.url)
        let authority = ["--certificate-authority", "\(folder)/ca.pem"]
        let trusted = try await Self.examine(server.url, ["--no-publish"] + authority)
        #expect(trusted.status == 0)
        try await Self.expect("upgrade", "no_websocket", of: server.url.replacing("wss:", with: "ws:"))
        #expect(try await server.stop() == 0)

        let bare = try await ServeProcess.start()
        try await Self.expect("certificate", "no_tls", of: bare.url.replacing("ws:", with: "wss:"))
        #expect(try await bare.stop() == 0)
    }

    @Test("a server that has as many connections as it may")
    func full() async throws {
        let server = try await ServeProcess.start("--limits-connections", "1")
        let client = try await TestSocket.connect(to: server.url)
        try await client.roundTrip()
        try await Self.expect("upgrade", "server_full", of: server.url)
        client.close()
        #expect(try await server.stop() == 0)
    }

    @Test("9: a server that has lost its Redis", .needsRedis)
    func redisAway() async throws {
        let port = try await PortHolder.reserve().port
        let server = try await ServeProcess.start("--backend=redis", "--redis-url=redis://127.0.0.1:\(port)")
        try await Self.expect("readiness", "not_ready", of: server.url, "--no-publish")
        #expect(try await server.stop() == 0)
    }
}

extension DoctorTests {
    private struct Report {
        /// One for each check: what is to be done about it is left out.
        let lines: [String]
        let status: Int32
    }

    private static let secret = String(repeating: "x", count: 32)

    private static func examine(_ url: String, _ options: String...) async throws -> Report {
        try await examine(url, options)
    }

    private static func examine(_ url: String, _ options: [String]) async throws -> Report {
        let doctor = try RunningProgram.start(try Products.program("tidings"), ["doctor", url] + options)
        var lines: [String] = []
        // The last check, and not the end of the output: a server that another test starts meanwhile may hold that open.
        while lines.last?.split(separator: " ").dropFirst().first != "broadcast" {
            guard let line = try await doctor.output.next() else { break }
            if !line.hasPrefix(" ") { lines.append(line) }
        }
        return Report(lines: lines, status: try await doctor.exitStatus())
    }

    /// Expects that this is wrong, and nothing else.
    private static func expect(_ check: String, _ code: String, of url: String, _ options: String...) async throws {
        let report = try await examine(url, options)
        let wrong = report.lines.filter { $0.hasPrefix("WRONG") }
        #expect(wrong.count == 1)
        let words = wrong.first?.split(separator: " ").prefix(3).map(String.init)
        #expect(words == ["WRONG", check, code + ":"], "\(report.lines)")
        #expect(report.status == 1)
        #expect(report.lines.count == 9)
    }

    private struct Claims: JWTPayload {
        var sub = "42"
        let exp: Double
        let channels: [String]
        let publish: [String]

        func verify(using algorithm: some JWTAlgorithm) {}
    }

    private static func token(
        secret: String,
        lasting life: Double,
        channels: [String] = ["*"],
        publish: [String] = ["*"]
    ) async throws -> String {
        let keys = JWTKeyCollection()
        await keys.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
        let end = Date().timeIntervalSince1970 + life
        return try await keys.sign(Claims(exp: end, channels: channels, publish: publish))
    }
}
