import Foundation
import Logging
import RedisTestSupport
import SocketTestSupport
import TestSupport
import Testing
import TidingsClient
import TidingsRedis
import TidingsWire

/// How long a fault may stay unnoticed. Held against the clock by `make faults` alone: a busy machine has its own time.
private func expectInTime(since start: ContinuousClock.Instant, _ location: SourceLocation = #_sourceLocation) {
    guard ProcessInfo.processInfo.environment["FAULTS"] == "full" else { return }
    #expect(ContinuousClock.now - start < .seconds(5), sourceLocation: location)
}

/// Each test has servers as they are by default, traffic on all of them, and clients that account for every position.
@Suite("Servers that share a Redis, when something goes wrong", .needsRedis, .timeLimit(.patience))
struct ServeNodesFaultTests {
    @Test("what is set by default notices a fault within five seconds")
    func times() {
        let configuration = RedisConfiguration()
        #expect(configuration.probeInterval + configuration.probeTimeout < .seconds(5))
    }

    @Test("kill -9 of a server: its client goes on at another one, and has everything")
    func killedServer() async throws {
        let redis = try await RedisServer.start()
        let nodes = try await ServeNodes.start(3, on: redis)
        let (client, other, traffic) = (
            try await NodeClient(to: nodes[0]), try await NodeClient(to: nodes[1]), Traffic()
        )
        try await traffic.run(on: nodes.servers) {
            for _ in 0..<20 { try await client.next() }
            nodes[0].program.kill()
            // What was on its way is still heard, or not: the account begins where it ends.
            while (try? await client.next()) != nil {}
            try await traffic.flows()
            try await client.move(to: nodes[1])
            #expect(client.lastAnswer?.recovered == true)
            try await traffic.flows()
        }
        try await traffic.insist("end", on: nodes[2])
        for client in [client, other] {
            try await client.hear(until: "end")
            try await client.expectNothing()
            #expect(client.account.refetches == 0)
            #expect(Set(client.account.heard).isSuperset(of: traffic.published.map(\.name)))
        }
        for number in [1, 2] { #expect(try await nodes[number].stop() == 0) }
    }

    @Test(
        "kill -9 of a server behind a balancer: the library's client comes back to another one by itself, with everything"
    )
    func killedBehindBalancer() async throws {
        let redis = try await RedisServer.start()
        let nodes = try await ServeNodes.start(2, on: redis)
        let (holder, heard, traffic) = (try await PortHolder.reserve(), Inbox<BroadcastEvent>(), Traffic())
        var configuration = BroadcastClient.Configuration()
        configuration.backoff = Backoff(base: .milliseconds(50), maximum: .milliseconds(500))
        configuration.logger.logLevel = .critical
        let client = try BroadcastClient(
            url: "ws://127.0.0.1:\(holder.port)/ws/broadcast",
            configuration: configuration
        )
        let (states, state) = AsyncStream.makeStream(of: BroadcastClient.SubscriptionUpdate.self)
        let subscription = client.subscribe(to: "order", onUpdate: { state.yield($0) }, handler: { heard.put($0) })
        defer { subscription.cancel() }
        var names: [String] = []
        try await holder.forward(to: try nodes[0].port) {
            client.connect()
            for await update in states {
                if case .subscribed = update { break }
            }
            try await traffic.run(on: nodes.servers) {
                for _ in 0..<20 { names.append(try #require(try await heard.next()).name.rawValue) }
                nodes[0].program.kill()
                try await traffic.flows()
            }
        }
        try await holder.forward(to: try nodes[1].port) {
            try await traffic.insist("end", on: nodes[1])
            while names.last != "end" { names.append(try #require(try await heard.next()).name.rawValue) }
        }
        client.disconnect()
        #expect(Set(names).count == names.count, "something came twice")
        #expect(!names.contains("stale"))
        #expect(Set(names).isSuperset(of: traffic.published.map(\.name)))
        #expect(try await nodes[1].stop() == 0)
    }

    @Test("Redis is killed with -9 and started again: everybody is told to refetch", arguments: [true, false])
    func killedRedis(isPersistent: Bool) async throws {
        let redis = try await RedisServer.start(isPersistent: isPersistent)
        let nodes = try await ServeNodes.start(2, on: redis)
        let accounts = try await Self.withClients(of: nodes) { traffic in
            await redis.kill()
            let start = ContinuousClock.now
            for server in nodes.servers { try await server.waitUntilReady(false) }
            expectInTime(since: start)
            try await redis.restart()
            for server in nodes.servers { try await server.waitUntilReady() }
            try await traffic.flows()
        }
        #expect(accounts.allSatisfy { $0.refetches > 0 })
    }

    @Test("Redis stands still, with its sockets open, and goes on")
    func frozenRedis() async throws {
        let redis = try await RedisServer.start()
        let nodes = try await ServeNodes.start(2, on: redis)
        let accounts = try await Self.withClients(of: nodes) { traffic in
            redis.freeze()
            let start = ContinuousClock.now
            for server in nodes.servers { try await server.waitUntilReady(false) }
            expectInTime(since: start)
            redis.thaw()
            for server in nodes.servers { try await server.waitUntilReady() }
            try await traffic.flows()
        }
        #expect(accounts.allSatisfy { $0.refetches > 0 })
    }

    @Test(
        "one server's way to Redis accepts and never answers, or loses what is published: it says that it is not ready",
        arguments: [FaultyProxy.Loss.everything, .answersOnMarked]
    )
    func silentRedis(_ loss: FaultyProxy.Loss) async throws {
        let redis = try await RedisServer.start()
        let proxy = try await FaultyProxy(to: redis.port, marking: "SUBSCRIBE")
        let nodes = try await ServeNodes.start(on: ["redis://127.0.0.1:\(proxy.port)", redis.url])
        for server in nodes.servers { try await server.waitUntilReady() }
        let accounts = try await Self.withClients(of: nodes) { traffic in
            proxy.lose(loss)
            let start = ContinuousClock.now
            try await nodes[0].waitUntilReady(false)
            expectInTime(since: start)
            // The other one has noticed nothing, and what it publishes is missed by the first.
            #expect(try await nodes[1].isReady)
            try await traffic.insist("missed", on: nodes[1])
            proxy.heal()
            try await nodes[0].waitUntilReady()
            try await traffic.flows()
        }
        // The first two are clients of the server that was cut off.
        #expect(accounts.map { $0.refetches > 0 } == [true, true, false, false])
    }

    @Test("a server that is started before a Redis that never answers serves, says that it is not ready, and recovers")
    func silentFromTheStart() async throws {
        let redis = try await RedisServer.start()
        let proxy = try await FaultyProxy(to: redis.port)
        proxy.lose(.everything)
        let nodes = try await ServeNodes.start(on: ["redis://127.0.0.1:\(proxy.port)"])
        #expect(try await nodes[0].isReady == false)
        #expect(await nodes[0].post("lost", on: "order") == nil)
        let client = try await NodeClient(to: nodes[0])
        proxy.heal()
        try await nodes[0].waitUntilReady()
        // Who came while Redis was away is told to refetch when it is back.
        #expect(try await client.next().isStale)
        try await Traffic().insist("end", on: nodes[0])
        try await client.hear(until: "end")
        #expect(client.account.heard == ["end"])
        try await nodes.stop()
    }

    @Test("CLIENT KILL TYPE pubsub, several times")
    func killedSubscriptions() async throws {
        let redis = try await RedisServer.start()
        let nodes = try await ServeNodes.start(2, on: redis)
        let accounts = try await Self.withClients(of: nodes) { traffic in
            for _ in 0..<4 {
                try await redis.run("client", "kill", "type", "pubsub")
                try await traffic.flows()
            }
        }
        #expect(accounts.allSatisfy { $0.refetches > 0 })
    }

    @Test("REPLICAOF under them, there and back: they follow the primary")
    func replicaOf() async throws {
        let (first, second) = (try await RedisServer.start(), try await RedisServer.start())
        try await second.run("replicaof", "127.0.0.1", "\(first.port)")
        let url = "\(first.url),127.0.0.1:\(second.port)"
        let nodes = try await ServeNodes.start(on: [url, url])
        for server in nodes.servers { try await server.waitUntilReady() }
        let accounts = try await Self.withClients(of: nodes) { traffic in
            for (primary, replica) in [(second, first), (first, second)] {
                try await primary.run("replicaof", "no", "one")
                try await replica.run("replicaof", "127.0.0.1", "\(primary.port)")
                let start = ContinuousClock.now
                // Only a primary takes what is published.
                try await traffic.flows()
                expectInTime(since: start)
                try await Self.eventuallyUsed(primary, by: nodes.servers.count)
            }
        }
        #expect(accounts.allSatisfy { $0.refetches > 0 })
    }

    /// Waits until so many servers are subscribed at a Redis.
    private static func eventuallyUsed(_ redis: RedisServer, by count: Int) async throws {
        try await eventually("all servers have moved") {
            try await redis.run("pubsub", "numsub", "tidings:order").hasSuffix("\(count)")
        }
    }

    /// Has two clients on each server and traffic on all servers while something goes wrong; then looks whether every client
    /// has everything that was published, or was told that it lacks something.
    private static func withClients(
        of nodes: ServeNodes,
        _ body: (Traffic) async throws -> Void
    ) async throws -> [ChannelAccount] {
        var clients: [NodeClient] = []
        for server in nodes.servers {
            for _ in 0..<2 { clients.append(try await NodeClient(to: server)) }
        }
        let traffic = Traffic()
        try await traffic.run(on: nodes.servers) {
            try await traffic.flows()
            try await body(traffic)
        }
        // One after the other, until everybody has heard one: a server may be about to notice what was before.
        var rest = clients
        var number = 0
        while let client = rest.first {
            let name = "end\(number)"
            number += 1
            try await traffic.insist(name, on: nodes[number])
            while true {
                let event = try await client.next()
                if event.name.rawValue == name || event.isStale { break }
            }
            if client.account.heard.last == name { rest.removeFirst() }
        }
        for client in clients {
            let heard = client.account.heard
            let twice = Dictionary(grouping: heard, by: \.self).filter { $1.count > 1 }.keys
            #expect(twice.isEmpty, "something came twice")
            #expect(heard.count > 20)
            if client.account.refetches == 0 {
                let end = client.account.position.offset
                let published = traffic.published.filter { $0.position.offset <= end }.map(\.name)
                #expect(Set(heard).isSuperset(of: published))
            }
            client.close()
        }
        try await nodes.stop()
        return clients.map(\.account)
    }
}
