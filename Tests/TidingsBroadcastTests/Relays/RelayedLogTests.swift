import NIOCore
import NIOEmbedded
import Synchronization
import TestSupport
import Testing
import TidingsTesting
import TidingsWire

@testable import TidingsBroadcast

@Suite("What a relay tells the hub")
struct RelayedLogTests {
    private static func at(_ offset: UInt64) -> EventPosition { EventPosition(epoch: "db1", offset: offset) }

    @Test("the table of these tests keeps the promises of EventLog", arguments: EventLogConformance.checks)
    func conforms(_ check: ConformanceCheck<EventLogConformance.Subject>) async throws {
        let table = TableLog()
        try await check.run(against: EventLogConformance.Subject(table) { table.commit($0) })
    }

    @Test("an event has the position of its row, the same on each of its channels, and is told once")
    func delivering() throws {
        let bench = RelayBench()
        bench.begin(after: 40)
        let client = try bench.connect()
        try client.subscribe("order", "order:1")
        let event = BroadcastEvent(channel: "order", name: .updated, payload: ["entity_id": "1"])
        let entries = [42, 45].map { LogEntry(event, alsoOn: ["order:1"], at: Self.at($0)) }
        bench.relayed.deliver(entries)
        bench.relayed.deliver(entries + [LogEntry(event, at: Self.at(46))])
        bench.settle()
        let events = try client.receive().compactMap(\.event)
        #expect(events.filter { $0.channel == "order" }.compactMap(\.position?.offset) == [42, 45, 46])
        #expect(events.filter { $0.channel == "order:1" }.compactMap(\.position?.offset) == [42, 45])
        #expect(bench.relayed.head == Self.at(46))
    }

    @Test("nothing is told before the beginning, nor of another epoch, nor on a channel of another log")
    func refused() throws {
        let bench = RelayBench()
        #expect(bench.relayed.head == nil)
        let event = BroadcastEvent(channel: "order", name: .updated)
        bench.relayed.deliver([LogEntry(event, at: Self.at(1))])
        #expect(bench.relayed.head == nil)
        bench.begin(after: 0)
        let client = try bench.connect()
        try client.subscribe("order", "free")
        bench.relayed.deliver([
            LogEntry(event, at: EventPosition(epoch: "db2", offset: 1)),
            LogEntry(event, alsoOn: ["free"], at: Self.at(1)),
        ])
        bench.settle()
        #expect(try client.receive().compactMap(\.event).map(\.channel) == ["order"])
        #expect(bench.relayed.head == Self.at(1))
    }

    @Test("a replaced log makes every holder of its channels refetch, and nobody else, and forgets what was")
    func replaced() throws {
        let bench = RelayBench()
        bench.table.commit(5)
        bench.begin(after: 5, keeping: 5)
        let client = try bench.connect()
        try client.subscribe("order", "contact", "free")
        _ = try client.receive()
        bench.table.replace(epoch: "db2")
        bench.table.commit(3)
        bench.begin(after: 3, keeping: 3)
        bench.table.commit(1)
        bench.deliver()
        bench.settle()
        let events = try client.receive().compactMap(\.event)
        #expect(Set(events.filter(\.isStale).map(\.channel)) == ["order", "contact"])
        #expect(events.filter(\.isStale).allSatisfy { $0.staleReason == .epoch })
        #expect(events.last { $0.channel == "order" }?.position == EventPosition(epoch: "db2", offset: 4))
        let (old, new) = (try bench.connect(), try bench.connect())
        try old.subscribe("order", since: Self.at(4))
        try new.subscribe("order", since: EventPosition(epoch: "db2", offset: 1))
        bench.settle()
        #expect(try old.receive().subscribed.map(\.recovered) == [false])
        #expect(try new.receive().offsets == [2, 3, 4])
    }

    @Test("a log that is replaced while it is asked recovers nothing of the old one")
    func replacedMeanwhile() throws {
        let bench = RelayBench()
        bench.table.commit(5)
        bench.begin(after: 5)
        bench.table.answer(.waits, seeing: .asked)
        let (asking, waiting) = (try bench.connect(), try bench.connect())
        try asking.subscribe("order", since: Self.at(1))
        bench.table.commit(1)
        try waiting.subscribe("order", since: Self.at(6))
        bench.settle()
        bench.table.replace(epoch: "db2")
        bench.begin(after: 0)
        bench.table.release()
        bench.settle()
        for client in [asking, waiting] {
            let messages = try client.receive()
            #expect(messages.subscribed.map(\.recovered) == [false])
            #expect(messages.subscribed.map(\.position) == [EventPosition(epoch: "db2", offset: 0)])
            #expect(messages.offsets == [])
        }
    }

    @Test("to begin again where one is changes nothing, further on is a gap for everybody")
    func beginningAgain() throws {
        let bench = RelayBench()
        bench.table.commit(9)
        bench.begin(after: 3, keeping: 3)
        bench.deliver(upTo: 5)
        let client = try bench.connect()
        try client.subscribe("order")
        _ = try client.receive()
        bench.begin(after: 3)
        bench.begin(after: 5)
        bench.settle()
        #expect(try client.receive().isEmpty)
        let early = try bench.connect()
        try early.subscribe("order", since: Self.at(0))
        bench.settle()
        #expect(try early.receive().offsets == [1, 2, 3, 4, 5])
        bench.begin(after: 7)
        bench.settle()
        let stale = try #require(try client.receive().first?.event)
        #expect(stale.staleReason == .gap)
        #expect(stale.position == Self.at(7))
        bench.table.answer(.fails)
        let late = try bench.connect()
        try late.subscribe("order", since: Self.at(6))
        bench.settle()
        #expect(try late.receive().subscribed.map(\.recovered) == [false])
    }

    @Test("an event that was set aside is a stale one at its place, now and for whoever comes back")
    func setAside() throws {
        let bench = RelayBench()
        bench.begin(after: 0)
        let client = try bench.connect()
        try client.subscribe("order")
        _ = try client.receive()
        bench.table.commit(.stale("order", reason: .setAside), alsoOn: ["order:1"])
        bench.table.commit(1)
        bench.deliver()
        bench.settle()
        let late = try bench.connect()
        try late.subscribe("order", since: Self.at(0))
        for client in [client, late] {
            let events = try client.receive().compactMap(\.event)
            #expect(events.map(\.staleReason) == [.setAside, nil])
            #expect(events.compactMap(\.position?.offset) == [1, 2])
        }
    }

    @Test("of a snapshot channel the newest event is kept over a restart, and stale is no snapshot")
    func snapshots() throws {
        let bench = RelayBench { $0.delivery = { $0 == "status" ? .snapshot : .signal } }
        bench.table.commit(3, on: "status")
        bench.table.commit(.stale("status", reason: .setAside))
        bench.begin(after: 4, keeping: 4)
        let client = try bench.connect()
        try client.subscribe("status")
        #expect(try client.receive().offsets == [3])
        bench.table.replace(epoch: "db2")
        bench.begin(after: 0)
        let late = try bench.connect()
        try late.subscribe("status")
        #expect(try late.receive().compactMap(\.event).isEmpty)
    }

    // MARK: Publishing past it

    @Test("nothing is published past the log, on any of the channels of an event")
    func publishing() async throws {
        let bench = RelayBench { $0.policy = ChannelPolicy(publishableChannels: ["*"]) }
        bench.begin(after: 0)
        let event = BroadcastEvent(channel: "order", name: .updated)
        let free = BroadcastEvent(channel: "free", name: .updated)
        for (event, further) in [(event, []), (free, ["order"])] as [(BroadcastEvent, [ChannelName])] {
            #expect(throws: BroadcastError.self) { try bench.hub.publish(event, alsoOn: further) }
        }
        let underlying = InMemoryBroadcastBackend()
        let heard = Mutex(0)
        for channel in ["order", "free"] as [ChannelName] {
            _ = try await underlying.subscribe(to: channel) { _ in heard.withLock { $0 += 1 } }
        }
        let backend = WebSocketBroadcastBackend(underlying: underlying, hub: bench.hub)
        do {
            try await backend.broadcast(free, alsoOn: ["order"])
            Issue.record("published")
        } catch let error as BroadcastError {
            #expect(error.code == .relayedChannel)
            #expect(error.message.contains("order"))
        }
        #expect(heard.withLock { $0 } == 0)
        try await backend.broadcast(free)
        #expect(heard.withLock { $0 } == 1)
        #expect(bench.hub.log.head().offset == 1)
    }

    @Test("a client's event on such a channel is refused")
    func clientPublishing() throws {
        let bench = RelayBench { $0.policy = ChannelPolicy(publishableChannels: ["*"]) }
        bench.begin(after: 0)
        let client = try bench.connect()
        try client.send(ClientMessage(id: 1, publish: PublishRequest(channel: "order")))
        guard case .reply(let reply) = try client.receive().first else {
            Issue.record("no reply")
            return
        }
        #expect(reply.refused.map(\.code) == [.forbidden])
        #expect(reply.refused.map(\.channel) == ["order"])
        #expect(reply.published == nil)
    }

    // MARK: Waiting

    @Test("a position is waited for until it is told, the task is cancelled, or the log is another")
    func waiting() throws {
        let bench = RelayBench()
        let answers = Answers()
        func wait(_ name: String, _ position: EventPosition) -> Task<Void, Never> {
            Task(executorPreference: bench.executor) { [relayed = bench.relayed] in
                let isDelivered = await relayed.waitUntilDelivered(position)
                answers.byName.withLock { $0[name] = isDelivered }
            }
        }
        let cancelled = wait("cancelled", Self.at(3))
        _ = wait("told", Self.at(2))
        _ = wait("replaced", Self.at(9))
        bench.settle()
        bench.table.commit(3)
        bench.begin(after: 0)
        bench.settle()
        #expect(answers.byName.withLock { $0 } == [:])
        bench.deliver(upTo: 2)
        cancelled.cancel()
        bench.settle()
        #expect(answers.byName.withLock { $0 } == ["told": true, "cancelled": false])
        bench.relayed.begin(after: EventPosition(epoch: "db2", offset: 20))
        _ = wait("other", Self.at(1))
        bench.settle()
        #expect(
            answers.byName.withLock { $0 } == ["told": true, "cancelled": false, "replaced": false, "other": false]
        )
    }

    // MARK: Logging

    @Test("a table that fails is logged once for a message, and without what its error says; a slow one too")
    func logging() throws {
        let log = LogRecorder()
        let bench = RelayBench(logger: log.logger)
        bench.table.commit(5)
        bench.begin(after: 5)
        bench.table.answer(.fails)
        let client = try bench.connect()
        try client.subscribe("order", "contact", since: Self.at(1))
        bench.settle()
        #expect(log.warnings.count == 1)
        bench.table.answer(.waits)
        try client.subscribe("menu", since: Self.at(1))
        bench.settle()
        bench.loop.advanceTime(by: .seconds(2))
        bench.table.release(failing: true)
        bench.settle()
        #expect(log.warnings.count == 2)
        #expect(log.warnings.allSatisfy { !$0.contains("secret") })
        #expect(bench.table.reads == 2)
    }
}

private final class Answers: Sendable {
    let byName = Mutex<[String: Bool]>([:])
}
