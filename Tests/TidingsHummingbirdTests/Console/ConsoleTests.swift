import AsyncHTTPClient
import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import ServiceLifecycle
import SocketTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsTesting
import TidingsWire

@testable import TidingsHummingbird

@Suite("The console", .timeLimit(.patience))
struct ConsoleTests {
    private static let secret = "open the console, please, for ada"
    private static let bearer: HTTPHeaders = ["Authorization": "Bearer \(secret)"]

    private static func endpoints(_ change: (inout Console) -> Void = { _ in }) throws -> BroadcastEndpoints {
        var endpoints = BroadcastEndpoints.make()
        var console = try Console(secret: secret)
        change(&console)
        endpoints.console = console
        return endpoints
    }

    /// Sends the form of the page that asks for the secret, as a browser does.
    private static func signIn(
        _ server: TestServer,
        form: String = "secret=open+the+console%2C%20please%2c+for+ada",
        headers: HTTPHeaders = [:],
        path: String = "/console"
    ) async throws -> (status: UInt, location: String?, cookie: String?, body: String) {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)\(path)")
        request.method = .POST
        request.headers = headers
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.body = .bytes(ByteBuffer(string: form))
        do {
            let response = try await client.execute(request, timeout: TimeAmount(.patience))
            let body = String(buffer: try await response.body.collect(upTo: 1 << 20))
            try await client.shutdown()
            let headers = response.headers
            return (
                response.status.code, headers.first(name: "Location"), headers.first(name: "Set-Cookie"), body
            )
        } catch {
            try await client.shutdown()
            throw error
        }
    }

    private static func report(
        _ socket: TestSocket,
        where isRight: (ConsoleReport) -> Bool
    ) async throws -> ConsoleReport {
        struct Message: Decodable {
            let type: String
        }
        struct Update: Decodable {
            let data: ConsoleReport
        }
        while true {
            let bytes = Data(try await socket.receive().utf8)
            guard try JSONDecoder().decode(Message.self, from: bytes).type == "report_update" else { continue }
            let report = try JSONDecoder().decode(Update.self, from: bytes).data
            if isRight(report) { return report }
        }
    }

    private static let handshake = UpgradeTests.handshake.replacing("/ws/broadcast", with: "/console/feed")

    /// The first line of the answer to an opening handshake.
    private static func upgrade(_ server: TestServer, adding header: String = "") async throws -> String {
        let connection = try await RawConnection.connect(port: server.port)
        try await connection.send(
            handshake.replacing("Host: 127.0.0.1\r\n", with: "Host: 127.0.0.1:\(server.port)\r\n" + header)
        )
        let answer = try await connection.receive(until: "\r\n\r\n")
        await connection.close()
        return String(answer.prefix { $0 != "\r\n" })
    }

    @Test("nothing of it is there unless it is configured")
    func off() async throws {
        try await TestServer.run { server in
            for path in ["/console", "/console/console.css", "/console/page.js", "/console/feed"] {
                let answer = try await EndpointTests.get(path, server, headers: Self.bearer)
                #expect(answer.status == 404, "\(path)")
            }
            let (form, line) = (
                try await Self.signIn(server),
                try await Self.upgrade(server, adding: "Authorization: Bearer \(Self.secret)\r\n")
            )
            #expect(form.status == 404)
            #expect(line.contains(" 404 "))
        }
    }

    @Test("a secret that can be guessed is none")
    func weak() {
        let error = #expect(throws: ConsoleError.self) { try Console(secret: "0123456789abcdef0123456789abcde") }
        #expect(error?.code == .weakSecret)
        #expect(error?.description.contains("0123") == false)
    }

    @Test("without the secret there is a page that asks for it, and nothing else")
    func closed() async throws {
        try await TestServer.run(endpoints: try Self.endpoints()) { server in
            for headers: HTTPHeaders in [
                [:], ["Authorization": "Bearer open the console, please, for Ada"], ["Authorization": "Bearer "],
                ["Cookie": "tidings_console=x"], ["Cookie": "tidings_console=\(Self.secret)"],
            ] {
                let page = try await EndpointTests.get("/console", server, headers: headers)
                #expect(page.status == 401)
                #expect(page.body.contains(#"<form method="post" action="/console">"#))
                #expect(!page.body.contains("page.js"))
                #expect(try await EndpointTests.get("/console/page.js", server, headers: headers).status == 401)
                #expect(try await EndpointTests.get("/console/feed", server, headers: headers).status == 401)
            }
            #expect(try await Self.upgrade(server).contains(" 401 "))
            for form in ["", "secret=", "secret=wrong", "secret=open", "other=1", String(repeating: "x", count: 5000)] {
                let answer = try await Self.signIn(server, form: form)
                #expect(answer.status == 401)
                #expect(answer.cookie == nil)
                #expect(answer.body.contains("This is not the secret."))
            }
            let console = try await TestSocket.connect(
                to: "ws://127.0.0.1:\(server.port)/console/feed",
                headers: [("Authorization", "Bearer \(Self.secret)")]
            )
            let report = try await Self.report(console) { !$0.errors.isEmpty }
            #expect(report.errors.map(\.code) == ["console_refused"])
            #expect(report.errors.map(\.count) == [6])
            console.close()
        }
    }

    @Test("the secret buys a cookie that no script and no other site can use, and that lets in until it is over")
    func signIn() async throws {
        try await TestServer.run(endpoints: try Self.endpoints()) { server in
            let answer = try await Self.signIn(server)
            #expect(answer.status == 303)
            #expect(answer.location == "/console")
            let cookie = try #require(answer.cookie)
            let parts = cookie.components(separatedBy: "; ")
            #expect(parts.dropFirst() == ["Path=/console", "Max-Age=43200", "HttpOnly", "SameSite=Strict"])
            #expect(!cookie.contains("open"))
            let headers: HTTPHeaders = ["Cookie": parts[0]]
            let page = try await EndpointTests.get("/console", server, headers: headers)
            #expect(page.status == 200)
            #expect(page.body.contains(#"<script type="module" src="/console/page.js"></script>"#))
            let policy = try #require(page.headers.first(name: "Content-Security-Policy"))
            #expect(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"))
            #expect(!policy.contains("unsafe"))
            #expect(page.headers.first(name: "Cache-Control") == "no-store")
            #expect(try await Self.upgrade(server, adding: "Cookie: \(parts[0])\r\n").contains(" 101 "))
            // One sign of it changed.
            let forged = String(parts[0].dropLast(4)) + "AAAA"
            #expect(try await EndpointTests.get("/console", server, headers: ["Cookie": forged]).status == 401)
            let left = try await Self.signIn(server, form: "", path: "/console/leave")
            #expect(left.cookie?.hasPrefix("tidings_console=; Path=/console; Max-Age=0;") == true)
        }
        // Over TLS it never travels without.
        try await TestServer.run(endpoints: try Self.endpoints()) { server in
            let answer = try await Self.signIn(server, headers: ["Origin": "https://127.0.0.1"])
            #expect(answer.cookie?.hasSuffix("; Secure") == true)
        }
        try await TestServer.run(endpoints: try Self.endpoints { $0.passLifetime = .seconds(-1) }) { server in
            let cookie = try #require(try await Self.signIn(server).cookie)
            let headers: HTTPHeaders = ["Cookie": String(cookie.prefix { $0 != ";" })]
            #expect(try await EndpointTests.get("/console", server, headers: headers).status == 401)
        }
    }

    @Test("guesses are few: after them nothing is looked at, not even the secret, whichever way it comes")
    func guesses() async throws {
        let other = ConsoleAccess(try Console(secret: "another secret of another operator"))
        let forged = String(try await other.cookie(overTLS: false).prefix { $0 != ";" })
        // No time passes, so none comes back.
        let moment = Moment()
        let endpoints = try Self.endpoints { ($0.wrongSecrets, $0.guessingTime) = (3, { moment.now }) }
        try await TestServer.run(endpoints: endpoints) { server in
            let signedIn = try #require(try await Self.signIn(server).cookie)
            let pass: HTTPHeaders = ["Cookie": String(signedIn.prefix { $0 != ";" })]
            #expect(try await EndpointTests.get("/console", server, headers: pass).status == 200)
            // Each way counts.
            let guesses = [
                try await Self.signIn(server, form: "secret=wrong").status,
                try await EndpointTests.get("/console", server, headers: ["Cookie": forged]).status,
                try await EndpointTests.get("/console/page.js", server, headers: ["Authorization": "Bearer x"]).status,
            ]
            #expect(!guesses.contains(429))
            #expect(try await Self.signIn(server, form: "secret=wrong").status == 429)
            let page = try await EndpointTests.get("/console", server, headers: ["Cookie": forged])
            #expect(page.status == 429)
            #expect(page.headers.first(name: "Retry-After") == "1")
            #expect(page.body.contains("Try again in a moment."))
            let file = try await EndpointTests.get("/console/page.js", server, headers: ["Cookie": forged])
            #expect(file.status == 429)
            #expect(file.body.contains(#""code":"rate_limited""#))
            // Who is in stays in, and who shows nothing is asked.
            #expect(try await EndpointTests.get("/console", server, headers: pass).status == 200)
            #expect(try await EndpointTests.get("/console", server).status == 401)
        }
    }

    @Test("what is right is no guess, however often it comes")
    func noGuess() async throws {
        try await TestServer.run(endpoints: try Self.endpoints { $0.wrongSecrets = 1 }) { server in
            for _ in 0..<10 {
                let file = try await EndpointTests.get("/console/page.js", server, headers: Self.bearer)
                #expect(file.status == 200)
                let answer = try await Self.signIn(server)
                #expect(answer.status == 303)
            }
        }
    }

    @Test("a pass of another secret lets nobody in")
    func otherSecret() async throws {
        let access = ConsoleAccess(try Console(secret: "another secret of another operator"))
        let cookie = try await access.cookie(overTLS: false).prefix { $0 != ";" }
        try await TestServer.run(endpoints: try Self.endpoints()) { server in
            let page = try await EndpointTests.get("/console", server, headers: ["Cookie": String(cookie)])
            #expect(page.status == 401)
        }
    }

    @Test("pages of other origins neither sign in nor connect, even where the application allows them")
    func origins() async throws {
        var endpoints = try Self.endpoints()
        endpoints.allowedOrigins = ["https://app.example.com"]
        try await TestServer.run(endpoints: endpoints) { server in
            let own = try await Self.signIn(server, headers: ["Origin": "http://127.0.0.1:\(server.port)"])
            #expect(own.status == 303)
            let foreign = try await Self.signIn(server, headers: ["Origin": "https://app.example.com"])
            #expect(foreign.status == 403)
            let bearer = "Authorization: Bearer \(Self.secret)\r\n"
            #expect(try await Self.upgrade(server, adding: bearer).contains(" 101 "))
            let line = try await Self.upgrade(server, adding: bearer + "Origin: https://app.example.com\r\n")
            #expect(line.contains(" 403 "))
        }
    }

    @Test("what it tells: connections, the busiest channels, counters, and what went wrong; never to other clients")
    func report() async throws {
        let endpoints = try Self.endpoints {
            $0.channels = 2
            $0.errors = 2
        }
        try await TestServer.run(endpoints: endpoints) { server in
            let clients = [try await TestSocket.connect(to: server.url), try await TestSocket.connect(to: server.url)]
            try await clients[0].subscribe(to: "order", "table", "menu")
            try await clients[1].subscribe(to: "order", "table", "feed:report")
            let console = try await TestSocket.connect(
                to: "ws://127.0.0.1:\(server.port)/console/feed",
                headers: [("Authorization", "Bearer \(Self.secret)")]
            )
            for _ in 0..<3 { try await server.broadcast.broadcast("updated", on: "order") }
            for client in clients { for _ in 0..<3 { _ = try await client.receive() } }
            clients[0].send("not JSON")
            _ = try await clients[0].receive()
            let report = try await Self.report(console) { $0.published == 3 && !$0.errors.isEmpty }
            #expect(report.connections == 2)
            #expect(report.subscriptions == 6)
            #expect(report.delivered == 6)
            #expect(report.channelCount == 4)
            #expect(report.channels == [.init(name: "order", subscribers: 2), .init(name: "table", subscribers: 2)])
            #expect(report.errors.map(\.code) == ["bad_json"])
            #expect(report.errors.map(\.origin) == ["client"])
            #expect((report.slowCount, report.slow) == (0, []))
            // The next one is another one, also where nothing happens.
            let next = try await Self.report(console) { $0.measured > report.measured }
            #expect(next.published == 3)
            // The client that asked for the console's channel hears what happens on its own ones, and nothing before it.
            try await server.broadcast.broadcast("updated", on: "table")
            #expect(try await clients[1].receive().contains(#""channel":"table""#))
            for socket in clients + [console] { socket.close() }
        }
    }

    @Test("a client that reads nothing is a slow session")
    func slow() async throws {
        try await TestServer.run(endpoints: try Self.endpoints()) { server in
            let stuck = try await RawConnection.connect(port: server.port, receiveBuffer: 4096)
            try await stuck.send(UpgradeTests.handshake)
            _ = try await stuck.receive(until: "\r\n\r\n")
            try await stuck.send(WebSocketFrame.encode(.text, Array(#"{"subscribe":["order"]}"#.utf8), mask: 7))
            try await eventually("it is subscribed") { server.broadcast.hub.subscriberCount(of: "order") == 1 }
            try await stuck.setReading(false)
            let console = try await TestSocket.connect(
                to: "ws://127.0.0.1:\(server.port)/console/feed",
                headers: [("Authorization", "Bearer \(Self.secret)")]
            )
            let quick = try await TestSocket.connect(to: server.url)
            try await quick.subscribe(to: "order")
            let text = JSONValue.string(String(repeating: "x", count: 32_000))
            // More than the system takes for a reader that does not read.
            for number in 0..<400 {
                let payload: EventPayload = ["entity_id": .string("\(number % 20)"), "text": text]
                try await server.broadcast.broadcast("updated", on: "order", payload)
                _ = try await quick.receive()
            }
            let report = try await Self.report(console) { $0.published == 400 }
            #expect(report.slowCount == 1)
            let session = try #require(report.slow.first)
            #expect(session.channels == 1 && session.subject == nil && !session.stream)
            // The newest of each entity.
            #expect(session.events == 20)
            #expect(session.bytes > 32_000)
            #expect(report.waitingBytes > 32_000)
            // Its reader reads again: it is slow no longer.
            try await stuck.setReading(true)
            let later = try await Self.report(console) { $0.slowCount == 0 }
            #expect(later.waitingBytes == 0)
            for socket in [quick, console] { socket.close() }
            await stuck.close()
        }
    }

    @Test("while no page is connected nothing is asked, whatever the time")
    func idle() async throws {
        let clock = ManualClock()
        let broadcast = WebSocketBroadcastBackend(hub: BroadcastHub(configuration: .make { _ in }))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let feeds = ConsoleFeeds(
            try Console(secret: Self.secret),
            of: broadcast,
            readiness: ReadinessChecks(),
            clock: clock,
            logger: logger
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await feeds.run() }
            try await eventually("both feeds run") {
                feeds.statuses.count == 2 && (try? feeds.hub.feeds.check()) != nil
            }
            for _ in 0..<20 {
                clock.advance(by: .seconds(60))
                await Task.yield()
            }
            let loop = NIOAsyncTestingEventLoop()
            let channel = NIOAsyncTestingChannel(loop: loop)
            try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1))
            try await loop.executeInContext {
                let handler = feeds.hub.makeFeedSessionHandler(on: loop, writesDirectly: false)
                try channel.pipeline.syncOperations.addHandler(handler)
            }
            try await eventually("both are told once") { feeds.statuses.allSatisfy { $0.broadcasts == 1 } }
            #expect(feeds.statuses.map(\.polls) == [1, 1])
            group.cancelAll()
            _ = channel
        }
    }

    @Test("which parts work")
    func health() async throws {
        struct Away: Error {}
        let endpoints = try Self.endpoints()
        endpoints.readiness.register("database", details: { ["pool": 4] }, check: { throw Away() })
        try await TestServer.run(endpoints: endpoints) { server in
            let console = try await TestSocket.connect(
                to: "ws://127.0.0.1:\(server.port)/console/feed",
                headers: [("Authorization", "Bearer \(Self.secret)")]
            )
            var text = try await console.receive()
            while !text.contains("health_update") { text = try await console.receive() }
            #expect(text.contains(#"{"failure":"Away()","name":"database","numbers":{"pool":4}}"#), "\(text)")
            #expect(text.contains(#"{"name":"broadcast","numbers":{}}"#))
            console.close()
        }
    }

    @Test("an address for operators has it apart, and the public one does not")
    func apart() async throws {
        let broadcast = WebSocketBroadcastBackend(hub: BroadcastHub(configuration: .make { _ in }))
        let readiness = ReadinessChecks()
        readiness.register("database") {}
        let ports = Inbox<Int>()
        let operators = Application(
            router: Router(),
            console: try Console(secret: Self.secret),
            of: broadcast,
            readiness: readiness,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { ports.put($0.localAddress?.port ?? 0) },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let services: @Sendable (WebSocketBroadcastBackend) -> [any Service] = { _ in [operators] }
        try await TestServer.run(broadcast: broadcast, services: services) { server in
            let missing = try await EndpointTests.get("/console", server, headers: Self.bearer)
            #expect(missing.status == 404)
            let port = try #require(try await ports.next())
            let client = try await TestSocket.connect(to: server.url)
            let console = try await TestSocket.connect(
                to: "ws://127.0.0.1:\(port)/console/feed",
                headers: [("Authorization", "Bearer \(Self.secret)")]
            )
            let report = try await Self.report(console) { $0.connections == 1 }
            #expect(report.errors.isEmpty)
            for socket in [client, console] { socket.close() }
        }
    }

    @Test("no more pages than may be connected")
    func viewers() async throws {
        try await TestServer.run(endpoints: try Self.endpoints { $0.viewers = 1 }) { server in
            let console = try await TestSocket.connect(
                to: "ws://127.0.0.1:\(server.port)/console/feed",
                headers: [("Authorization", "Bearer \(Self.secret)")]
            )
            _ = try await console.receive()
            let line = try await Self.upgrade(server, adding: "Authorization: Bearer \(Self.secret)\r\n")
            #expect(line.contains(" 503 "))
            console.close()
        }
    }

    @Test("of many channels only the busiest are kept, in order")
    func busiest() {
        let channels = (0..<1000).map { (name: "c\($0)", subscribers: $0 % 7) }
        let busiest = [ConsoleReport.Channel].busiest(3, of: channels.shuffled())
        #expect(busiest == Array([ConsoleReport.Channel].busiest(1000, of: channels).prefix(3)))
        #expect(busiest.allSatisfy { $0.subscribers == 6 })
        #expect([ConsoleReport.Channel].busiest(0, of: channels).isEmpty)
    }
}
