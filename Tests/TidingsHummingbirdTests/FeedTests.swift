import Hummingbird
import SocketTestSupport
import Synchronization
import TestSupport
import Testing
import TidingsBroadcast
import TidingsHummingbird

@Suite("Feeds on live sockets", .timeLimit(.patience))
struct FeedTests {
    private struct Change: Codable, Sendable {
        let id: String
        let status: String
    }

    @Test("whoever connects gets the last values at once, then what changes; the registry runs with the application")
    func feeds() async throws {
        let broadcast = WebSocketBroadcastBackend(hub: BroadcastHub(configuration: .make { _ in }))
        let feeds = FeedRegistry(broadcast)
        let load = Mutex(1)
        let polled = try feeds.declare(
            "load",
            .polling(every: .milliseconds(20), evenBelowOneSecond: true) { load.withLock { $0 } }
        )
        let queue = try feeds.declare("queue", .events(of: Change.self).frame(.flat))
        var endpoints = BroadcastEndpoints.make()
        endpoints.feeds = feeds
        try await TestServer.run(endpoints: endpoints, broadcast: broadcast) { server in
            try await eventually("the first value is told") { polled.status.broadcasts == 1 }
            let every = try await TestSocket.connect(to: "ws://127.0.0.1:\(server.port)/ws/feeds")
            let named = try await TestSocket.connect(to: "ws://127.0.0.1:\(server.port)/ws/feeds?feed=queue&feed=none")
            #expect(try await every.receive() == #"{"type":"load_update","data":1}"#)
            #expect(try await named.receive().contains(#""channel":"none""#))
            try await queue.send(Change(id: "7", status: "completed"))
            for socket in [every, named] {
                #expect(try await socket.receive() == #"{"type":"queue_update","id":"7","status":"completed"}"#)
            }
            load.withLock { $0 = 2 }
            #expect(try await every.receive() == #"{"type":"load_update","data":2}"#)
            try await named.roundTrip()
            #expect(polled.status.broadcasts == 2)

            // In the plain dialect: a channel whose newest value comes with the subscription.
            let plain = try await TestSocket.connect(to: server.url)
            plain.send(#"{"subscribe":["feed:load"]}"#)
            #expect(try await plain.receive() == #"{"channel":"feed:load","event":"update","payload":{"data":2}}"#)
            #expect(try await EndpointTests.get("/readyz", server).status == 200)
            for socket in [every, named, plain] { socket.close() }
        }
    }

    @Test("a server with feeds that nobody runs is not ready, and says which")
    func forgotten() async throws {
        let broadcast = WebSocketBroadcastBackend(hub: BroadcastHub(configuration: .make { _ in }))
        let feeds = FeedRegistry(broadcast)
        try feeds.declare("load", .polling { 1 })
        try await TestServer.run(broadcast: broadcast) { server in
            let answer = try await EndpointTests.get("/readyz", server)
            #expect(answer.status == 503)
            #expect(answer.body.contains("feeds"))
            #expect(try await EndpointTests.get("/ws/feeds", server).status == 404)
        }
    }

    @Test("a server with the feeds of another broadcast backend is not ready")
    func another() async throws {
        var endpoints = BroadcastEndpoints.make()
        endpoints.feeds = FeedRegistry(WebSocketBroadcastBackend())
        try await TestServer.run(endpoints: endpoints) { server in
            let answer = try await EndpointTests.get("/readyz", server)
            #expect(answer.status == 503)
            #expect(answer.body.contains("feeds"))
        }
    }

    @Test("the path can be moved; a plain request is told what it is for; foreign pages are refused")
    func path() async throws {
        let broadcast = WebSocketBroadcastBackend(hub: BroadcastHub(configuration: .make { _ in }))
        var endpoints = BroadcastEndpoints.make()
        endpoints.feeds = FeedRegistry(broadcast)
        endpoints.feedWebSocketPath = "/live/values"
        try await TestServer.run(endpoints: endpoints, broadcast: broadcast) { server in
            #expect(try await EndpointTests.get("/ws/feeds", server).status == 404)
            let answer = try await EndpointTests.get("/live/values", server)
            #expect(answer.status == 426)
            let connection = try await RawConnection.connect(port: server.port)
            try await connection.send(
                UpgradeTests.handshake.replacing("/ws/broadcast", with: "/live/values")
                    .replacing("Host: ", with: "Origin: http://evil.example\r\nHost: ")
            )
            #expect(try await connection.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 403 "))
            await connection.close()
        }
    }
}
