import RedisTestSupport
import SocketTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsRedis
import TidingsTesting
import TidingsWire

@Suite("What other programs publish", .needsRedis, .timeLimit(.patience))
struct PublishedElsewhereTests {
    @Test("a plain PUBLISH reaches clients and handlers of every node, without a position")
    func plain() async throws {
        let (server, configuration) = (try await SharedRedis.server, try await SharedRedis.configuration())
        try await withNodes([configuration, configuration]) { nodes in
            let recorder = EventRecorder()
            _ = try await nodes[1].broadcast.subscribe(to: "order", handler: recorder.handler)
            let clients = [try await nodes[0].connect(), try await nodes[1].connect()]
            for client in clients { try await client.subscribe("order") }
            try await server.run(
                "publish",
                "\(configuration.prefix)order",
                #"{"event":"updated","payload":{"entity_id":"7"}}"#
            )
            for client in clients {
                let event = try await client.event()
                #expect(event.name == "updated")
                #expect(event.payload.entityID == "7")
                #expect(event.position == nil)
            }
            #expect(try await recorder.events(atLeast: 1).map(\.payload.entityID) == ["7"])
        }
    }

    @Test("after one, its channel is not recovered from before it, on the nodes that heard it and on others")
    func notRecovered() async throws {
        let (server, configuration) = (try await SharedRedis.server, try await SharedRedis.configuration())
        try await withNodes([configuration, configuration, configuration]) { nodes in
            let client = try await nodes[0].connect()
            try await client.subscribe("order")
            try await client.subscribe("quiet")
            try await nodes[0].broadcast.broadcast("one", on: "order")
            let known = try #require(try await client.event().position)
            try await server.run("publish", "\(configuration.prefix)order", #"{"event":"raw"}"#)
            #expect(try await client.event().name == "raw")
            try await nodes[0].broadcast.broadcast("two", on: "order")
            let later = try #require(try await client.event().position)
            // Whoever heard it has said so by now: the answer to its next command came after.
            _ = try await nodes[0].redis.head()
            for node in nodes {
                let again = try await node.connect()
                #expect(try await again.subscribe("order", since: known).recovered == false)
                #expect(try await again.subscribe("quiet", since: known).recovered)
                await again.drop()
            }
            let again = try await nodes[1].connect()
            #expect(try await again.subscribe("order", since: later).recovered == false)
        }
    }

    @Test(
        "what is no event turns its channel stale, and harms nobody",
        arguments: [
            "", "{", "[]", "hello", #"{"payload":{}}"#, #"{"event":"a b"}"#, #"{"event":"x","payload":[]}"#,
            #"{"event":"x","payload":{"a":}}"#,
        ]
    )
    func unreadable(_ message: String) async throws {
        let (server, configuration) = (try await SharedRedis.server, try await SharedRedis.configuration())
        try await withNodes([configuration]) { nodes in
            let client = try await nodes[0].connect()
            try await client.subscribe("order")
            try await server.run("publish", "\(configuration.prefix)order", message)
            #expect(try await client.event().staleReason == .setAside)
            #expect(nodes[0].redis.status.unreadable == 1)
            try await nodes[0].broadcast.broadcast("after", on: "order")
            #expect(try await client.event().name == "after")
        }
    }

    @Test("what is too large turns its channel stale, and the connection lives on")
    func tooLarge() async throws {
        let (server, configuration) = (try await SharedRedis.server, try await SharedRedis.configuration())
        try await withNodes([configuration]) { nodes in
            let client = try await nodes[0].connect()
            try await client.subscribe("order")
            let script = """
                return redis.call('PUBLISH', ARGV[1], '{"event":"x","payload":{"a":"' .. string.rep('x', ARGV[2]) .. '"}}')
                """
            for size in ["70000", "3000000"] {
                try await server.run("eval", script, "0", "\(configuration.prefix)order", size)
                #expect(try await client.event().staleReason == .setAside)
            }
            try await nodes[0].broadcast.broadcast("after", on: "order")
            #expect(try await client.event().name == "after")
            #expect(nodes[0].redis.status.connections == 1)
        }
    }

    @Test("what reaches no channel of ours is nothing")
    func foreign() async throws {
        let (server, configuration) = (try await SharedRedis.server, try await SharedRedis.configuration())
        try await withNodes([configuration]) { nodes in
            let client = try await nodes[0].connect()
            try await client.subscribe("order")
            for channel in ["order", "\(configuration.prefix)other", "x\(configuration.prefix)order"] {
                try await server.run("publish", channel, #"{"event":"x"}"#)
            }
            try await nodes[0].broadcast.broadcast("after", on: "order")
            #expect(try await client.event().name == "after")
        }
    }
}
