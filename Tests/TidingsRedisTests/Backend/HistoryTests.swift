import RedisTestSupport
import SocketTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsRedis
import TidingsTesting
import TidingsWire

@Suite("How far back Redis tells what was missed", .needsRedis, .timeLimit(.patience))
struct HistoryTests {
    /// What the log says of a channel after a position: how many events, or nil if it does not know.
    private func missed(
        _ backend: RedisBroadcastBackend,
        since position: EventPosition,
        on channel: ChannelName = "order"
    ) async throws -> Int? {
        switch try await backend.events(on: channel, after: position, atMost: 1000) {
        case .events(let events, _): events.count
        case .notRecoverable: nil
        }
    }

    @Test("no further than the events that are kept, and all or nothing")
    func length() async throws {
        let (server, base) = (try await SharedRedis.server, try await SharedRedis.configuration())
        var configuration = base
        configuration.historyLength = 10
        let stream = "\(base.prefix)events:order"
        try await withBackend(configuration) { backend in
            var positions: [EventPosition] = []
            for number in 0..<500 {
                let event = BroadcastEvent(channel: "order", name: try EventName("n\(number)"))
                positions.append(try await backend.publish(event, alsoOn: []))
            }
            let kept = Int(try await server.run("xlen", stream)) ?? 0
            #expect((10..<250).contains(kept))
            #expect(try await missed(backend, since: positions[0]) == nil)
            #expect(try await missed(backend, since: positions[499 - kept - 1]) == nil)
            #expect(try await missed(backend, since: positions[499 - kept]) == kept)
            #expect(try await missed(backend, since: positions[489]) == 10)
            // A quiet channel is not the loud one's victim.
            #expect(try await missed(backend, since: positions[0], on: "quiet") == 0)
        }
    }

    @Test("no further than the time that is kept, also on a channel that has nothing any more")
    func age() async throws {
        let (server, base) = (try await SharedRedis.server, try await SharedRedis.configuration())
        let (log, stream) = ("\(base.prefix)log", "\(base.prefix)events:order")
        var configuration = base
        // A probe looks, too.
        configuration.probeInterval = .seconds(600)
        try await withBackend(configuration) { backend in
            func publish() async throws -> EventPosition {
                try await backend.publish(BroadcastEvent(channel: "order", name: "updated"), alsoOn: [])
            }
            func pass(_ milliseconds: Int) async throws {
                let marked = Int(try await server.run("hget", log, "marked")) ?? 0
                try await server.run("hset", log, "marked", "\(marked - milliseconds)")
            }
            let first = try await publish()
            let ttl = Int(try await server.run("pttl", stream)) ?? 0
            #expect((600_001...660_000).contains(ttl), "as long as twice the time that is told, and a little")
            // Half of the time and more: the place of the last look becomes the floor, which is the beginning.
            try await pass(200_000)
            let second = try await publish()
            #expect(try await missed(backend, since: first) == 1)
            // The next look makes the floor what it was then: where the log stood in between.
            try await pass(200_000)
            let third = try await publish()
            #expect(try await missed(backend, since: second) == 1)
            #expect(try await missed(backend, since: first) == nil)
            #expect(try await missed(backend, since: first, on: "quiet") == nil)
            // Nobody has looked for longer than anything is kept.
            try await pass(400_000)
            #expect(try await missed(backend, since: second) == nil)
            #expect(try await missed(backend, since: third) == 0)
            // The clock of the server was set back.
            try await pass(-100_000)
            _ = try await publish()
            #expect(try await missed(backend, since: third) == nil)
        }
    }

    @Test("nothing from before Redis gave keys up for lack of memory")
    func eviction() async throws {
        let server = try await RedisServer.start()
        var configuration = server.configuration()
        configuration.probeInterval = .seconds(600)
        try await withBackend(configuration) { backend in
            let event = BroadcastEvent(channel: "order", name: "updated")
            let first = try await backend.publish(event, alsoOn: [])
            let second = try await backend.publish(event, alsoOn: [])
            #expect(try await missed(backend, since: first) == 1)
            try await server.run("config", "set", "maxmemory-policy", "allkeys-random")
            try await server.run("set", "victim", "x")
            try await server.run("config", "set", "maxmemory", "1")
            try await eventually("something was given up") { try await server.run("dbsize") == "0" }
            try await server.run("config", "set", "maxmemory", "0")
            // The log itself is gone too: another epoch. Put back, it still says that streams may be missing.
            let now = try await server.run("time").prefix { $0 != "\n" } + "000"
            try await server.run("hset", "t:log", "epoch", first.epoch, "offset", "2", "floor", "0", "mark", "0")
            try await server.run("hset", "t:log", "marked", "\(now)", "evicted", "0")
            #expect(try await missed(backend, since: first) == nil)
            #expect(try await missed(backend, since: second) == 0)
        }
    }
}
