import AsyncHTTPClient
import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import SocketTestSupport
import Synchronization
import TestSupport
import Testing
import TidingsBroadcast
import TidingsHummingbird
import TidingsWire

@Suite("Who a client is, on live sockets", .timeLimit(.patience))
struct IdentityTests {
    private static let policy = ChannelPolicy(publicChannels: ["menu"])

    private func withServer<Result: Sendable>(
        router: Router<BasicRequestContext> = Router(),
        endpoints: BroadcastEndpoints = .make(),
        hub: BroadcastHub.Configuration = .make { $0.policy = Self.policy },
        _ body: @Sendable (TestServer, TokenMaker) async throws -> Result
    ) async throws -> Result {
        var hub = hub
        hub.authenticator = try await JWTAuthenticator(keys: .secret(TokenMaker.secret))
        let maker = await TokenMaker.secret()
        return try await TestServer.run(router: router, endpoints: endpoints, hub: hub) { try await body($0, maker) }
    }

    @Test("a token is taken from each of its places, the first of them counts")
    func places() async throws {
        var endpoints = BroadcastEndpoints.make()
        endpoints.tokenCookie = "session"
        try await withServer(endpoints: endpoints) { server, maker in
            let token = try await maker.token(.init(channels: ["order"]))
            let sockets = [
                try await TestSocket.connect(
                    to: server.url + "?token=nonsense",
                    headers: [("Authorization", "bearer \(token)")]
                ),
                try await TestSocket.connect(to: server.url, subprotocols: ["bearer.\(token)", "tidings.plain"]),
                try await TestSocket.connect(to: server.url, headers: [("Cookie", "a=b; session=\(token)")]),
                try await TestSocket.connect(to: server.url + "?token=\(token)"),
            ]
            for socket in sockets {
                try await socket.subscribe(to: "order", "menu")
                socket.send(#"{"subscribe":["secret"]}"#)
                #expect(try await socket.receive().contains(#""code":"forbidden""#))
                try await socket.roundTrip()
                socket.close()
            }
        }
    }

    @Test("a token in the query is nowhere to be seen behind the upgrade")
    func queryToken() async throws {
        let seen = Mutex<[String]>([])
        let router = Router()
        router.add(middleware: Recorder { path in seen.withLock { $0.append(path) } })
        try await withServer(router: router) { server, maker in
            let token = try await maker.token(.init(channels: ["order"]))
            let socket = try await TestSocket.connect(to: server.url + "?a=1&token=\(token)&b=2")
            try await socket.subscribe(to: "order")
            // A proxy that drops the header Upgrade makes a plain request of it.
            let plain = "http://127.0.0.1:\(server.port)/ws/broadcast?a=1&token=\(token)"
            #expect(try await HTTPClient.shared.get(url: plain).get().status == .upgradeRequired)
        }
        #expect(seen.withLock { $0 } == ["/ws/broadcast?a=1&b=2", "/ws/broadcast?a=1"])
    }

    private struct Recorder: RouterMiddleware {
        typealias Context = BasicRequestContext
        let record: @Sendable (String) -> Void

        func handle(
            _ request: Request,
            context: BasicRequestContext,
            next: (Request, BasicRequestContext) async throws -> Response
        ) async throws -> Response {
            record(request.head.path ?? "")
            return try await next(request, context)
        }
    }

    @Test("a bad token is let in and closed with a code that a browser can see")
    func badToken() async throws {
        try await withServer { server, _ in
            for token in ["nonsense", "a.b.c", String(repeating: "x", count: 9000)] {
                let socket = try await TestSocket.connect(
                    to: server.url,
                    headers: [("Authorization", "Bearer \(token)")]
                )
                #expect(try await socket.end().code == .notAuthenticated)
            }
        }
    }

    @Test("until a token came nothing is done, and then everything, in order")
    func authenticateLater() async throws {
        try await withServer { server, maker in
            let token = try await maker.token(.init(channels: ["order"], publish: ["order"]))
            let socket = try await TestSocket.connect(to: server.url)
            for message in [#"{"subscribe":["order"]}"#, #"{"ping":1}"#, #"{"publish":"order","payload":{}}"#] {
                socket.send(message)
                #expect(try await socket.receive().contains(#""code":"unauthenticated""#))
            }
            socket.send(#"{"auth":"nonsense"}"#)
            #expect(try await socket.receive().contains(#""code":"unauthenticated""#))
            // In one go: what comes after the token waits until it is checked.
            socket.send(#"{"auth":"\#(token)"}"#)
            socket.send(#"{"subscribe":["order"]}"#)
            socket.send(#"{"publish":"order","payload":{"entity_id":"1"}}"#)
            socket.send(#"{"ping":2}"#)
            let messages = Set([try await socket.receive(), try await socket.receive()])
            #expect(
                messages == [#"{"channel":"order","event":"updated","payload":{"entity_id":"1"}}"#, #"{"pong":2}"#]
            )
        }
    }

    @Test("the other dialects answer a token")
    func dialects() async throws {
        try await withServer { server, maker in
            let token = try await maker.token(.init(exp: 4_000_000_000, channels: ["order"]))
            let extended = try await TestSocket.connect(to: server.url, subprotocols: ["tidings.v1"])
            #expect(try await !extended.receive().contains("authenticated"))
            extended.send(#"{"id":1,"subscribe":["order"]}"#)
            let refusal = try await extended.receive()
            #expect(refusal.hasPrefix(#"{"id":1,"error":{"code":"unauthenticated""#))
            extended.send(#"{"id":2,"auth":"\#(token)","subscribe":["order"],"ping":3}"#)
            let reply = try await extended.receive()
            #expect(
                reply.hasPrefix(
                    #"{"id":2,"authenticated":{"subject":"42","expires_at":"2096-10-02T07:06:40.000Z"},"subscribed":{"order""#
                )
            )
            extended.send(#"{"id":3,"auth":"nonsense","ping":3}"#)
            #expect(try await extended.receive().hasPrefix(#"{"id":3,"error":{"code":"unauthenticated""#))
            // Who it was, it still is.
            extended.send(#"{"id":4,"subscribe":["menu"]}"#)
            #expect(try await extended.receive().hasPrefix(#"{"id":4,"subscribed":{"menu""#))

            let upgraded = try await TestSocket.connect(
                to: server.url,
                subprotocols: ["bearer.\(token)", "tidings.v1"]
            )
            #expect(
                try await upgraded.receive().contains(
                    #""authenticated":{"subject":"42","expires_at":"2096-10-02T07:06:40.000Z"}"#
                )
            )

            let topic = try await TestSocket.connect(to: "ws://127.0.0.1:\(server.port)/ws")
            topic.send(#"{"action":"subscribe","topic":"order"}"#)
            #expect(try await topic.receive().contains(#""code":"unauthenticated""#))
            topic.send(#"{"action":"auth","token":"\#(token)"}"#)
            #expect(try await topic.receive() == #"{"action":"authenticated"}"#)
            topic.send(#"{"action":"subscribe","topic":"order"}"#)
            #expect(try await topic.receive() == #"{"action":"subscribed","topic":"order"}"#)
        }
    }

    @Test("a server that asks nobody answers a token all the same")
    func withoutAuthenticator() async throws {
        try await TestServer.run { server in
            let topic = try await TestSocket.connect(to: "ws://127.0.0.1:\(server.port)/ws?token=whatever")
            topic.send(#"{"action":"auth","token":"whatever"}"#)
            #expect(try await topic.receive() == #"{"action":"authenticated"}"#)
        }
    }

    @Test("who does not say who it is in time is closed")
    func deadline() async throws {
        try await withServer(hub: .make { $0.authenticationTimeout = .seconds(1) }) { server, maker in
            let silent = try await TestSocket.connect(to: server.url)
            let speaking = try await TestSocket.connect(to: server.url + "?token=\(try await maker.token())")
            #expect(try await silent.end().code == .notAuthenticated)
            try await speaking.roundTrip()
        }
    }

    @Test("a session ends some time after its token, unless a fresh one comes")
    func expiry() async throws {
        let date = MovableDate(Date())
        try await withServer(hub: .make { $0.now = { date.now } }) { server, maker in
            let token = try await maker.token(lasting: 60)
            let fresh = try await maker.token(lasting: 600)
            let ending = try await TestSocket.connect(to: server.url + "?token=\(token)")
            let staying = try await TestSocket.connect(to: server.url + "?token=\(token)")
            try await ending.roundTrip()
            date.advance(by: 70)
            staying.send(#"{"auth":"\#(fresh)","ping":7}"#)
            #expect(try await staying.receive() == #"{"pong":7}"#)
            try await ending.roundTrip()
            date.advance(by: 20)
            #expect(try await ending.end().code == .tokenExpired)
            try await staying.roundTrip()
        }
    }

    @Test("a fresh token takes away the channels that it does not allow")
    func lostChannels() async throws {
        try await withServer { server, maker in
            let wide = try await maker.token(.init(channels: ["order", "order:*"]))
            let narrow = try await maker.token(.init(channels: ["order"]))
            let other = try await maker.token(.init(sub: "43", channels: ["*"]))
            let socket = try await TestSocket.connect(to: server.url, subprotocols: ["tidings.v1", "bearer.\(wide)"])
            _ = try await socket.receive()
            socket.send(#"{"id":1,"subscribe":["order","order:1","menu"]}"#)
            _ = try await socket.receive()
            socket.send(#"{"id":2,"auth":"\#(narrow)"}"#)
            let reply = try await socket.receive()
            #expect(reply.contains(#""errors":{"order:1":{"code":"forbidden""#), "\(reply)")
            #expect(server.broadcast.hub.channels == ["order": 1, "menu": 1])
            socket.send(#"{"id":3,"auth":"\#(other)"}"#)
            #expect(try await socket.receive().hasPrefix(#"{"id":3,"error":{"code":"unauthenticated""#))
            try await server.broadcast.broadcast("updated", on: "order:1")
            try await server.broadcast.broadcast("updated", on: "order")
            #expect(try await socket.receive().contains(#""channel":"order","#))
        }
    }

    @Test("a right that was taken away ends with the next request for the channel")
    func withdrawnRight() async throws {
        let isAllowed = Mutex(true)
        let policy = ChannelPolicy { _, _ in isAllowed.withLock { $0 } }
        try await withServer(hub: .make { $0.policy = policy }) { server, maker in
            let socket = try await TestSocket.connect(to: server.url + "?token=\(try await maker.token())")
            try await socket.subscribe(to: "order")
            isAllowed.withLock { $0 = false }
            socket.send(#"{"subscribe":["order"]}"#)
            #expect(try await socket.receive().contains(#""code":"forbidden""#))
            try await server.broadcast.broadcast("updated", on: "order")
            try await socket.roundTrip()
        }
    }

    @Test("an authenticator that takes its time is told when its client goes, before the upgrade too")
    func slowAuthenticator() async throws {
        let (asked, cancelled) = (Inbox<Int>(), Inbox<Int>())
        struct Slow: Authenticator {
            let asked: Inbox<Int>
            let cancelled: Inbox<Int>

            func identity(of token: String) async throws(AuthenticationError) -> Identity {
                asked.put(1)
                try? await Task.sleep(for: .seconds(600))
                cancelled.put(1)
                throw AuthenticationError(.unavailable, "Too late.")
            }
        }
        let hub = BroadcastHub.Configuration.make { $0.authenticator = Slow(asked: asked, cancelled: cancelled) }
        var endpoints = BroadcastEndpoints.make()
        endpoints.timeouts.firstRequest = .seconds(5)
        try await TestServer.run(endpoints: endpoints, hub: hub) { server in
            let connecting = try await RawConnection.connect(port: server.port)
            try await connecting.send(
                UpgradeTests.handshake.replacing("Host:", with: "Authorization: Bearer x\r\nHost:")
            )
            #expect(try await asked.next() == 1)
            #expect(try await cancelled.next() == 1)
            let connected = try await TestSocket.connect(to: server.url)
            connected.send(#"{"auth":"x"}"#)
            #expect(try await asked.next() == 1)
            connected.close()
            #expect(try await cancelled.next() == 1)
        }
    }

    @Test("who is connected is told to operators only, where clients have to say who they are")
    func stats() async throws {
        try await withServer { server, _ in
            let answer = try await HTTPClient.shared.get(url: "http://127.0.0.1:\(server.port)/broadcast/stats").get()
            #expect(answer.status == .notFound)
        }
        var endpoints = BroadcastEndpoints.make()
        endpoints.operatorSecret = "for operators only"
        try await withServer(endpoints: endpoints) { server, _ in
            let url = "http://127.0.0.1:\(server.port)/broadcast/stats"
            #expect(try await HTTPClient.shared.get(url: url).get().status == .unauthorized)
            var request = try HTTPClient.Request(url: url)
            request.headers.add(name: "Authorization", value: "Bearer for operators only")
            #expect(try await HTTPClient.shared.execute(request: request).get().status == .ok)
        }
    }

    @Test("a closure that takes its time keeps nobody else waiting, and ends with its client")
    func slowPolicy() async throws {
        let (asked, cancelled) = (Inbox<ChannelName>(), Inbox<ChannelName>())
        let policy = ChannelPolicy { _, channel in
            guard channel == "slow" else { return true }
            asked.put(channel)
            // As long as the test runs, unless it is cancelled.
            try? await Task.sleep(for: .seconds(600))
            cancelled.put(channel)
            return true
        }
        try await withServer(hub: .make { $0.policy = policy }) { server, maker in
            let token = try await maker.token()
            let waiting = try await TestSocket.connect(to: server.url + "?token=\(token)")
            let quick = try await TestSocket.connect(to: server.url + "?token=\(token)")
            waiting.send(#"{"subscribe":["slow"]}"#)
            #expect(try await asked.next() == "slow")
            try await quick.subscribe(to: "order")
            waiting.close()
            #expect(try await cancelled.next() == "slow")
            try await eventually("the session is gone") { server.broadcast.hub.connectionCount == 1 }
        }
    }

    @Test("a subject has as many connections as it may")
    func connectionLimit() async throws {
        try await withServer(hub: .make { $0.connectionsPerSubject = 2 }) { server, maker in
            let (one, other) = (try await maker.token(), try await maker.token(.init(sub: "43")))
            let kept = [
                try await TestSocket.connect(to: server.url + "?token=\(one)"),
                try await TestSocket.connect(to: server.url),
            ]
            kept[1].send(#"{"auth":"\#(one)","ping":7}"#)
            #expect(try await kept[1].receive() == #"{"pong":7}"#)
            for late in [try await TestSocket.connect(to: server.url + "?token=\(one)")] {
                #expect(try await late.end().code == .connectionLimit)
            }
            let silent = try await TestSocket.connect(to: server.url)
            silent.send(#"{"auth":"\#(one)"}"#)
            #expect(try await silent.end().code == .connectionLimit)
            try await TestSocket.connect(to: server.url + "?token=\(other)").roundTrip()
            try await eventually("the late ones no longer count") {
                server.broadcast.hub.connectionCount(of: "42") == 2
            }
            kept[0].close()
            try await eventually("there is room again") { server.broadcast.hub.connectionCount(of: "42") == 1 }
            try await TestSocket.connect(to: server.url + "?token=\(one)").roundTrip()
        }
    }

    @Test("an operator closes a subject's sessions and keeps it out for a while")
    func operators() async throws {
        let date = MovableDate(Date(timeIntervalSince1970: 1_800_000_000))
        var endpoints = BroadcastEndpoints.make()
        endpoints.operatorSecret = "for operators only"
        try await withServer(endpoints: endpoints, hub: .make { $0.now = { date.now } }) { server, maker in
            let one = try await maker.token(.init(exp: 4_000_000_000))
            let other = try await maker.token(.init(sub: "43", exp: 4_000_000_000))
            let sockets = [
                try await TestSocket.connect(to: server.url + "?token=\(one)"),
                try await TestSocket.connect(to: server.url + "?token=\(one)"),
            ]
            let bystander = try await TestSocket.connect(to: server.url + "?token=\(other)")
            for socket in sockets + [bystander] { try await socket.roundTrip() }

            #expect(try await delete(server, "?subject=42", secret: nil).status == .unauthorized)
            #expect(try await delete(server, "?subject=42", secret: "for operators onlx").status == .unauthorized)
            #expect(try await delete(server, "", secret: "for operators only").status == .badRequest)
            #expect(
                try await delete(server, "?subject=42", secret: "for operators only", body: #"{"until":"soon"}"#).status
                    == .unprocessableEntity
            )
            let body = #"{"until":"2027-01-15T08:10:00Z"}"#
            let answer = try await delete(server, "?subject=42", secret: "for operators only", body: body)
            #expect(answer.status == .ok)
            #expect(answer.body == #"{"closed":2}"#)
            for socket in sockets { #expect(try await socket.end().code == .closedByOperator) }
            try await bystander.roundTrip()

            let late = try await TestSocket.connect(to: server.url + "?token=\(one)")
            #expect(try await late.end().code == .closedByOperator)
            let silent = try await TestSocket.connect(to: server.url)
            silent.send(#"{"auth":"\#(one)"}"#)
            #expect(try await silent.end().code == .closedByOperator)
            date.advance(by: 600)
            try await TestSocket.connect(to: server.url + "?token=\(one)").roundTrip()
        }
    }

    @Test("nothing for operators is served unless it is configured")
    func operatorsOff() async throws {
        try await TestServer.run { server in
            let answer = try await delete(server, "?subject=42", secret: "anything")
            #expect(answer.status == .notFound)
        }
    }

    private func delete(
        _ server: TestServer,
        _ query: String,
        secret: String?,
        body: String? = nil
    ) async throws -> (status: HTTPResponseStatus, body: String) {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/broadcast/sessions\(query)")
        request.method = .DELETE
        if let secret { request.headers.add(name: "Authorization", value: "Bearer \(secret)") }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: TimeAmount(.patience))
        return (response.status, String(buffer: try await response.body.collect(upTo: 65_536)))
    }
}
