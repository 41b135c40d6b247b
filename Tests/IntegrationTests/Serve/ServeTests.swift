import Foundation
import RedisTestSupport
import SocketTestSupport
import TestSupport
import Testing
import TidingsWire

@Suite("A server that is a program", .timeLimit(.minutes(3)))
struct ServeTests {
    @Test("what is published is printed, in either form, from where somebody was, and the server stops when told to")
    func publishAndListen() async throws {
        let server = try await ServeProcess.start("--channels-publishable", "bell")
        let first = try await server.publish("rang", on: "bell")
        let second = try await server.publish("rung", on: "bell")
        let line = #"{"channel":"bell","event":"rung","payload":{"entity_id":"42"}"#

        let extended = try Self.listen(["--extended", "--since", first, server.url, "bell"])
        #expect(try await extended.line(containing: "event") == line + #","position":"\#(second)"}"#)
        let usual = try Self.listen(["--since", first, server.url, "bell"])
        #expect(try await usual.line(containing: "event") == line + "}")
        let plain = try Self.listen(["--plain", "--debug", server.url, "bell"])
        try await plain.line(containing: "received: reply, pong", from: plain.errors)
        _ = try await server.publish("rung", on: "bell")
        #expect(try await plain.line(containing: "event") == line + "}")

        for listener in [extended, usual, plain] {
            listener.interrupt()
            #expect(try await listener.exitStatus() == 0)
        }
        #expect(try await server.stop() == 0)
    }

    @Test("what may not be published is not, and nothing is where nobody listens: both say why and exit with 1")
    func refused() async throws {
        let server = try await ServeProcess.start()
        let program = try Products.program("tidings")
        let forbidden = try RunningProgram.start(program, ["publish", server.url, "order"])
        try await forbidden.line(containing: "refused with status 403: ", from: forbidden.errors)
        #expect(try await forbidden.exitStatus() == 1)
        #expect(try await server.stop() == 0)
        let lost = try RunningProgram.start(program, ["publish", server.url, "order"])
        try await lost.line(containing: "cannot be reached", from: lost.errors)
        #expect(try await lost.exitStatus() == 1)
    }

    @Test("wrong settings stop the server with 78, and say which and what is allowed")
    func wrongSettings() async throws {
        let program = try RunningProgram.start(
            try Products.program("tidings"),
            ["serve", "--port", "high", "--hots=a"]
        )
        try await program.line(
            containing: "--hots (command line) is no setting; did you mean --host?",
            from: program.errors
        )
        #expect(try await program.exitStatus() == 78)
    }

    @Test("an address that another program has, and one that is none, stop the server with 1, and it says so")
    func takenPort() async throws {
        let port = try await PortHolder.reserve()
        let arguments = ["serve", "--port", "\(port.port)"]
        let program = try RunningProgram.start(try Products.program("tidings"), arguments)
        try await program.line(containing: "cannot listen on 127.0.0.1:\(port.port)", from: program.errors)
        #expect(try await program.exitStatus() == 1)
        let nowhere = try RunningProgram.start(
            try Products.program("tidings"),
            ["serve", "--host", "no-such-host.invalid"]
        )
        try await nowhere.line(containing: "cannot listen on no-such-host.invalid:8080", from: nowhere.errors)
        #expect(try await nowhere.exitStatus() == 1)
    }

    @Test("metrics are there when they are asked for, for who has the operators' secret if there is one")
    func metrics() async throws {
        let secret = String(repeating: "o", count: 32)
        let server = try await ServeProcess.start("--metrics", "true", "--operators-secret", secret)
        let refused = try await Self.get("/metrics", of: server)
        #expect(refused.hasPrefix("HTTP/1.1 401"))
        let shown = try await Self.get("/metrics", of: server, "Authorization: Bearer \(secret)\r\n")
        #expect(shown.hasPrefix("HTTP/1.1 200") && shown.contains("\ntidings_connections 0\n"))
        #expect(try await server.stop() == 0)
        let bare = try await ServeProcess.start()
        #expect(try await Self.get("/metrics", of: bare).hasPrefix("HTTP/1.1 404"))
        #expect(try await bare.stop() == 0)
    }

    private static func get(_ path: String, of server: ServeProcess, _ headers: String = "") async throws -> String {
        let port = try #require(URL(string: server.url)?.port)
        let connection = try await RawConnection.connect(port: port)
        try await connection.send("GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\(headers)\r\n")
        return String(decoding: try await connection.receiveAll(), as: UTF8.self)
    }

    @Test("its clients are let go with 4000 when it is stopped")
    func drains() async throws {
        let server = try await ServeProcess.start()
        let client = try await TestSocket.connect(to: server.url)
        try await client.roundTrip()
        server.program.interrupt()
        #expect(try await client.end().code == .draining)
        #expect(try await server.program.exitStatus() == 0)
    }

    @Test(
        "what is published on any of several servers on one Redis reaches every subscriber on all of them once",
        .needsRedis,
        arguments: [2, 3]
    )
    func severalServers(_ count: Int) async throws {
        let redis = try await RedisServer.start()
        let url = "redis://127.0.0.1:\(redis.port)"
        let (servers, clients) = try await Self.start(count, on: url)
        var positions: [String] = []
        for (number, server) in servers.enumerated() {
            positions.append(try await server.publish("n\(number)", on: "order"))
        }
        positions.append(try await servers[0].publish("end", on: "order"))
        let expected = positions.enumerated().map { number, position in
            let name = number == count ? "end" : "n\(number)"
            return #"{"channel":"order","event":"\#(name)","payload":{"entity_id":"42"},"position":"\#(position)"}"#
        }
        for client in clients {
            var heard: [String] = []
            while heard.last?.contains(#""end""#) != true { heard.append(try await client.receive()) }
            #expect(heard == expected)
        }
        for server in servers { #expect(try await server.stop() == 0) }
    }

    @Test(
        "a Python program that knows only websockets and redis publishes and receives",
        .needsRedis,
        .enabled(
            if: ProcessInfo.processInfo.environment["CI"] != nil || Program.python(with: "websockets", "redis") != nil,
            "needs python3 with websockets and redis: run scripts/setup test"
        )
    )
    func python() async throws {
        let python = try #require(Program.python(with: "websockets", "redis"))
        let redis = try await RedisServer.start()
        let url = "redis://127.0.0.1:\(redis.port)"
        var servers: [ServeProcess] = []
        for _ in 0..<2 {
            servers.append(
                try await ServeProcess.start("--backend=redis", "--redis-url=\(url)", "--channels-publishable=*")
            )
        }
        let script = Products.packageRoot + "/Tests/IntegrationTests/Serve/interoperate.py"
        let answer = try await Program.run([python, script, url, "tidings:"] + servers.map(\.url))
        #expect(answer.hasSuffix("fine"), "\(answer)")
        for server in servers { #expect(try await server.stop() == 0) }
    }

    /// Servers that share a Redis, each with two clients that have subscribed.
    private static func start(_ count: Int, on redis: String) async throws -> ([ServeProcess], [TestSocket]) {
        var (servers, clients): ([ServeProcess], [TestSocket]) = ([], [])
        for _ in 0..<count {
            let server = try await ServeProcess.start(
                "--backend=redis",
                "--redis-url=\(redis)",
                "--redis-while-away=10s",
                "--channels-publishable=*",
                "--channels-streams=*"
            )
            servers.append(server)
            for _ in 0..<2 {
                let client = try await TestSocket.connect(to: server.url, subprotocols: ["tidings.v1"])
                _ = try await client.receive()
                client.send(#"{"id":1,"subscribe":["order"]}"#)
                let reply = try await client.receive()
                #expect(reply.contains("subscribed"))
                clients.append(client)
            }
        }
        return (servers, clients)
    }

    private static func listen(_ arguments: [String]) throws -> RunningProgram {
        try RunningProgram.start(try Products.program("tidings"), ["listen"] + arguments)
    }
}
