import Foundation
import RedisTestSupport
import SocketTestSupport
import TestSupport
import Testing
import TidingsRedis
import TidingsWire

@Suite("Nodes in processes of their own", .needsRedis, .timeLimit(.patience))
struct ProcessFaultTests {
    @Test("kill -9 of a node: its clients go on at another one and miss nothing")
    func killed() async throws {
        let server = try await SharedRedis.server
        let prefix = "p-\(UUID().uuidString.prefix(8)):"
        let nodes = try await [0, 1].mapAsync { _ in try await NodeProcess.start(server, prefix: prefix) }
        let client = try await nodes[0].connect()
        let first = try await client.subscribe("order").position
        for number in 0..<50 { try await nodes[1].publish("n\(number)", on: "order") }
        let seen = try await client.events(20)
        await nodes[0].kill()
        for number in 50..<100 { try await nodes[1].publish("n\(number)", on: "order") }
        let again = try await nodes[1].connect()
        #expect(try await again.subscribe("order", since: seen.last?.position ?? first).recovered)
        #expect(try await again.events(80).map(\.name.rawValue) == (20..<100).map { "n\($0)" })
        // What the dead node published while it died is in the log or was refused; nothing of it is half done.
        let third = try await NodeProcess.start(server, prefix: prefix)
        let other = try await third.connect()
        #expect(try await other.subscribe("order", since: seen.last?.position).recovered)
        #expect(try await other.events(80).map(\.name.rawValue) == (20..<100).map { "n\($0)" })
    }

    @Test("kill -9 of a node in the midst of publishing leaves a log without holes, and no subscription behind")
    func killedWhilePublishing() async throws {
        let server = try await RedisServer.start()
        let nodes = try await [0, 1].mapAsync { _ in try await NodeProcess.start(server, prefix: "t:") }
        let (client, doomed) = (try await nodes[1].connect(), try await nodes[0].connect())
        let start = try #require(try await client.subscribe("order").position)
        try await doomed.subscribe("order")
        async let flooding = nodes[0].say("flood order 100000 100 8")
        let events = try await client.events(500)
        await nodes[0].kill()
        _ = try? await flooding
        #expect(events.compactMap(\.position?.offset) == (1...500).map { start.offset + $0 })
        try await eventually("one subscription is left") {
            try await server.run("pubsub", "numsub", "t:order").hasSuffix("1")
        }
        try await nodes[1].publish("after", on: "order")
        var last = start.offset + 500
        while true {
            let event = try await client.event()
            last += 1
            #expect(event.position?.offset == last)
            if event.name == "after" { break }
        }
    }
}
