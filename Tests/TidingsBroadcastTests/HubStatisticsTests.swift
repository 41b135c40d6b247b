import NIOCore
import NIOEmbedded
import Synchronization
import TestSupport
import Testing
import TidingsWire

@testable import TidingsBroadcast

@Suite("What a hub counts", .timeLimit(.patience))
struct HubStatisticsTests {
    private let hub: BroadcastHub
    private let loop = NIOAsyncTestingEventLoop()

    init() {
        var configuration = BroadcastHub.Configuration()
        configuration.pendingSignalsPerChannel = 5
        hub = BroadcastHub(configuration: configuration)
    }

    private func client(_ channels: String) async throws -> NIOAsyncTestingChannel {
        let channel = NIOAsyncTestingChannel(loop: loop)
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1))
        try await loop.executeInContext { [hub, loop] in
            let handler = hub.makeSessionHandler(on: loop, speaking: .plain, writesDirectly: false)
            try channel.pipeline.syncOperations.addHandler(handler)
        }
        try await send("{\"subscribe\":[\(channels)]}", channel)
        return channel
    }

    private func send(_ text: String, _ channel: NIOAsyncTestingChannel) async throws {
        try await channel.writeInbound(ByteBuffer(bytes: WebSocketFrame.encode(.text, Array(text.utf8), mask: 7)))
    }

    private func publish(_ channel: ChannelName, entity: String? = nil, _ count: Int = 1) async throws {
        for _ in 0..<count {
            let payload = entity.map { EventPayload(["entity_id": .string($0)]) } ?? EventPayload()
            try hub.publish(BroadcastEvent(channel: channel, name: .updated, payload: payload))
        }
        await loop.run()
    }

    private final class Answer: Sendable {
        let statistics = Mutex<HubStatistics?>(nil)
    }

    /// The loop moves only when it is told to, and is asked in between.
    private func statistics() async -> HubStatistics {
        let (hub, answer) = (hub, Answer())
        return await withTaskGroup(of: Void.self) { group in
            group.addTask {
                let statistics = await hub.statistics()
                answer.statistics.withLock { $0 = statistics }
            }
            while true {
                await loop.run()
                if let statistics = answer.statistics.withLock({ $0 }) { return statistics }
                await Task.yield()
            }
        }
    }

    @Test("connections, subscriptions, and what is published and delivered, once for each channel and reader")
    func deliveries() async throws {
        let clients = [try await client(#""a","b""#), try await client(#""a""#)]
        try await publish("a", 3)
        try await publish("b")
        try await publish("nobody")
        try hub.publish(BroadcastEvent(channel: "a", name: .updated), alsoOn: ["b"])
        await loop.run()
        let statistics = await statistics()
        #expect(statistics.connections == 2)
        #expect(statistics.subscriptions == 3)
        #expect(statistics.published == 7)
        // Three and one and two for the first, three and one for the second.
        #expect(statistics.delivered == 10)
        #expect((statistics.superseded, statistics.collapsed, statistics.pendingBytes) == (0, 0, 0))
        // The loop makes one turn or several of what is published while it runs.
        #expect((3...5).contains(statistics.broadcastDuration.count))
        #expect(statistics.broadcastDuration.sum > .zero)
        _ = clients
    }

    @Test("what waits for a slow reader: its bytes, what newer events took the place of, what was given up")
    func slow() async throws {
        let channel = try await client(#""a""#)
        channel.isWritable = false
        try await publish("a", entity: "1", 4)
        var statistics = await statistics()
        #expect((statistics.delivered, statistics.superseded, statistics.collapsed) == (0, 3, 0))
        #expect(statistics.pendingBytes > 50)
        // The sixth that is different is one too many: all six give way, and so does what follows.
        try await publish("a", 5)
        try await publish("a", 2)
        statistics = await self.statistics()
        #expect((statistics.superseded, statistics.collapsed) == (3, 8))
        channel.isWritable = true
        try await loop.executeInContext { channel.pipeline.fireChannelWritabilityChanged() }
        await loop.run()
        statistics = await self.statistics()
        // The one event that says so.
        #expect((statistics.delivered, statistics.pendingBytes) == (1, 0))
        #expect(statistics.published == 11)
    }

    @Test("connections that ended, by the code that was sent, or by there being none")
    func closed() async throws {
        let asked = try await client(#""a""#)
        try await asked.writeInbound(ByteBuffer(bytes: WebSocketFrame.close(.normal, mask: 7)))
        let wrong = try await client(#""a""#)
        try await wrong.writeInbound(ByteBuffer(bytes: [0xFF, 0xFF]))
        let lost = try await client(#""a""#)
        _ = try await lost.finish(acceptAlreadyClosed: true)
        await loop.run()
        let statistics = await statistics()
        #expect(statistics.closed == [.normal: 1, .protocolError: 1, .abnormal: 1])
        #expect(statistics.connections == 0)
    }

    @Test("events that were given up before a loop took them count as collapsed")
    func inbox() {
        var inbox = ShardInbox(capacity: 3)
        let log = InMemoryEventLog()
        let collapsed = (0..<6).map { _ in
            let event = BroadcastEvent(channel: "a", name: .updated)
            return inbox.append(PublishedEvent(event: event, position: log.append(event)))
        }
        #expect(collapsed == [0, 0, 0, 3, 1, 1])
        #expect(inbox.takeAll().map(\.event.name) == [.stale])
    }

    @Test("a hub without a session has counts too")
    func empty() async {
        #expect(await BroadcastHub().statistics() == HubStatistics())
    }

    @Test("a time counts in the first range that has it")
    func histogram() {
        var histogram = DurationHistogram()
        for time in [Duration.zero, .microseconds(100), .microseconds(101), .seconds(5), .seconds(6)] {
            histogram.record(time)
        }
        #expect(histogram.counts.first == 2)
        #expect(histogram.counts[1] == 1)
        #expect(Array(histogram.counts.suffix(2)) == [1, 1])
        #expect(histogram.count == 5)
        #expect(histogram.sum == .seconds(11) + .microseconds(201))
        #expect(DurationHistogram.bounds == DurationHistogram.bounds.sorted())
    }
}
