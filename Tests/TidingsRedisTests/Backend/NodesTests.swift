import RedisTestSupport
import SocketTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsRedis
import TidingsTesting
import TidingsWire

@Suite("Several nodes on one Redis", .needsRedis, .timeLimit(.patience))
struct NodesTests {
    /// Fewer than Redis keeps of a channel: so who is slow on the way from node to node misses nothing either.
    private static let walkedEvents = 900

    @Test("what is published on any node reaches every subscriber on all of them once", arguments: [2, 3])
    func everywhere(_ count: Int) async throws {
        let configuration = try await SharedRedis.configuration()
        try await withNodes(Array(repeating: configuration, count: count)) { nodes in
            let clients = try await nodes.mapAsync { node in
                [try await node.connect(), try await node.connect()]
            }.flatMap { $0 }
            let recorders = try await nodes.mapAsync { node in
                let recorder = EventRecorder()
                _ = try await node.broadcast.subscribe(to: "order", handler: recorder.handler)
                return recorder
            }
            for client in clients { try await client.subscribe("order") }
            for (number, node) in nodes.enumerated() {
                try await node.broadcast.broadcast("updated", on: "order", ["entity_id": .string("\(number)")])
            }
            try await nodes[0].broadcast.broadcast("end", on: "order")
            let expected = (0..<count).map { "\($0)" }
            var positions: Set<[EventPosition?]> = []
            for client in clients {
                let events = try await client.events(count + 1)
                #expect(events.dropLast().map(\.payload.entityID) == expected)
                #expect(events.last?.name == "end")
                positions.insert(events.map(\.position))
            }
            #expect(positions.count == 1, "positions are the same everywhere")
            for recorder in recorders {
                let events = try await recorder.events(atLeast: count + 1)
                #expect(events.map(\.position) == positions.first)
            }
        }
    }

    @Test("what a client publishes reaches clients and handlers of every node, and the client its position")
    func clientsPublish() async throws {
        let configuration = try await SharedRedis.configuration()
        try await withNodes([configuration, configuration]) { nodes in
            let recorders = [EventRecorder(), EventRecorder()]
            for (node, recorder) in zip(nodes, recorders) {
                _ = try await node.broadcast.subscribe(to: "bell", handler: recorder.handler)
            }
            let (publisher, hearer) = (try await nodes[0].connect(), try await nodes[1].connect())
            try await hearer.subscribe("bell")
            let request = PublishRequest(channel: "bell", name: "rung", payload: ["entity_id": "1"])
            let reply = try await publisher.ask(ClientMessage(publish: request))
            let event = try await hearer.event()
            #expect(event.name == "rung")
            #expect(reply.published != nil)
            #expect(event.position == reply.published)
            for recorder in recorders { #expect(try await recorder.events(atLeast: 1).map(\.name) == ["rung"]) }
        }
    }

    @Test("an event on several channels has one position, and everything that belongs to it travels")
    func severalChannels() async throws {
        let configuration = try await SharedRedis.configuration()
        try await withNodes([configuration, configuration]) { nodes in
            let (client, recorder) = (try await nodes[1].connect(), EventRecorder())
            for channel: ChannelName in ["order", "order:1", "table:7"] { try await client.subscribe(channel) }
            _ = try await nodes[1].redis.subscribe(to: "order:1", handler: recorder.handler)
            var event = BroadcastEvent(channel: "order", name: "updated", payload: ["entity_id": "1"])
            (event.traceID, event.userID, event.topicName) = ("trace", "u1", "CHANGED")
            try await nodes[0].broadcast.broadcast(event, alsoOn: ["order:1", "table:7"])
            let events = try await client.events(3)
            #expect(Set(events.map(\.channel)) == ["order", "order:1", "table:7"])
            #expect(Set(events.map(\.position)).count == 1)
            let heard = try #require(try await recorder.events(atLeast: 1).first)
            #expect(heard.traceID == "trace")
            #expect(heard.userID == "u1")
            #expect(heard.topicName == "CHANGED")
            #expect(heard.time != nil)
        }
    }

    @Test("a client that moves between nodes misses nothing, whether the other node knew the channel or not")
    func moving() async throws {
        let configuration = try await SharedRedis.configuration()
        try await withNodes([configuration, configuration, configuration]) { nodes in
            let holder = try await nodes[1].connect()
            try await holder.subscribe("order")
            let client = try await nodes[0].connect()
            try await client.subscribe("order")
            for number in 0..<5 {
                try await nodes[2].broadcast.broadcast("updated", on: "order", ["n": .integer(number)])
            }
            let seen = try await client.events(5)
            await client.drop()
            for number in 5..<25 {
                try await nodes[2].broadcast.broadcast("updated", on: "order", ["n": .integer(number)])
            }
            let last = seen[4].position
            for node in nodes {
                let again = try await node.connect()
                let subscribed = try await again.subscribe("order", since: last)
                #expect(subscribed.recovered)
                let missed = try await again.events(20)
                #expect(missed.map(\.payload) == (5..<25).map { ["n": .integer($0)] })
                try await nodes[0].broadcast.broadcast("end", on: "order")
                #expect(try await again.event().name == "end")
                await again.drop()
            }
        }
    }

    @Test("a channel without events is recovered too, on every node")
    func quiet() async throws {
        let configuration = try await SharedRedis.configuration()
        try await withNodes([configuration, configuration]) { nodes in
            let client = try await nodes[0].connect()
            let position = try #require(try await client.subscribe("order:9").position)
            for _ in 0..<20 { try await nodes[0].broadcast.broadcast("updated", on: "other") }
            for node in nodes {
                let again = try await node.connect()
                #expect(try await again.subscribe("order:9", since: position).recovered)
            }
        }
    }

    @Test("the newest event of a snapshot channel is given at once on every node, also on one that did not hear it")
    func snapshots() async throws {
        let configuration = try await SharedRedis.configuration()
        try await withNodes(
            [configuration, configuration],
            { $0.delivery = { _ in .snapshot } },
            { nodes in
                for name: EventName in ["one", "two"] { try await nodes[0].broadcast.broadcast(name, on: "feed:a") }
                for node in nodes {
                    let client = try await node.connect()
                    try await client.subscribe("feed:a")
                    #expect(try await client.event().name == "two")
                }
                let client = try await nodes[1].connect()
                try await client.subscribe("feed:b")
                try await nodes[0].broadcast.broadcast("three", on: "feed:b")
                #expect(try await client.event().name == "three")
            }
        )
    }

    @Test("moving all the time under traffic loses nothing, doubles nothing and keeps the order")
    func walking() async throws {
        let configuration = try await SharedRedis.configuration()
        try await withNodes(
            [configuration, configuration, configuration],
            { $0.delivery = { _ in .stream } },
            { nodes in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for number in 0..<Self.walkedEvents {
                            try await nodes[number % 3].broadcast.broadcast(EventName("n\(number)"), on: "order")
                        }
                    }
                    for walker in 0..<4 {
                        group.addTask { try await Self.walk(nodes, from: walker) }
                    }
                    try await group.waitForAll()
                }
            }
        )
    }

    private static func walk(_ nodes: [TestNode], from start: Int) async throws {
        var known: EventPosition?
        var heard: [Int] = []
        var node = start
        while heard.last != Self.walkedEvents - 1 {
            let client = try await nodes[node % nodes.count].connect()
            let subscribed = try await client.subscribe("order", since: known)
            if known == nil { known = subscribed.position } else { #expect(subscribed.recovered) }
            for _ in 0..<100 where heard.last != Self.walkedEvents - 1 {
                let event = try await client.event()
                heard.append(Int(event.name.rawValue.dropFirst()) ?? -1)
                known = event.position
            }
            await client.drop()
            node += 1
        }
        let first = try #require(heard.first)
        #expect(heard == Array(first..<Self.walkedEvents), "walker \(start)")
    }

    @Test("a node subscribes only to the channels that its clients hold")
    func demand() async throws {
        let (server, configuration) = (try await SharedRedis.server, try await SharedRedis.configuration())
        @Sendable func subscribers(_ channel: String) async throws -> Int {
            let answer = try await server.run("pubsub", "numsub", configuration.prefix + channel)
            return Int(answer.split(separator: "\n").last ?? "") ?? -1
        }
        try await withNodes([configuration, configuration]) { nodes in
            #expect(try await subscribers("order") == 0)
            let clients = [try await nodes[0].connect(), try await nodes[0].connect(), try await nodes[1].connect()]
            try await clients[0].subscribe("order")
            #expect(try await subscribers("order") == 1)
            try await clients[1].subscribe("order")
            #expect(try await subscribers("order") == 1)
            try await clients[2].subscribe("order")
            #expect(try await subscribers("order") == 2)
            _ = try await clients[0].ask(ClientMessage(unsubscribe: ["order"]))
            #expect(try await subscribers("order") == 2)
            await clients[1].drop()
            try await eventually("one node has left") { try await subscribers("order") == 1 }
            await clients[2].drop()
            try await eventually("both nodes have left") { try await subscribers("order") == 0 }
        }
    }
}
