import Foundation
import NIOHTTP1
import SocketTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsHummingbird
import TidingsWire

@Suite("Who reads server-sent events", .timeLimit(.patience))
struct EventStreamIdentityTests {
    private static let target = "/sse/broadcast?channel=order"

    private func withServer<Result: Sendable>(
        connectionsPerSubject: Int? = nil,
        _ body: @Sendable (TestServer, TokenMaker) async throws -> Result
    ) async throws -> Result {
        var hub = BroadcastHub.Configuration.make { $0.connectionsPerSubject = connectionsPerSubject }
        hub.authenticator = try await JWTAuthenticator(keys: .secret(TokenMaker.secret))
        hub.policy = ChannelPolicy(publicChannels: ["menu"])
        let maker = await TokenMaker.secret()
        var endpoints = BroadcastEndpoints.make()
        endpoints.tokenCookie = "session"
        return try await TestServer.run(endpoints: endpoints, hub: hub) { try await body($0, maker) }
    }

    @Test("a token is taken from the header, a cookie or the query")
    func places() async throws {
        try await withServer { server, maker in
            let token = try await maker.token(.init(channels: ["order"]))
            let requests: [(String, [(String, String)])] = [
                (Self.target + "&token=nonsense", [("Authorization", "Bearer \(token)")]),
                (Self.target, [("Cookie", "session=\(token)")]),
                (Self.target + "&token=\(token)", []),
            ]
            for (target, headers) in requests {
                let stream = try await LiveStream.connect(server, target, headers: headers)
                #expect(stream.head.hasPrefix("HTTP/1.1 200 "))
                try await server.broadcast.broadcast("created", on: "order")
                #expect(try await stream.next().data.contains("created"))
                #expect(server.broadcast.hub.connectionCount(of: "42") == 1)
                await stream.close()
                try await eventually("it is gone") { server.broadcast.hub.connectionCount == 0 }
            }
        }
    }

    @Test("without a token, with a bad one, or with one that opens none of the channels, there is no stream")
    func refused() async throws {
        try await withServer { server, maker in
            let token = try await maker.token(.init(channels: ["contact"]))
            for (headers, status, code) in [
                ([], 401, "unauthenticated"), ([("Authorization", "Bearer nonsense")], 401, "unauthenticated"),
                ([("Authorization", "Bearer \(token)")], 403, "forbidden"),
            ] as [([(String, String)], UInt, String)] {
                let answer = try await EndpointTests.get(Self.target, server, headers: HTTPHeaders(headers))
                #expect(answer.status == status)
                #expect(answer.body.contains("\"code\":\"\(code)\""))
                #expect((answer.headers.first(name: "WWW-Authenticate") != nil) == (status == 401))
            }
            #expect(server.broadcast.hub.connectionCount == 0)
        }
    }

    @Test("of several channels the open ones are told, and each other one has its error")
    func partly() async throws {
        try await withServer { server, maker in
            let token = try await maker.token(.init(channels: ["order"]))
            let stream = try await LiveStream.connect(
                server,
                Self.target + "&channel=secret&channel=menu",
                headers: [("Authorization", "Bearer \(token)")]
            )
            let error = try await stream.next().data
            #expect(error.contains(#""code":"forbidden""#) && error.contains(#""channel":"secret""#))
            #expect(server.broadcast.hub.channels == ["order": 1, "menu": 1])
            await stream.close()
        }
    }

    @Test("a subject's connections are limited and can be closed, streams included")
    func subjects() async throws {
        try await withServer(connectionsPerSubject: 1) { server, maker in
            let headers = [("Authorization", "Bearer \(try await maker.token(.init(channels: ["order"])))")]
            let stream = try await LiveStream.connect(server, Self.target, headers: headers)
            let second = try await EndpointTests.get(Self.target, server, headers: HTTPHeaders(headers))
            #expect(second.status == 429)
            #expect(second.body.contains("connection_limit"))
            let end = Date(timeIntervalSinceNow: 60)
            #expect(await server.broadcast.hub.closeSessions(of: "42", keepingOutUntil: end) == 1)
            #expect(try await stream.rest().isEmpty)
            #expect(stream.reader.comments.last == " 4501 closed by an operator")
            let third = try await EndpointTests.get(Self.target, server, headers: HTTPHeaders(headers))
            #expect(third.status == 403)
            #expect(third.body.contains("kept_out"))
        }
    }
}
