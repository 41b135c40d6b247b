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

@Suite("Publishing over HTTP", .timeLimit(.patience))
struct PublishTests {
    /// A backend that refuses as many events as it is told to, from a certain one on.
    private final class FlakyBackend: BroadcastBackend {
        private let base = InMemoryBroadcastBackend()
        private let state: Mutex<(accepts: Int, refuses: Int)>

        init(accepting accepts: Int, refusing refuses: Int) {
            state = Mutex((accepts, refuses))
        }

        var supportsPush: Bool { base.supportsPush }

        func broadcast(_ event: BroadcastEvent) async throws {
            let isRefused = state.withLock { state in
                guard state.accepts <= 0, state.refuses > 0 else {
                    state.accepts -= 1
                    return false
                }
                state.refuses -= 1
                return true
            }
            if isRefused { throw BroadcastError(.unavailable, "The backend cannot be reached.") }
            try await base.broadcast(event)
        }

        func subscribe(
            to channel: ChannelName,
            handler: @escaping BroadcastHandler
        ) async throws -> BroadcastSubscription {
            try await base.subscribe(to: channel, handler: handler)
        }

        func unsubscribe(_ subscription: BroadcastSubscription) async { await base.unsubscribe(subscription) }
        func checkHealth() async throws {}
        func close() async { await base.close() }
    }

    private func withServer<Result: Sendable>(
        router: Router<BasicRequestContext> = Router(),
        limits: PublishingLimits = PublishingLimits(),
        underlying: any BroadcastBackend = InMemoryBroadcastBackend(),
        _ body: @Sendable (TestServer, TokenMaker) async throws -> Result
    ) async throws -> Result {
        var hub = BroadcastHub.Configuration.make { _ in }
        hub.authenticator = try await JWTAuthenticator(keys: .secret(TokenMaker.secret))
        let broadcast = WebSocketBroadcastBackend(underlying: underlying, hub: BroadcastHub(configuration: hub))
        let maker = await TokenMaker.secret()
        var endpoints = BroadcastEndpoints.make()
        endpoints.publishing = limits
        return try await TestServer.run(router: router, endpoints: endpoints, broadcast: broadcast) {
            try await body($0, maker)
        }
    }

    private static func post(
        _ body: String,
        _ server: TestServer,
        token: String? = nil,
        headers: [(String, String)] = [],
        type: String = "application/json"
    ) async throws -> EndpointTests.Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/broadcast")
        request.method = .POST
        request.headers = HTTPHeaders(headers + [("Content-Type", type)])
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await HTTPClient.shared.execute(request, timeout: TimeAmount(.patience))
        let text = String(buffer: try await response.body.collect(upTo: 1 << 20))
        return EndpointTests.Answer(status: response.status.code, headers: response.headers, body: text)
    }

    private static let event = #"{"channel":"order","event":"created","payload":{"entity_id":"42","n":1.50}}"#

    // MARK: Rights

    @Test("is closed on a server that asks nobody who they are, and whose policy says nothing")
    func closed() async throws {
        try await TestServer.run { server in
            let answer = try await Self.post(Self.event, server)
            #expect(answer.status == 403)
            #expect(answer.body.contains(#""code":"forbidden""#) && answer.body.contains(#""channel":"order""#))
            #expect(server.broadcast.hub.log.head().offset == 0)
        }
        try await TestServer.run(hub: .make { $0.policy = ChannelPolicy(publishableChannels: ["order"]) }) { server in
            let answer = try await Self.post(Self.event, server)
            #expect(answer.status == 202)
        }
    }

    @Test("needs a token that allows every channel; otherwise nothing is published")
    func rights() async throws {
        try await withServer { server, maker in
            let token = try await maker.token(.init(channels: ["order"], publish: ["order:*"]))
            #expect(try await Self.post(Self.event, server).status == 401)
            #expect(try await Self.post(Self.event, server, token: "nonsense").status == 401)
            #expect(try await Self.post(Self.event, server, token: token).status == 403)
            let batch = #"{"events":[{"channel":"order:1","payload":{}},{"channel":"bell","payload":{}}]}"#
            let answer = try await Self.post(batch, server, token: token)
            #expect(answer.status == 403)
            #expect(answer.body.contains(#""channel":"bell""#))
            #expect(server.broadcast.hub.log.head().offset == 0)
        }
    }

    @Test("nobody publishes past a log that is kept elsewhere")
    func relayed() async throws {
        try await withServer { server, maker in
            let table = InMemoryEventLog()
            _ = server.broadcast.hub.relay(table) { $0 == "order" }
            let token = try await maker.token(.init(publish: ["*"]))
            let answer = try await Self.post(Self.event, server, token: token)
            #expect(answer.status == 403)
            #expect(answer.body.contains("told by the server alone"))
        }
    }

    // MARK: Publishing

    @Test("an event reaches clients and the server's own handlers, as it was written, and its position is answered")
    func single() async throws {
        try await withServer { server, maker in
            let heard = Inbox<BroadcastEvent>()
            _ = try await server.broadcast.subscribe(to: "order") { heard.put($0) }
            let token = try await maker.token(.init(channels: ["order"], publish: ["order"]))
            let socket = try await TestSocket.connect(to: server.url, headers: [("Authorization", "Bearer \(token)")])
            try await socket.subscribe(to: "order")
            let answer = try await Self.post(Self.event, server, token: token)
            let position = server.broadcast.hub.log.head()
            #expect(answer.status == 202)
            #expect(answer.body == #"{"positions":["\#(position)"]}"#)
            #expect(answer.headers.first(name: "Tidings-Position") == position.description)
            #expect(
                try await socket.receive()
                    == #"{"channel":"order","event":"created","payload":{"entity_id":"42","n":1.50}}"#
            )
            #expect(try await heard.next()?.payload.entityID == "42")
            socket.close()
        }
    }

    @Test("several events are published in their order, one without a name as updated")
    func batch() async throws {
        try await withServer { server, maker in
            let token = try await maker.token(.init(channels: ["*"], publish: ["*"]))
            let socket = try await TestSocket.connect(to: server.url, headers: [("Authorization", "Bearer \(token)")])
            try await socket.subscribe(to: "a", "b")
            let events = (1...6).map { "{\"channel\":\"\($0 % 2 == 0 ? "a" : "b")\",\"payload\":{\"n\":\($0)}}" }
            let answer = try await Self.post(
                "{\"events\":[\(events.joined(separator: ","))]}",
                server,
                token: token
            )
            let epoch = server.broadcast.hub.log.head().epoch
            #expect(answer.status == 202)
            #expect(
                answer.body == "{\"positions\":[\((1...6).map { "\"\(epoch):\($0)\"" }.joined(separator: ","))]}"
            )
            var received: [String] = []
            for _ in events { received.append(try await socket.receive()) }
            #expect(received.contains(#"{"channel":"b","event":"updated","payload":{"n":1}}"#))
            for channel in ["a", "b"] {
                let own = received.filter { $0.contains("\"channel\":\"\(channel)\"") }
                #expect(own == own.sorted() && own.count == 3)
            }
            socket.close()
        }
    }

    // MARK: Bodies

    @Test(
        "a body that publishes nothing is refused",
        arguments: [
            ("", 400, "bad_json"), ("x", 400, "bad_json"), ("[]", 400, "bad_request"), ("{}", 400, "bad_request"),
            (#"{"events":[]}"#, 400, "bad_request"), (#"{"events":{}}"#, 400, "bad_request"),
            (#"{"events":[1]}"#, 400, "bad_request"),
            (#"{"channel":"order","events":[]}"#, 400, "bad_request"),
            (#"{"channel":"order"}"#, 400, "bad_request"), (#"{"channel":7,"payload":{}}"#, 400, "bad_request"),
            (#"{"channel":"or der","payload":{}}"#, 400, "bad_channel"),
            (#"{"channel":"order","payload":[]}"#, 400, "bad_request"),
            (#"{"channel":"order","event":"a b","payload":{}}"#, 400, "bad_request"),
            (#"{"channel":"order","event":null,"payload":{}}"#, 400, "bad_request"),
        ]
    )
    func malformed(body: String, status: UInt, code: String) async throws {
        try await withServer { server, maker in
            let token = try await maker.token(.init(publish: ["*"]))
            let answer = try await Self.post(body, server, token: token)
            #expect(answer.status == status)
            #expect(answer.body.contains("\"code\":\"\(code)\""))
            #expect(answer.type == "application/problem+json")
            #expect(server.broadcast.hub.log.head().offset == 0)
        }
    }

    @Test("the event of a batch that is wrong is named by its place")
    func wrongOfBatch() async throws {
        try await withServer { server, maker in
            let token = try await maker.token(.init(publish: ["*"]))
            let body = #"{"events":[{"channel":"a","payload":{}},{"channel":"a b","payload":{}}]}"#
            let answer = try await Self.post(body, server, token: token)
            #expect(answer.status == 400)
            #expect(answer.body.contains(#""index":1"#))
        }
    }

    @Test("limits: the body, the events, the payload, the type of the body")
    func limits() async throws {
        var limits = PublishingLimits()
        limits.events = 2
        limits.bodyBytes = 100_000
        try await withServer(limits: limits) { server, maker in
            let token = try await maker.token(.init(publish: ["*"]))
            let one = #"{"channel":"a","payload":{}}"#
            let large = String(repeating: "x", count: 70_000)
            for (body, status) in [
                ("{\"events\":[\(one),\(one)]}", 202), ("{\"events\":[\(one),\(one),\(one)]}", 413),
                ("{\"channel\":\"a\",\"payload\":{\"x\":\"\(large)\"}}", 413),
                ("{\"channel\":\"a\",\"payload\":{\"x\":\"\(large)\(large)\"}}", 413),
            ] as [(String, UInt)] {
                let answer = try await Self.post(body, server, token: token)
                #expect(answer.status == status)
                if status == 413 { #expect(answer.body.contains("too_large")) }
            }
            #expect(try await Self.post(one, server, token: token, type: "text/plain").status == 415)
            #expect(server.broadcast.hub.log.head().offset == 2)
        }
    }

    @Test("faster than it may nobody publishes; the answer says when to come back, and nothing was published")
    func rate() async throws {
        var limits = PublishingLimits()
        // As many come back in more than any test takes.
        (limits.eventsPerSecond, limits.eventBurst) = (1, 90)
        try await withServer(limits: limits) { server, maker in
            let token = try await maker.token(.init(publish: ["*"]))
            let other = try await maker.token(.init(sub: "43", publish: ["*"]))
            let one = #"{"channel":"a","payload":{}}"#
            let many = "{\"events\":[\(Array(repeating: one, count: 90).joined(separator: ","))]}"
            #expect(try await Self.post(many, server, token: token).status == 202)
            let key = [("Idempotency-Key", "k-1")]
            let refused = try await Self.post(many, server, token: token, headers: key)
            #expect(refused.status == 429)
            #expect(refused.type == "application/problem+json")
            #expect(refused.body.contains(#""code":"rate_limited""#))
            let wait = try #require(refused.headers.first(name: "Retry-After").flatMap { Int($0) })
            #expect((1...90).contains(wait))
            #expect(server.broadcast.hub.log.head().offset == 90)
            // Somebody else is not held up, and what may not be published does not count.
            #expect(try await Self.post(one, server, token: other).status == 202)
            #expect(try await Self.post("{\"channel\":\"a\",\"payload\":[]}", server, token: token).status == 400)
            #expect(server.broadcast.hub.log.head().offset == 91)
        }
    }

    // MARK: Again

    @Test("a request that comes again with its key is answered the same, and publishes nothing")
    func idempotency() async throws {
        try await withServer { server, maker in
            let token = try await maker.token(.init(publish: ["*"]))
            let other = try await maker.token(.init(sub: "43", publish: ["*"]))
            let key = [("Idempotency-Key", "k-1")]
            let first = try await Self.post(Self.event, server, token: token, headers: key)
            let again = try await Self.post(Self.event, server, token: token, headers: key)
            #expect((first.status, first.body) == (202, again.body))
            #expect(again.status == 202)
            #expect(server.broadcast.hub.log.head().offset == 1)
            let reused = try await Self.post(#"{"channel":"a","payload":{}}"#, server, token: token, headers: key)
            #expect(reused.status == 422)
            #expect(reused.body.contains("idempotency_key_reused"))
            #expect(try await Self.post(Self.event, server, token: other, headers: key).status == 202)
            #expect(server.broadcast.hub.log.head().offset == 2)
            let bad = try await Self.post(Self.event, server, token: token, headers: [("Idempotency-Key", "a b")])
            #expect(bad.status == 400)
        }
    }

    @Test("one that could only be published in part goes on where it failed when it comes again")
    func partly() async throws {
        try await withServer(underlying: FlakyBackend(accepting: 2, refusing: 2)) { server, maker in
            let token = try await maker.token(.init(publish: ["*"]))
            let events = (1...4).map { "{\"channel\":\"a\",\"payload\":{\"n\":\($0)}}" }.joined(separator: ",")
            let body = "{\"events\":[\(events)]}"
            let key = [("Idempotency-Key", "k-1")]
            for _ in 0..<2 {
                let failed = try await Self.post(body, server, token: token, headers: key)
                #expect(failed.status == 503)
                #expect(failed.body.contains(#""published":2"#))
                #expect(failed.headers.first(name: "Retry-After") == "1")
            }
            let done = try await Self.post(body, server, token: token, headers: key)
            let epoch = server.broadcast.hub.log.head().epoch
            #expect(done.body == "{\"positions\":[\((1...4).map { "\"\(epoch):\($0)\"" }.joined(separator: ","))]}")
            #expect(server.broadcast.hub.log.head().offset == 4)
        }
    }

    // MARK: Traces

    @Test("what a request publishes, or its route broadcasts, has the request's trace, or else its name in the log")
    func traces() async throws {
        let backends = Inbox<WebSocketBroadcastBackend>()
        let router = Router()
        router.get("tell") { _, context in
            guard let broadcast = try await backends.next() else { throw TestFailure("there is no backend") }
            try await broadcast.broadcast("updated", on: "order")
            return "\(context.logger[metadataKey: "hb.request.id"] ?? "none")"
        }
        try await withServer(router: router) { server, maker in
            let token = try await maker.token(.init(channels: ["*"], publish: ["*"]))
            let socket = try await TestSocket.connect(
                to: "ws://127.0.0.1:\(server.port)/ws",
                headers: [("Authorization", "Bearer \(token)")]
            )
            socket.send(#"{"action":"subscribe","topic":"order"}"#)
            #expect(try await socket.receive().contains("subscribed"))
            let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
            let parent = [("traceparent", "00-\(trace)-00f067aa0ba902b7-01")]
            _ = try await Self.post(Self.event, server, token: token, headers: parent)
            #expect(try await socket.receive().contains("\"trace_id\":\"\(trace)\""))
            _ = try await Self.post(Self.event, server, token: token)
            #expect(try await socket.receive().contains("\"trace_id\":\""))
            for headers in [HTTPHeaders(parent), HTTPHeaders()] {
                backends.put(server.broadcast)
                let answer = try await EndpointTests.get("/tell", server, headers: headers)
                let name = answer.body
                #expect(answer.headers["X-Request-Id"] == [name])
                let expected = headers.isEmpty ? name : trace
                #expect(try await socket.receive().contains("\"trace_id\":\"\(expected)\""))
            }
            socket.close()
        }
    }
}
