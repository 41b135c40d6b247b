import Foundation
import RedisTestSupport
import SocketTestSupport
import TestSupport
import Testing
import TidingsWire

@Suite("A server that is a program", .timeLimit(.patience))
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
        let program = try Programs.built("tidings")
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
            try Programs.built("tidings"),
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
        let program = try RunningProgram.start(try Programs.built("tidings"), arguments)
        try await program.line(containing: "cannot listen on 127.0.0.1:\(port.port)", from: program.errors)
        #expect(try await program.exitStatus() == 1)
        let nowhere = try RunningProgram.start(
            try Programs.built("tidings"),
            ["serve", "--host", "no-such-host.invalid"]
        )
        try await nowhere.line(containing: "cannot listen on no-such-host.invalid:8080", from: nowhere.errors)
        #expect(try await nowhere.exitStatus() == 1)
    }

    @Test("metrics are there when they are asked for, for who has the operators' secret if there is one")
    func metrics() async throws {
        let secret = String(repeating: "o", count: 32)
        let server = try await ServeProcess.start("--metrics", "true", "--operators-secret", secret)
        let refused = try await server.request("GET /metrics")
        #expect(refused.hasPrefix("HTTP/1.1 401"))
        let shown = try await server.request("GET /metrics", ["Authorization: Bearer \(secret)"])
        #expect(shown.hasPrefix("HTTP/1.1 200") && shown.contains("\ntidings_connections 0\n"))
        #expect(try await server.stop() == 0)
        let bare = try await ServeProcess.start()
        #expect(try await bare.request("GET /metrics").hasPrefix("HTTP/1.1 404"))
        #expect(try await bare.stop() == 0)
    }

    @Test("the console is there when it has a secret, and asks for it; otherwise it is not")
    func console() async throws {
        let secret = String(repeating: "c", count: 32)
        let server = try await ServeProcess.start("--console-secret", secret)
        let asked = try await server.request("GET /console")
        #expect(asked.hasPrefix("HTTP/1.1 401") && asked.contains(#"<form method="post" action="/console">"#))
        let shown = try await server.request("GET /console", ["Authorization: Bearer \(secret)"])
        #expect(shown.hasPrefix("HTTP/1.1 200") && shown.contains("/console/page.js"))
        let wrong = try await server.request("GET /console/page.js", ["Authorization: Bearer \(secret)x"])
        #expect(wrong.hasPrefix("HTTP/1.1 401"))
        let feed = try await TestSocket.connect(
            to: server.url.replacing("/ws/broadcast", with: "/console/feed"),
            headers: [("Authorization", "Bearer \(secret)")]
        )
        #expect(try await feed.receive().contains("_update"))
        #expect(try await server.stop() == 0)
        let bare = try await ServeProcess.start()
        for path in ["/console", "/console/page.js", "/console/feed"] {
            #expect(try await bare.request("GET \(path)").hasPrefix("HTTP/1.1 404"))
        }
        #expect(try await bare.stop() == 0)
    }

    @Test("a secret of the console that is none stops the server with 78, and is not printed; a good one neither")
    func consoleSecret() async throws {
        let program = try Programs.built("tidings")
        let weak = try RunningProgram.start(program, ["serve", "--console-secret", "guessable"])
        let line = try await weak.line(containing: "console.secret", from: weak.errors)
        #expect(line.contains("allowed: at least 32 bytes, from a random source") && !line.contains("guessable"))
        #expect(try await weak.exitStatus() == 78)
        let good = String(repeating: "c", count: 32)
        let printing = try RunningProgram.start(program, ["serve", "--console-secret", good, "--print-config"])
        var text = ""
        while let line = try await printing.output.next() { text += line + "\n" }
        #expect(text.contains("console:\n  # secret: set (--console-secret)\n") && !text.contains(good))
        #expect(try await printing.exitStatus() == 0)
    }

    @Test("who publishes faster than is set is refused with 429")
    func publishingRate() async throws {
        let server = try await ServeProcess.start(
            "--channels-publishable=bell",
            "--limits-publishes-per-second=1",
            "--limits-publish-burst=90"
        )
        let events = Array(repeating: #"{"channel":"bell","payload":{}}"#, count: 90).joined(separator: ",")
        let body = #"{"events":[\#(events)]}"#
        let answer = try await server.request("POST /broadcast", ["Content-Type: application/json"], body)
        #expect(answer.hasPrefix("HTTP/1.1 202"))
        let refused = try await server.request("POST /broadcast", ["Content-Type: application/json"], body)
        #expect(refused.hasPrefix("HTTP/1.1 429") && refused.lowercased().contains("\r\nretry-after: "))
        #expect(try await server.stop() == 0)
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
        "a Python program that knows only websockets and redis publishes and receives",
        .needsRedis,
        .enabled(
            if: ProcessInfo.processInfo.environment["CI"] != nil || Programs.python(with: "websockets", "redis") != nil,
            "needs python3 with websockets and redis: run scripts/setup test"
        )
    )
    func python() async throws {
        let python = try #require(Programs.python(with: "websockets", "redis"))
        let redis = try await RedisServer.start()
        let url = "redis://127.0.0.1:\(redis.port)"
        var servers: [ServeProcess] = []
        for _ in 0..<2 {
            servers.append(
                try await ServeProcess.start("--backend=redis", "--redis-url=\(url)", "--channels-publishable=*")
            )
        }
        let script = Programs.packageRoot + "/Tests/IntegrationTests/Serve/interoperate.py"
        let answer = try await Programs.run([python, script, url, "tidings:"] + servers.map(\.url))
        #expect(answer.hasSuffix("fine"), "\(answer)")
        for server in servers { #expect(try await server.stop() == 0) }
    }

    private static func listen(_ arguments: [String]) throws -> RunningProgram {
        try RunningProgram.start(try Programs.built("tidings"), ["listen"] + arguments)
    }
}
