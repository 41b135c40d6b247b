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
import TidingsWire

@Suite("Server-sent events on live connections", .timeLimit(.patience))
struct EventStreamTests {
    @Test("the answer is a stream that nobody keeps, each message a plain event with its position")
    func events() async throws {
        try await TestServer.run { server in
            let origin = ("Origin", "http://127.0.0.1:3000")
            let stream = try await LiveStream.connect(
                server,
                "/sse/broadcast?channel=order&channel=k%C3%BCche",
                headers: [origin]
            )
            let head = stream.head.lowercased()
            #expect(head.hasPrefix("http/1.1 200 ok\r\n"))
            for field in [
                "content-type: text/event-stream\r\n", "cache-control: no-store\r\n", "connection: close\r\n",
                "x-accel-buffering: no\r\n", "access-control-allow-origin: http://127.0.0.1:3000\r\n",
            ] {
                #expect(head.contains(field))
            }
            #expect(!head.contains("content-length") && !head.contains("transfer-encoding"))
            let epoch = server.broadcast.hub.log.head().epoch
            try await server.broadcast.broadcast("created", on: "order", ["entity_id": "42"])
            try await server.broadcast.broadcast("updated", on: "küche")
            let messages = [try await stream.next(), try await stream.next()]
            #expect(
                messages.map(\.data) == [
                    #"{"channel":"order","event":"created","payload":{"entity_id":"42"}}"#,
                    #"{"channel":"küche","event":"updated","payload":{}}"#,
                ]
            )
            #expect(messages.map(\.lastEventID) == ["\(epoch):1", "\(epoch):2"])
            #expect(server.broadcast.hub.connectionCount == 1)
            await stream.close()
            try await eventually("it is gone") { server.broadcast.hub.connectionCount == 0 }
            #expect(server.broadcast.hub.channels.isEmpty)
        }
    }

    @Test("who comes back with Last-Event-ID, or loads first and says since, gets what it missed")
    func resume() async throws {
        try await TestServer.run { server in
            let epoch = server.broadcast.hub.log.head().epoch
            for number in 1...4 {
                try await server.broadcast.broadcast("updated", on: "order", ["n": .integer(number)])
            }
            let attempts: [(String, [(String, String)])] = [
                ("/sse/broadcast?channel=order", [("Last-Event-ID", "\(epoch):2")]),
                ("/sse/broadcast?channel=order&since=\(epoch):2", []),
                ("/sse/broadcast?channel=order&since=\(epoch):0", [("Last-Event-ID", "\(epoch):2")]),
            ]
            for (target, headers) in attempts {
                let stream = try await LiveStream.connect(server, target, headers: headers)
                let messages = [try await stream.next(), try await stream.next()]
                #expect(messages.map(\.lastEventID) == ["\(epoch):3", "\(epoch):4"])
                #expect(messages[0].data.contains(#""n":3"#) && messages[1].data.contains(#""n":4"#))
                await stream.close()
            }
            let lost = try await LiveStream.connect(
                server,
                "/sse/broadcast?channel=order",
                headers: [("Last-Event-ID", "gone:7")]
            )
            #expect(
                try await lost.next().data == #"{"channel":"order","event":"stale","payload":{"reason":"epoch"}}"#
            )
            await lost.close()
        }
    }

    @Test(
        "a request of which nothing can be done is refused",
        arguments: [
            ("/sse/broadcast", [], 400, "bad_request"), ("/sse/broadcast?feed=x", [], 400, "bad_request"),
            ("/sse/broadcast?channel=a%20b", [], 400, "bad_channel"),
            ("/sse/broadcast?channel=%FF", [], 400, "bad_request"),
            ("/sse/broadcast?channel=order", [("Origin", "http://evil.example")], 403, "forbidden_origin"),
        ] as [(String, [(String, String)], Int, String)]
    )
    func refusals(target: String, headers: [(String, String)], status: Int, code: String) async throws {
        try await TestServer.run { server in
            let answer = try await EndpointTests.get(target, server, headers: HTTPHeaders(headers))
            #expect(answer.status == UInt(status))
            #expect(answer.type == "application/problem+json")
            #expect(answer.body.contains("\"code\":\"\(code)\""))
        }
    }

    @Test("a server that is full, or going away, refuses further streams")
    func full() async throws {
        try await TestServer.run(hub: .make { $0.connections = 1 }) { server in
            let stream = try await LiveStream.connect(server, "/sse/broadcast?channel=order")
            let answer = try await EndpointTests.get("/sse/broadcast?channel=order", server)
            #expect(answer.status == 503)
            #expect(answer.body.contains("server_full"))
            #expect(answer.headers.first(name: "Retry-After") != nil)
            await stream.close()
        }
    }

    @Test("a connection that served other requests before becomes a stream; what comes behind the request is nobody's")
    func keptAlive() async throws {
        try await TestServer.run { server in
            let connection = try await RawConnection.connect(port: server.port)
            for _ in 0..<3 {
                try await connection.send("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                #expect(try await connection.receive(until: "}").hasPrefix("HTTP/1.1 200 "))
            }
            let stream = try await LiveStream.connect(server, "/sse/broadcast?channel=order", on: connection)
            try await connection.send("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            try await server.broadcast.broadcast("created", on: "order")
            #expect(try await stream.next().data.contains("created"))
            await stream.close()
        }
    }

    @Test("the path can be moved, or left out; other methods are not served there")
    func path() async throws {
        var endpoints = BroadcastEndpoints.make()
        endpoints.eventStreamPath = "/live"
        try await TestServer.run(endpoints: endpoints) { server in
            #expect(try await EndpointTests.get("/sse/broadcast?channel=order", server).status == 404)
            #expect(try await EndpointTests.get("/live?channel=order", server, method: .POST).status == 404)
            let stream = try await LiveStream.connect(server, "/live?channel=order")
            await stream.close()
        }
        endpoints.eventStreamPath = nil
        try await TestServer.run(endpoints: endpoints) { server in
            let answer = try await EndpointTests.get("/live?channel=order", server)
            #expect(answer.status == 404)
        }
    }

    @Test("over TLS too")
    func tls() async throws {
        try await TestServer.run(tls: try TestCertificate.server()) { server in
            var configuration = HTTPClient.Configuration()
            configuration.tlsConfiguration = try TestCertificate.client()
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            do {
                let url = "https://localhost:\(server.port)/sse/broadcast?channel=order"
                let response = try await client.execute(HTTPClientRequest(url: url), timeout: TimeAmount(.patience))
                try await server.broadcast.broadcast("created", on: "order")
                var reader = EventStreamReader()
                var messages: [EventStreamReader.Message] = []
                for try await buffer in response.body {
                    messages += reader.read(buffer.readableBytesView)
                    if !messages.isEmpty { break }
                }
                #expect(messages.first?.data == #"{"channel":"order","event":"created","payload":{}}"#)
            } catch {
                try await client.shutdown()
                throw error
            }
            try await client.shutdown()
        }
    }

    // MARK: Times

    @Test("one that drains ends after the last events, with a time to come back; then the server is gone")
    func drain() async throws {
        try await TestServer.run(hub: .make { $0.drainWindow = .milliseconds(500) }) { server in
            let streams = try await Self.connect(10, server)
            try await server.broadcast.broadcast("last", on: "order")
            await server.shutDown()
            for stream in streams {
                #expect(try await stream.rest().map { $0.data.contains("last") } == [true])
                #expect(stream.reader.comments.last == " 4000 the server is draining")
                #expect(stream.reader.retry.map { $0 <= 500 } == true)
            }
        }
    }

    private static func connect(_ count: Int, _ server: TestServer) async throws -> [LiveStream] {
        var streams: [LiveStream] = []
        for _ in 0..<count { streams.append(try await LiveStream.connect(server, "/sse/broadcast?channel=order")) }
        return streams
    }

    @Test("a reader that has nothing to read gets comments and stays; one that reads nothing is cut off")
    func heartbeat() async throws {
        let configuration = BroadcastHub.Configuration.make {
            $0.eventStreamInterval = .seconds(1)
            $0.heartbeatTimeout = .seconds(2)
        }
        try await TestServer.run(hub: configuration) { server in
            let idle = try await LiveStream.connect(server, "/sse/broadcast?channel=quiet")
            let stuck = try await RawConnection.connect(port: server.port, receiveBuffer: 4096)
            try await stuck.setReading(false)
            try await stuck.send("GET /sse/broadcast?channel=loud HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            try await eventually("it listens") { server.broadcast.hub.subscriberCount(of: "loud") == 1 }
            let text = JSONValue.string(String(repeating: "x", count: 60_000))
            for number in 0..<400 {
                try await server.broadcast.broadcast("updated", on: "loud", ["entity_id": "\(number)", "x": text])
            }
            try await eventually("the stuck one is cut off") { server.broadcast.hub.subscriberCount(of: "loud") == 0 }
            try await idle.read { $0.comments.count >= 4 }
            #expect(server.broadcast.hub.subscriberCount(of: "quiet") == 1)
            await idle.close()
            await stuck.close()
        }
    }

    @Test("a slow reader gets the newest of each entity when it reads again, and no more waits than may")
    func slow() async throws {
        try await TestServer.run { server in
            let slow = try await RawConnection.connect(port: server.port, receiveBuffer: 4096)
            let stream = try await LiveStream.connect(server, "/sse/broadcast?channel=order", on: slow)
            try await slow.setReading(false)
            let text = JSONValue.string(String(repeating: "x", count: 20_000))
            for number in 1...1000 {
                try await server.broadcast.broadcast(
                    "updated",
                    on: "order",
                    ["entity_id": "\(number % 3)", "n": .integer(number), "x": text]
                )
            }
            try await slow.setReading(true)
            var newest: [String: Int] = [:]
            var (messages, last) = (0, UInt64(0))
            while newest != ["0": 999, "1": 1000, "2": 998] {
                let message = try await stream.next()
                let event = try #require(Dialect.plain.decodeServerMessage(Array(message.data.utf8)))
                guard case .event(let event) = event, let entity = event.payload.entityID else { continue }
                struct Numbered: Decodable { let n: Int }
                newest[entity] = try event.payload.decode(Numbered.self).n
                messages += 1
                let offset = try #require(EventPosition(message.lastEventID)).offset
                #expect(offset > last)
                last = offset
            }
            #expect(messages < 1000)
            await stream.close()
        }
    }

    // MARK: curl

    @Test(
        "curl shows a stream and its resumption",
        .enabled(if: Curl.isThere, "curl is not installed")
    )
    func curl() async throws {
        try await TestServer.run { server in
            let epoch = server.broadcast.hub.log.head().epoch
            for number in 1...3 {
                try await server.broadcast.broadcast("updated", on: "order", ["n": .integer(number)])
            }
            let curl = try Curl.start("http://127.0.0.1:\(server.port)/sse/broadcast?channel=order", "\(epoch):1")
            try await eventually("curl listens") { server.broadcast.hub.subscriberCount(of: "order") == 1 }
            try await server.broadcast.broadcast("created", on: "order")
            await server.shutDown()
            let output = try await curl.output()
            #expect(
                output.contains(
                    """
                    id: \(epoch):2
                    data: {"channel":"order","event":"updated","payload":{"n":2}}

                    id: \(epoch):3
                    data: {"channel":"order","event":"updated","payload":{"n":3}}

                    id: \(epoch):3

                    id: \(epoch):4
                    data: {"channel":"order","event":"created","payload":{}}
                    """
                )
            )
        }
    }
}

/// The program curl, which prints a stream into a file.
struct Curl {
    private static let path = "/usr/bin/curl"

    static var isThere: Bool {
        ProcessInfo.processInfo.environment["CI"] != nil || FileManager.default.isExecutableFile(atPath: path)
    }

    private let process: ChildProcess
    private let folder: TemporaryFolder
    private let file: String

    static func start(_ url: String, _ lastEventID: String) throws -> Curl {
        let folder = try TemporaryFolder()
        let file = folder.file("output")
        guard FileManager.default.createFile(atPath: file, contents: nil) else {
            throw TestFailure("no file for curl's output")
        }
        let handle = try FileHandle(forWritingTo: URL(filePath: file))
        defer { try? handle.close() }
        let process = try ChildProcess(
            [path, "--silent", "--no-buffer", "--max-time", "120", "--header", "Last-Event-ID: \(lastEventID)", url],
            output: handle.fileDescriptor
        )
        return Curl(process: process, folder: folder, file: file)
    }

    /// What it printed until the server ended the stream.
    func output() async throws -> String {
        let status = await process.exitStatus
        guard status == 0 else { throw TestFailure("curl ended with \(status)") }
        return try String(contentsOfFile: file, encoding: .utf8)
    }
}
