import Logging
import NIOCore
import NIOEmbedded
import TestSupport
import Testing
import TidingsTesting
import TidingsWire

@testable import TidingsBroadcast

@Suite("A log that several nodes share")
struct SharedLogTests {
    /// A hub on a shared backend, on a loop and an executor that move only when a test says so.
    final class Bench {
        let loop = EmbeddedEventLoop()
        let executor = ManualExecutor()
        let shared = ManualSharedBackend()
        let backend: WebSocketBroadcastBackend
        var hub: BroadcastHub { backend.hub }

        init(_ change: (inout BroadcastHub.Configuration) -> Void = { _ in }) {
            var configuration = BroadcastHub.Configuration()
            configuration.executor = executor
            configuration.policy = ChannelPolicy(publishableChannels: ["*"])
            change(&configuration)
            backend = WebSocketBroadcastBackend(underlying: shared, hub: BroadcastHub(configuration: configuration))
        }

        func settle() {
            repeat { loop.run() } while executor.run()
            loop.run()
        }

        func connect() throws -> ExtendedClient {
            let client = try ExtendedClient(hub, loop)
            _ = try client.receive()
            return client
        }

        /// A client that holds a channel which is followed.
        func holder(of channel: ChannelName, at offset: UInt64 = 10) throws -> ExtendedClient {
            let client = try connect()
            try client.subscribe(channel)
            settle()
            shared.settle(at: offset)
            settle()
            _ = try client.receive()
            return client
        }
    }

    private static func at(_ offset: UInt64, _ epoch: String = "r1") -> EventPosition {
        EventPosition(epoch: epoch, offset: offset)
    }

    @Test("a subscribe is answered when the channel is followed, with where the log stands")
    func waiting() throws {
        let bench = Bench()
        let client = try bench.connect()
        try client.subscribe("order")
        bench.settle()
        #expect(try client.receive().isEmpty)
        #expect(bench.shared.changes == ["+order"])
        bench.shared.settle(at: 12)
        bench.settle()
        bench.shared.happen("updated", on: "order", at: 13)
        bench.settle()
        let messages = try client.receive()
        #expect(messages.subscribed.map(\.position) == [Self.at(12)])
        #expect(messages.offsets == [13])
        #expect(bench.shared.changes == ["+order"])
    }

    @Test("a channel is followed while somebody holds it, or waits to, and for as long as that")
    func demand() throws {
        let bench = Bench()
        let (first, second) = (try bench.holder(of: "order"), try bench.connect())
        try second.subscribe("order", "table")
        bench.settle()
        #expect(bench.shared.changes == ["+order", "+table"])
        try first.drop()
        bench.settle()
        #expect(bench.shared.changes == ["+order", "+table"])
        // Gone before it was answered.
        try second.drop()
        bench.settle()
        #expect(Set(bench.shared.changes.dropFirst(2)) == ["-order", "-table"])
        #expect(bench.shared.changes.count == 4)
    }

    @Test("when it takes too long the answer comes all the same, and later that everything may have changed")
    func late() throws {
        let bench = Bench()
        let client = try bench.connect()
        try client.subscribe("order", since: Self.at(5))
        bench.settle()
        bench.loop.advanceTime(by: .seconds(2))
        bench.settle()
        #expect(try client.receive().subscribed.map(\.recovered) == [false])
        bench.shared.settle(at: 20)
        bench.settle()
        let stale = try #require(try client.receive().first?.event)
        #expect(stale.staleReason == .backendRestored)
        #expect(stale.position == Self.at(20))
        #expect(bench.shared.changes == ["+order"])
    }

    @Test("after a loss who holds a channel is told to refetch, and who asks meanwhile waits")
    func lost() throws {
        let bench = Bench()
        let holder = try bench.holder(of: "order")
        bench.shared.tell(.lost)
        let asking = try bench.connect()
        try asking.subscribe("order")
        bench.settle()
        #expect(try asking.receive().isEmpty)
        bench.shared.settle(at: 30)
        bench.settle()
        #expect(try holder.receive().compactMap(\.event?.staleReason) == [.backendRestored])
        let messages = try asking.receive()
        #expect(messages.subscribed.map(\.position) == [Self.at(30)])
        #expect(messages.compactMap(\.event).isEmpty)
    }

    @Test("memory answers from where the channel is followed on, the log before that")
    func resuming() throws {
        let bench = Bench()
        let holder = try bench.holder(of: "order", at: 10)
        bench.shared.happen("n11", on: "order", at: 11)
        bench.shared.happen("n12", on: "other", at: 12)
        bench.shared.tell(.reached(Self.at(15)))
        let near = try bench.connect()
        try near.subscribe("order", since: Self.at(10))
        #expect(try near.receive().offsets == [11])
        #expect(bench.shared.reads == 0)
        var old = BroadcastEvent(channel: "order", name: "n7")
        old.position = Self.at(7)
        var told = BroadcastEvent(channel: "order", name: "n11")
        told.position = Self.at(11)
        var ahead = BroadcastEvent(channel: "order", name: "n16")
        ahead.position = Self.at(16)
        bench.shared.answer(.events([old, told, ahead], through: Self.at(16)))
        let far = try bench.connect()
        try far.subscribe("order", since: Self.at(6))
        bench.settle()
        #expect(bench.shared.reads == 1)
        bench.shared.happen("n16", on: "order", at: 16)
        bench.settle()
        let messages = try far.receive()
        #expect(messages.subscribed.map(\.recovered) == [true])
        #expect(messages.offsets == [7, 11, 16])
        #expect(try holder.receive().offsets == [11, 16])
    }

    @Test("what was published past the log has no position, and the log is asked from then on")
    func pastTheLog() throws {
        let bench = Bench()
        let holder = try bench.holder(of: "order")
        bench.shared.happen("raw", on: "order", at: nil)
        bench.settle()
        let event = try #require(try holder.receive().first?.event)
        #expect(event.name == "raw")
        #expect(event.position == nil)
        for since in [Self.at(10), Self.at(11)] {
            bench.shared.happen("placed", on: "order", at: since.offset + 1)
            let client = try bench.connect()
            try client.subscribe("order", since: since)
            bench.settle()
            #expect(try client.receive().subscribed.map(\.recovered) == [false])
        }
        #expect(bench.shared.reads == 2)
    }

    @Test("a channel of which it is not certain what happened is asked about in the log")
    func uncertain() throws {
        let bench = Bench()
        let client = try bench.connect()
        try client.subscribe("order", since: Self.at(10))
        bench.settle()
        bench.shared.settle(at: 10, isCertain: false)
        bench.settle()
        #expect(try client.receive().subscribed.map(\.recovered) == [false])
        #expect(bench.shared.reads == 1)
    }

    @Test("another epoch makes every holder refetch, and what is followed goes on", arguments: [true, false])
    func epochs(byEvent: Bool) throws {
        let bench = Bench()
        let holder = try bench.holder(of: "order")
        if byEvent {
            bench.shared.happen("first", on: "order", at: 3, epoch: "r2")
        } else {
            bench.shared.tell(.reached(Self.at(2, "r2")))
            bench.shared.happen("first", on: "order", at: 3, epoch: "r2")
        }
        bench.settle()
        let events = try holder.receive().compactMap(\.event)
        #expect(events.map(\.staleReason) == [.epoch, nil])
        #expect(events.map(\.position) == [Self.at(2, "r2"), Self.at(3, "r2")])
        let client = try bench.connect()
        try client.subscribe("order", since: Self.at(10))
        #expect(try client.receive().subscribed.map(\.recovered) == [false])
        let again = try bench.connect()
        try again.subscribe("order", since: Self.at(2, "r2"))
        #expect(try again.receive().offsets == [3])
    }

    @Test("news of a time before do not make a channel followed")
    func generations() throws {
        let bench = Bench()
        let holder = try bench.holder(of: "order")
        let old = try #require(bench.shared.generation(of: "order"))
        try holder.drop()
        bench.settle()
        let client = try bench.connect()
        try client.subscribe("order")
        bench.settle()
        bench.shared.tell(.reached(Self.at(11), following: [FollowedChannel("order", generation: old)]))
        bench.settle()
        #expect(try client.receive().isEmpty)
        bench.shared.settle(at: 12)
        bench.settle()
        #expect(try client.receive().subscribed.map(\.position) == [Self.at(12)])
    }

    @Test("a snapshot that was not followed meanwhile is not the newest any more")
    func snapshots() throws {
        let bench = Bench { $0.delivery = { _ in .snapshot } }
        let holder = try bench.holder(of: "feed:a")
        bench.shared.happen("update", on: "feed:a", at: 11)
        bench.shared.happen("raw", on: "feed:a", at: nil)
        bench.settle()
        #expect(try holder.receive().compactMap(\.event).count >= 1)
        let second = try bench.connect()
        try second.subscribe("feed:a")
        bench.settle()
        #expect(try second.receive().compactMap(\.event).map(\.name) == ["raw"])
        try holder.drop()
        try second.drop()
        bench.settle()
        let third = try bench.connect()
        try third.subscribe("feed:a")
        bench.settle()
        bench.shared.settle(at: 20)
        bench.settle()
        #expect(try third.receive().compactMap(\.event).isEmpty)
    }

    @Test("what is newest on a channel that was not followed here comes from the log, unless something newer was told")
    func newestElsewhere() throws {
        let bench = Bench { $0.delivery = { _ in .snapshot } }
        var newest = BroadcastEvent(channel: "feed:a", name: "kept")
        newest.position = Self.at(7)
        bench.shared.keep(newest)
        let client = try bench.connect()
        try client.subscribe("feed:a")
        bench.settle()
        bench.shared.settle(at: 10)
        bench.settle()
        let messages = try client.receive()
        #expect(messages.subscribed.map(\.position) == [Self.at(6)])
        #expect(messages.compactMap(\.event).map(\.name) == ["kept"])
        let other = try bench.connect()
        try other.subscribe("feed:b")
        bench.settle()
        bench.shared.tell(
            .reached(
                Self.at(10),
                following: [FollowedChannel("feed:b", generation: bench.shared.generation(of: "feed:b") ?? 0)]
            ),
            .event(BroadcastEvent(channel: "feed:b", name: "newer", position: Self.at(11)))
        )
        bench.settle()
        #expect(try other.receive().compactMap(\.event).map(\.name) == ["newer"])
    }

    @Test("who subscribes while what is newest is still being asked for gets it too")
    func newestForTwo() throws {
        let bench = Bench { $0.delivery = { _ in .snapshot } }
        bench.shared.keep(BroadcastEvent(channel: "feed:a", name: "kept", position: Self.at(7)))
        let (first, second) = (try bench.connect(), try bench.connect())
        try first.subscribe("feed:a")
        bench.settle()
        // The channel is followed from here on, and nobody has asked so far.
        bench.shared.settle(at: 10)
        try second.subscribe("feed:a")
        bench.settle()
        for client in [first, second] { #expect(try client.receive().compactMap(\.event).map(\.name) == ["kept"]) }
    }

    @Test("after a loss who subscribes gets what is newest by then")
    func newestAfterLoss() throws {
        let bench = Bench { $0.delivery = { _ in .snapshot } }
        let holder = try bench.holder(of: "feed:a")
        bench.shared.happen("before", on: "feed:a", at: 11)
        bench.shared.tell(.lost)
        bench.shared.keep(BroadcastEvent(channel: "feed:a", name: "meanwhile", position: Self.at(20)))
        bench.shared.settle(at: 30)
        bench.settle()
        #expect(try holder.receive().compactMap(\.event).map(\.name) == ["before", "stale"])
        let later = try bench.connect()
        try later.subscribe("feed:a")
        bench.settle()
        #expect(try later.receive().compactMap(\.event).map(\.name) == ["meanwhile"])
    }

    @Test("what is newest and has no position is told to who comes back from where the log stood")
    func newestWithoutPosition() throws {
        let bench = Bench { $0.delivery = { _ in .snapshot } }
        let holder = try bench.holder(of: "feed:a")
        bench.shared.happen("raw", on: "feed:a", at: nil)
        let back = try bench.connect()
        try back.subscribe("feed:a", since: Self.at(10))
        bench.settle()
        #expect(try back.receive().compactMap(\.event).map(\.name) == ["raw"])
        try holder.drop()
    }

    @Test("an event stream that comes from another node is told what it missed there", arguments: [true, false])
    func eventStream(hasBegun: Bool) throws {
        let bench = Bench()
        let holder = hasBegun ? try bench.holder(of: "other") : nil
        let missed = [6, 8].map { offset in
            BroadcastEvent(
                channel: "order",
                name: .updated,
                payload: ["n": .integer(offset)],
                position: Self.at(UInt64(offset))
            )
        }
        bench.shared.answer(.events(missed, through: Self.at(10)))
        let client = try StreamClient(bench.hub, bench.loop, hearing: ["order"], after: "r1:5,o9:3")
        bench.settle()
        bench.shared.settle(at: 10)
        bench.settle()
        bench.shared.tell(
            .event(BroadcastEvent(channel: "order", name: .updated, payload: ["n": 11], position: Self.at(11)))
        )
        bench.settle()
        let messages = try client.receive()
        #expect(messages.map(\.number) == [6, 8, 11])
        #expect(messages.map(\.lastEventID) == ["r1:6", "r1:8", "r1:11"])
        try client.drop()
        try holder?.drop()
    }

    @Test("a channel with a log of its own keeps it")
    func otherRelays() async throws {
        let bench = Bench()
        let table = TableLog()
        let relayed = bench.hub.relay(table) { $0 == "entity" }
        relayed.begin(after: EventPosition(epoch: "db1", offset: 0))
        let client = try bench.connect()
        try client.subscribe("entity")
        #expect(try client.receive().subscribed.map(\.position?.epoch) == ["db1"])
        #expect(bench.shared.changes.isEmpty)
        let event = BroadcastEvent(channel: "free", name: "updated")
        await #expect(throws: BroadcastError.self) { try await bench.backend.broadcast(event, alsoOn: ["entity"]) }
        #expect(bench.shared.published.isEmpty)
        try await bench.backend.broadcast(event, alsoOn: ["free:1"])
        #expect(bench.shared.published.map(\.channel) == ["free", "free:1"])
        #expect(throws: BroadcastError.self) { try bench.hub.publish(event) }
    }

    @Test("what a client publishes goes out through the backend, and its requests wait for that")
    func publishing() throws {
        let bench = Bench()
        let client = try bench.holder(of: "order")
        try client.send(ClientMessage(id: 2, publish: PublishRequest(channel: "order", name: "rung")))
        try client.send(ClientMessage(id: 3, ping: 1))
        bench.settle()
        #expect(bench.shared.published.map(\.name) == ["rung"])
        #expect(bench.shared.published.first?.time != nil)
        let replies = try client.receive().compactMap { message -> ServerReply? in
            if case .reply(let reply) = message { reply } else { nil }
        }
        #expect(replies.map(\.published) == [Self.at(11), nil])
        #expect(replies.map(\.id) == [2, 3])
        bench.shared.fail(BroadcastError(.unavailable, "secret"))
        try client.send(ClientMessage(id: 4, publish: PublishRequest(channel: "order", name: "rung")))
        bench.settle()
        guard case .reply(let refused) = try #require(try client.receive().first) else { return }
        #expect(refused.refused.map(\.code) == [.unavailable])
        #expect(refused.refused.first?.message.contains("secret") == false)
    }

    @Test("what a client may not publish does not go out")
    func forbidden() throws {
        let bench = Bench { configuration in
            configuration.policy = ChannelPolicy()
            configuration.payloadBytes = 10
        }
        let client = try bench.connect()
        try client.send(ClientMessage(id: 2, publish: PublishRequest(channel: "order")))
        bench.settle()
        #expect(bench.shared.published.isEmpty)
    }
}
