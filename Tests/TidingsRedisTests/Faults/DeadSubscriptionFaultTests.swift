import Foundation
import RedisTestSupport
import SocketTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsRedis
import TidingsTesting
import TidingsWire

/// How long a fault may stay unnoticed. Held against the clock by `make faults` alone: a busy machine has its own time.
func expectInTime(since start: ContinuousClock.Instant, _ location: SourceLocation = #_sourceLocation) {
    guard ProcessInfo.processInfo.environment["FAULTS"] == "full" else { return }
    #expect(ContinuousClock.now - start < .seconds(5), sourceLocation: location)
}

@Suite("A connection that is dead is noticed, whatever its sockets look like", .needsRedis, .timeLimit(.patience))
struct DeadSubscriptionFaultTests {
    @Test("without being told otherwise a fault stays unnoticed for less than five seconds")
    func times() {
        let configuration = RedisConfiguration()
        #expect(configuration.probeInterval + configuration.probeTimeout < .seconds(5))
    }

    @Test(
        "a proxy that loses something: noticed in time, and everybody refetches when it is mended",
        arguments: [FaultyProxy.Loss.everything, .answersOnMarked, .requests],
        [true, false]
    )
    func losing(_ fault: FaultyProxy.Loss, hasTraffic: Bool) async throws {
        let server = try await SharedRedis.server
        let proxy = try await FaultyProxy(to: server.port, marking: "SUBSCRIBE")
        var configuration = try await SharedRedis.configuration(isPatient: false)
        let direct = configuration
        configuration.endpoints = [.host("127.0.0.1", port: proxy.port)]
        try await withNodes([configuration, direct]) { nodes in
            let (client, other, recorder) = (
                try await nodes[0].connect(), try await nodes[1].connect(), EventRecorder()
            )
            for client in [client, other] { try await client.subscribe("order") }
            _ = try await nodes[0].redis.subscribe(to: "order", handler: recorder.handler)
            try await nodes[1].broadcast.broadcast("before", on: "order")
            #expect(try await client.event().name == "before")
            proxy.lose(fault)
            let start = ContinuousClock.now
            if hasTraffic {
                // A publish on the dead node fails; one on the other node is missed by it, and by nobody else.
                try await nodes[1].broadcast.broadcast("missed", on: "order")
                _ = try? await nodes[0].broadcast.broadcast("lost", on: "other")
            }
            try await nodes[0].wait(for: "noticed") { !$0.isConnected }
            expectInTime(since: start)
            await #expect(throws: BroadcastError.self) { try await nodes[0].redis.checkHealth() }
            #expect(nodes[0].redis.status.failure != nil)
            proxy.lose(.nothing)
            try await nodes[0].wait(for: "connected again", \.isConnected)
            // Where only requests are lost, what others publish is still heard.
            let isHeard = fault == .requests && hasTraffic
            if isHeard { #expect(try await client.event().name == "missed") }
            #expect(try await client.event().staleReason == .backendRestored)
            let expected: [EventName] = isHeard ? ["before", "missed", "stale"] : ["before", "stale"]
            #expect(try await recorder.events(atLeast: expected.count).map(\.name) == expected)
            try await nodes[0].broadcast.broadcast("after", on: "order")
            #expect(try await client.event().name == "after")
            let heard = try await other.events(hasTraffic ? 3 : 2)
            #expect(heard.map(\.name) == (hasTraffic ? ["before", "missed", "after"] : ["before", "after"]))
        }
    }

    @Test("who was away meanwhile is told exactly what happened, on the node that missed it too")
    func replayAfterwards() async throws {
        let server = try await SharedRedis.server
        let proxy = try await FaultyProxy(to: server.port, marking: "SUBSCRIBE")
        var configuration = try await SharedRedis.configuration(isPatient: false)
        let direct = configuration
        configuration.endpoints = [.host("127.0.0.1", port: proxy.port)]
        try await withNodes([configuration, direct]) { nodes in
            let (client, holder) = (try await nodes[0].connect(), try await nodes[0].connect())
            try await holder.subscribe("order")
            try await client.subscribe("order")
            try await nodes[1].broadcast.broadcast("before", on: "order")
            let known = try await client.event().position
            await client.drop()
            proxy.lose(.answersOnMarked)
            try await nodes[1].broadcast.broadcast("missed", on: "order")
            try await nodes[0].wait(for: "noticed") { !$0.isConnected }
            proxy.lose(.nothing)
            try await nodes[0].wait(for: "connected again", \.isConnected)
            let again = try await nodes[0].connect()
            #expect(try await again.subscribe("order", since: known).recovered)
            #expect(try await again.event().name == "missed")
        }
    }

    @Test("CLIENT KILL TYPE pubsub: noticed at once, and nothing is lost without being told")
    func killed() async throws {
        let server = try await RedisServer.start()
        let configuration = server.configuration()
        try await withNodes([configuration, configuration]) { nodes in
            let clients = [try await nodes[0].connect(), try await nodes[1].connect()]
            for client in clients { try await client.subscribe("order") }
            try await server.run("client", "kill", "type", "pubsub")
            for node in nodes { try await node.wait(for: "connected again") { $0.isConnected && $0.connections >= 2 } }
            for client in clients { #expect(try await client.event().staleReason == .backendRestored) }
            try await nodes[0].broadcast.broadcast("after", on: "order")
            for client in clients { #expect(try await client.event().name == "after") }
        }
    }

    @Test("under traffic, what is not told is told as stale: positions prove it")
    func killedUnderTraffic() async throws {
        let server = try await RedisServer.start()
        let configuration = server.configuration()
        try await withNodes(
            [configuration, configuration],
            { $0.delivery = { _ in .stream } },
            { nodes in
                let client = try await nodes[1].connect()
                let first = try #require(try await client.subscribe("order").position?.offset)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for number in 0..<600 {
                            if number % 150 == 75 { try await server.run("client", "kill", "type", "pubsub") }
                            // While the publishing node is away it fails; then it is tried again.
                            while (try? await nodes[0].broadcast.broadcast("n", on: "order")) == nil {
                                try await Task.sleep(for: .milliseconds(5))
                            }
                        }
                        // One that is told while the other node is away is not the end.
                        while !Task.isCancelled {
                            _ = try? await nodes[0].broadcast.broadcast("end", on: "order")
                            try? await Task.sleep(for: .milliseconds(20))
                        }
                    }
                    var (last, stale) = (first, 0)
                    while true {
                        let event = try await client.event()
                        if event.isStale {
                            stale += 1
                            last = max(last, event.position?.offset ?? last)
                            continue
                        }
                        let offset = try #require(event.position?.offset)
                        #expect(offset == last + 1, "an event is missing, and nobody was told")
                        last = offset
                        if event.name == "end" { break }
                    }
                    #expect((1...4).contains(stale))
                    group.cancelAll()
                }
            }
        )
    }

    @Test("a Redis that stands still is noticed, and is used again when it goes on")
    func frozen() async throws {
        let server = try await RedisServer.start()
        try await withNodes([server.configuration(isPatient: false)]) { nodes in
            let client = try await nodes[0].connect()
            try await client.subscribe("order")
            server.freeze()
            let start = ContinuousClock.now
            try await nodes[0].wait(for: "noticed") { !$0.isConnected }
            expectInTime(since: start)
            server.thaw()
            #expect(try await client.event().staleReason == .backendRestored)
            try await nodes[0].broadcast.broadcast("after", on: "order")
            #expect(try await client.event().name == "after")
        }
    }

    @Test("a server that accepts and never answers is given up, and tried again")
    func neverAnswers() async throws {
        let server = try await SharedRedis.server
        let proxy = try await FaultyProxy(to: server.port, marking: "SUBSCRIBE")
        proxy.lose(.everything)
        var configuration = try await SharedRedis.configuration()
        configuration.endpoints = [.host("127.0.0.1", port: proxy.port)]
        configuration.connectTimeout = .milliseconds(200)
        try await withBackend(configuration, isReady: false) { backend in
            try await eventually("given up") { backend.status.failure?.code == .silent }
            let error = await #expect(throws: BroadcastError.self) { try await backend.checkHealth() }
            #expect(error?.code == .unavailable)
            proxy.lose(.nothing)
            try await eventually("connected") { backend.status.isConnected }
            try await backend.checkHealth()
        }
    }
}
