import RedisTestSupport
import SocketTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsRedis
import TidingsTesting
import TidingsWire

@Suite("A Redis that goes away, comes back or becomes another", .needsRedis, .timeLimit(.patience))
struct LostServerFaultTests {
    @Test(
        "a restart makes everybody refetch, and begins a new epoch, whether Redis kept its data or not",
        arguments: [true, false]
    )
    func restart(isPersistent: Bool) async throws {
        let server = try await RedisServer.start(isPersistent: isPersistent)
        let configuration = server.configuration()
        try await withNodes([configuration, configuration]) { nodes in
            let clients = [try await nodes[0].connect(), try await nodes[1].connect()]
            for client in clients { try await client.subscribe("order") }
            try await nodes[0].broadcast.broadcast("before", on: "order")
            var known: EventPosition?
            for client in clients { known = try await client.event().position }
            await server.kill()
            for node in nodes { try await node.wait(for: "noticed") { !$0.isConnected } }
            let error = await #expect(throws: BroadcastError.self) {
                try await nodes[0].broadcast.broadcast("away", on: "order")
            }
            #expect(error?.code == .unavailable)
            try await server.restart()
            for node in nodes { try await node.wait(for: "connected again", \.isConnected) }
            for client in clients { #expect(try await client.event().isStale) }
            try await nodes[0].broadcast.broadcast("after", on: "order")
            for client in clients {
                var event = try await client.event()
                // A new epoch and a new connection are two reasons.
                while event.isStale { event = try await client.event() }
                #expect(event.name == "after")
                #expect(event.position?.epoch != known?.epoch)
            }
            for node in nodes {
                let again = try await node.connect()
                #expect(try await again.subscribe("order", since: known).recovered == false)
            }
        }
    }

    @Test(
        "REPLICAOF under it: the node moves to the new primary in time, with and without traffic",
        arguments: [true, false]
    )
    func replicaOf(hasTraffic: Bool) async throws {
        let (first, second) = (try await RedisServer.start(), try await RedisServer.start())
        try await second.run("replicaof", "127.0.0.1", "\(first.port)")
        var configuration = first.configuration()
        configuration.endpoints.append(.host("127.0.0.1", port: second.port))
        try await withNodes([configuration, configuration]) { nodes in
            let clients = [try await nodes[0].connect(), try await nodes[1].connect()]
            for client in clients { try await client.subscribe("order") }
            try await nodes[0].broadcast.broadcast("before", on: "order")
            for client in clients { #expect(try await client.event().name == "before") }
            try await eventually("the replica has it") { try await second.run("dbsize") != "0" }
            try await second.run("replicaof", "no", "one")
            try await first.run("replicaof", "127.0.0.1", "\(second.port)")
            let start = ContinuousClock.now
            if hasTraffic {
                let error = await #expect(throws: BroadcastError.self) {
                    try await nodes[0].broadcast.broadcast("refused", on: "order")
                }
                #expect((error?.cause as? RedisError)?.code == .readOnly)
            }
            for node in nodes { try await node.wait(for: "moved") { $0.isConnected && $0.connections >= 2 } }
            expectInTime(since: start)
            for client in clients { #expect(try await client.event().isStale) }
            try await nodes[1].broadcast.broadcast("after", on: "order")
            for client in clients {
                var event = try await client.event()
                while event.isStale { event = try await client.event() }
                #expect(event.name == "after")
            }
        }
    }

    @Test("a publish that a replica refuses waits for the new primary, where it may")
    func waitingForThePrimary() async throws {
        let (first, second) = (try await RedisServer.start(), try await RedisServer.start())
        var configuration = first.configuration()
        configuration.endpoints.append(.host("127.0.0.1", port: second.port))
        configuration.whileAway = .waits(upTo: .seconds(20))
        try await withBackend(configuration) { backend in
            try await first.run("replicaof", "127.0.0.1", "\(second.port)")
            for name: EventName in ["one", "two"] { try await backend.broadcast(name, on: "order") }
            #expect(try await second.run("xlen", "t:events:order") == "2")
        }
    }

    @Test("a replica is passed over, whichever it is in the list")
    func replicaFirst() async throws {
        let (primary, replica) = (try await RedisServer.start(), try await RedisServer.start())
        try await replica.run("replicaof", "127.0.0.1", "\(primary.port)")
        var configuration = replica.configuration()
        configuration.endpoints.append(.host("127.0.0.1", port: primary.port))
        try await withBackend(configuration) { backend in
            try await backend.broadcast("updated", on: "order")
            #expect(try await primary.run("exists", "t:log") == "1")
        }
    }

    @Test("a primary that was a replica for a moment, and lost something, begins a new epoch")
    func backAndForth() async throws {
        let (server, empty) = (try await RedisServer.start(), try await RedisServer.start())
        var configuration = server.configuration()
        // Between two probes nobody notices.
        configuration.probeInterval = .seconds(20)
        try await withNodes([configuration]) { nodes in
            let client = try await nodes[0].connect()
            let known = try await client.subscribe("order").position
            try await nodes[0].broadcast.broadcast("before", on: "order")
            #expect(try await client.event().name == "before")
            try await server.run("replicaof", "127.0.0.1", "\(empty.port)")
            try await eventually("everything is lost") { try await server.run("dbsize") == "0" }
            try await server.run("replicaof", "no", "one")
            // The offset is one that was given before, in a log that is another.
            try await nodes[0].broadcast.broadcast("after", on: "order")
            var event = try await client.event()
            #expect(event.isStale)
            while event.isStale { event = try await client.event() }
            #expect(event.name == "after")
            #expect(event.position?.epoch != known?.epoch)
        }
    }

    @Test("a log that gives positions again is another one from then on")
    func wentBack() async throws {
        let server = try await RedisServer.start()
        try await withNodes([server.configuration()]) { nodes in
            let (client, recorder) = (try await nodes[0].connect(), EventRecorder())
            let known = try await client.subscribe("order").position
            _ = try await nodes[0].redis.subscribe(to: "order", handler: recorder.handler)
            for _ in 0..<3 { try await nodes[0].broadcast.broadcast("before", on: "order") }
            _ = try await client.events(3)
            try await server.run("hset", "t:log", "offset", "1")
            try await server.run("del", "t:events:order")
            try await nodes[0].broadcast.broadcast("again", on: "order")
            #expect(try await client.event().staleReason == .gap)
            #expect(try await client.event().staleReason == .epoch)
            try await nodes[0].broadcast.broadcast("after", on: "order")
            let event = try await client.event()
            #expect(event.name == "after")
            #expect(event.position?.epoch != known?.epoch)
            #expect(try await recorder.events(atLeast: 6).map(\.name).suffix(3) == ["stale", "stale", "after"])
        }
    }

    @Test("what is missing in front of an event is noticed by its positions")
    func gap() async throws {
        let server = try await RedisServer.start()
        try await withNodes([server.configuration()]) { nodes in
            let client = try await nodes[0].connect()
            try await client.subscribe("order")
            try await nodes[0].broadcast.broadcast("before", on: "order")
            let epoch = try #require(try await client.event().position?.epoch)
            let message = #"{"position":"\#(epoch):9","before":8,"event":"updated","payload":{}}"#
            try await server.run("publish", "t:order", message)
            #expect(try await client.event().staleReason == .gap)
            #expect(try await client.event().position?.offset == 9)
            #expect(nodes[0].redis.status.gaps == 1)
        }
    }

    @Test("FLUSHALL and SCRIPT FLUSH: another epoch, and scripts that are sent again")
    func flushed() async throws {
        let server = try await RedisServer.start()
        try await withNodes([server.configuration()]) { nodes in
            let client = try await nodes[0].connect()
            try await client.subscribe("order")
            try await server.run("script", "flush")
            try await nodes[0].broadcast.broadcast("one", on: "order")
            #expect(try await client.event().name == "one")
            try await server.run("flushall")
            #expect(try await client.event().staleReason == .epoch)
            try await nodes[0].broadcast.broadcast("two", on: "order")
            #expect(try await client.event().name == "two")
        }
    }

    @Test("what one node publishes while another is away is told by the other as stale, and nothing twice")
    func oneNodeDies() async throws {
        let configuration = try await SharedRedis.configuration()
        try await withNodes([configuration, configuration]) { nodes in
            let client = try await nodes[1].connect()
            try await client.subscribe("order")
            await nodes[0].redis.close()
            let error = await #expect(throws: BroadcastError.self) {
                try await nodes[0].broadcast.broadcast("closed", on: "order")
            }
            #expect(error?.code == .closed)
            try await nodes[1].broadcast.broadcast("after", on: "order")
            #expect(try await client.event().name == "after")
        }
    }
}
