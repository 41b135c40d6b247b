import Foundation
import RedisTestSupport
import SocketTestSupport
import TestSupport
import Testing
import TidingsWire

@Suite("Servers that share a Redis", .needsRedis, .timeLimit(.patience))
struct ServeNodesTests {
    @Test(
        "what is published on any of them, in either way, reaches every subscriber on all of them once",
        arguments: [2, 3]
    )
    func everywhere(_ count: Int) async throws {
        let redis = try await RedisServer.start()
        let nodes = try await ServeNodes.start(count, on: redis)
        var clients: [NodeClient] = []
        for server in nodes.servers {
            for _ in 0..<2 { clients.append(try await NodeClient(to: server)) }
        }
        var expected: [String] = []
        for (number, server) in nodes.servers.enumerated() {
            for turn in 0..<10 {
                let name = "n\(number).\(turn)"
                #expect(await server.post(name, on: "order") != nil)
                expected.append(name)
            }
            _ = try await server.publish("command\(number)", on: "order")
            expected.append("command\(number)")
        }
        for client in clients {
            for _ in expected { try await client.next() }
            try await client.expectNothing()
            #expect(client.account.heard == expected)
            #expect(client.account.refetches == 0)
        }
        try await nodes.stop()
    }

    @Test("who goes from one to the next under traffic, with its position, misses nothing and hears nothing twice")
    func moving() async throws {
        let redis = try await RedisServer.start()
        let nodes = try await ServeNodes.start(3, on: redis)
        let (client, traffic) = (try await NodeClient(to: nodes[0]), Traffic())
        try await traffic.run(on: nodes.servers) {
            for number in 1...12 {
                for _ in 0..<10 { try await client.next() }
                try await client.move(to: nodes[number])
                #expect(client.lastAnswer?.recovered == true)
            }
        }
        try await traffic.insist("end", on: nodes[0])
        try await client.hear(until: "end")
        try await client.expectNothing()
        #expect(client.account.refetches == 0)
        #expect(Set(client.account.heard).count == client.account.heard.count)
        #expect(Set(client.account.heard).isSuperset(of: traffic.published.map(\.name)))
        try await nodes.stop()
    }

    @Test(
        "a request with an Idempotency-Key comes again at another one, after the first was killed: it is published once"
    )
    func idempotency() async throws {
        let redis = try await RedisServer.start()
        let nodes = try await ServeNodes.start(2, on: redis)
        let client = try await NodeClient(to: nodes[1])
        let headers = ["Content-Type: application/json", "Idempotency-Key: import-7"]
        let body =
            #"{"events":[{"channel":"order","event":"a","payload":{}},{"channel":"order","event":"b","payload":{}}]}"#
        let first = try await nodes[0].request("POST /broadcast", headers, body)
        #expect(first.hasPrefix("HTTP/1.1 202"))
        nodes[0].program.kill()
        let again = try await nodes[1].request("POST /broadcast", headers, body)
        #expect(again.hasPrefix("HTTP/1.1 202"))
        #expect(again.components(separatedBy: "\r\n\r\n").last == first.components(separatedBy: "\r\n\r\n").last)
        let other = try await nodes[1].request("POST /broadcast", headers, body.replacing("order", with: "menu"))
        #expect(other.hasPrefix("HTTP/1.1 422") && other.contains("idempotency_key_reused"))
        #expect(await nodes[1].post("end", on: "order") != nil)
        try await client.hear(until: "end")
        #expect(client.account.heard == ["a", "b", "end"])
        client.close()
        #expect(try await nodes[1].stop() == 0)
    }

    @Test("after a plain PUBLISH, which has no position, who comes back to any of them is not recovered")
    func publishedPastTheLog() async throws {
        let redis = try await RedisServer.start()
        let nodes = try await ServeNodes.start(2, on: redis)
        let client = try await NodeClient(to: nodes[0])
        #expect(await nodes[1].post("before", on: "order") != nil)
        try await client.hear(until: "before")
        let known = client.account.position
        try await redis.run("publish", "tidings:order", #"{"event":"raw","payload":{"entity_id":"7"}}"#)
        let raw = try await client.next()
        #expect(raw.name == "raw" && raw.position == nil)
        #expect(client.account.position == known)
        #expect(await nodes[1].post("after", on: "order") != nil)
        try await client.hear(until: "after")
        // Somebody who was away meanwhile, with what is known from before.
        for server in nodes.servers {
            let other = try await TestSocket.connect(to: server.url, subprotocols: ["tidings.v1"])
            _ = try await other.receive()
            other.send(#"{"id":1,"subscribe":["order"],"since":{"order":"\#(known)"}}"#)
            #expect(try await other.receive().contains(#""recovered":false"#))
            other.close()
        }
        client.close()
        try await nodes.stop()
    }
}
