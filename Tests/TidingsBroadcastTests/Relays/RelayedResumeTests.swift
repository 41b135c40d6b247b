import NIOCore
import NIOEmbedded
import Testing
import TidingsWire

@testable import TidingsBroadcast

@Suite("Coming back to a channel whose log is kept elsewhere")
struct RelayedResumeTests {
    /// Ten events are in the table. The relay began after six of them, two of which were kept, and has told eight.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var since: EventPosition? = EventPosition(epoch: "db1", offset: 6)
        var purged: UInt64 = 0
        var mode = TableLog.Mode.answers
        var replayedEvents = 1000
        var pendingBytes = 1 << 20
        /// The positions that follow the reply; nil if the channel is not recovered.
        let expected: ClosedRange<UInt64>?
        /// How often the table is read.
        let reads: Int
    }

    private static func at(_ offset: UInt64) -> EventPosition { EventPosition(epoch: "db1", offset: offset) }

    static let cases: [Case] = [
        Case(testDescription: "what was told since", expected: 7...8, reads: 0),
        Case(testDescription: "what was kept at the beginning", since: at(4), expected: 5...8, reads: 0),
        Case(testDescription: "one more", since: at(3), expected: 4...8, reads: 1),
        Case(testDescription: "everything", since: at(0), expected: 1...8, reads: 1),
        Case(testDescription: "as much as is replayed", since: at(3), replayedEvents: 7, expected: 4...8, reads: 1),
        Case(testDescription: "more than is replayed", since: at(3), replayedEvents: 4, expected: nil, reads: 1),
        Case(testDescription: "more bytes than are replayed", since: at(3), pendingBytes: 9, expected: nil, reads: 1),
        Case(testDescription: "just what the table still has", since: at(3), purged: 3, expected: 4...8, reads: 1),
        Case(testDescription: "what the table has no more", since: at(2), purged: 3, expected: nil, reads: 1),
        Case(testDescription: "a table that fails", since: at(3), mode: .fails, expected: nil, reads: 1),
        Case(testDescription: "a table that fails and is not needed", mode: .fails, expected: 7...8, reads: 0),
        Case(
            testDescription: "another epoch",
            since: EventPosition(epoch: "db0", offset: 6),
            expected: nil,
            reads: 0
        ),
        Case(testDescription: "the future", since: at(11), expected: nil, reads: 1),
        Case(testDescription: "without a position", since: nil, expected: nil, reads: 0),
    ]

    @Test("is answered all or nothing", arguments: cases)
    func table(_ test: Case) throws {
        let bench = RelayBench {
            $0.replayedEvents = test.replayedEvents
            $0.pendingBytesPerSession = test.pendingBytes
        }
        bench.table.commit(10)
        bench.begin(after: 6, keeping: 2)
        bench.deliver(upTo: 8)
        bench.table.purge(through: test.purged)
        bench.table.answer(test.mode)
        let client = try bench.connect()
        try client.subscribe("order", since: test.since)
        bench.settle()
        bench.table.purge(through: 0)
        bench.deliver()
        bench.settle()
        let messages = try client.receive()
        let subscribed = try #require(messages.subscribed.first)
        #expect(subscribed.recovered == (test.expected != nil))
        #expect(subscribed.position == Self.at(8))
        #expect(messages.offsets == (test.expected.map(Array.init) ?? []) + [9, 10])
        #expect(bench.table.reads == test.reads)
    }

    @Test("a position that is in the table and was not told here is waited for")
    func ahead() throws {
        let bench = RelayBench()
        bench.table.commit(10)
        bench.begin(after: 6)
        bench.deliver(upTo: 8)
        let client = try bench.connect()
        try client.subscribe("order", since: Self.at(9))
        bench.settle()
        #expect(try client.receive().isEmpty)
        bench.deliver(upTo: 9)
        bench.settle()
        bench.deliver()
        bench.settle()
        let messages = try client.receive()
        #expect(messages.subscribed.map(\.recovered) == [true])
        #expect(messages.subscribed.map(\.position) == [Self.at(9)])
        #expect(messages.offsets == [10])
    }

    @Test("a relay that does not get there in time: not recovered, and live from where it is")
    func stuckRelay() throws {
        let bench = RelayBench { $0.resumeTimeout = .seconds(3) }
        bench.table.commit(10)
        bench.begin(after: 6)
        let client = try bench.connect()
        try client.subscribe("order", since: Self.at(9))
        bench.settle()
        bench.loop.advanceTime(by: .milliseconds(2999))
        #expect(try client.receive().isEmpty)
        bench.loop.advanceTime(by: .milliseconds(1))
        let messages = try client.receive()
        #expect(messages.subscribed.map(\.recovered) == [false])
        #expect(messages.subscribed.map(\.position) == [Self.at(6)])
        bench.deliver()
        bench.settle()
        #expect(try client.receive().offsets == [7, 8, 9, 10])
    }

    @Test("a table that is too slow: not recovered, live all the same, and its late answer changes nothing")
    func slowTable() throws {
        let bench = RelayBench()
        bench.table.commit(10)
        bench.begin(after: 8)
        bench.table.answer(.waits)
        let client = try bench.connect()
        try client.subscribe("order", since: Self.at(1))
        bench.settle()
        bench.loop.advanceTime(by: .seconds(2))
        #expect(try client.receive().subscribed.map(\.recovered) == [false])
        bench.table.release()
        bench.settle()
        bench.deliver()
        bench.settle()
        let messages = try client.receive()
        #expect(messages.subscribed.isEmpty)
        #expect(messages.offsets == [9, 10])
    }

    @Test("a late answer is none to what the client asked for afterwards")
    func lateAnswer() throws {
        let bench = RelayBench()
        bench.table.commit(10)
        bench.begin(after: 8)
        bench.table.answer(.waits)
        let client = try bench.connect()
        try client.subscribe("order", since: Self.at(1), id: 1)
        bench.settle()
        bench.loop.advanceTime(by: .seconds(2))
        try client.subscribe("contact", since: Self.at(1), id: 2)
        bench.settle()
        #expect(try client.receive().map(\.kind) == ["reply 1"])
        bench.table.release(1)
        bench.settle()
        #expect(try client.receive().isEmpty)
        bench.table.release()
        bench.settle()
        let messages = try client.receive()
        #expect(messages.map(\.kind) == ["reply 2"])
        #expect(messages.subscribed.map(\.recovered) == [true])
    }

    /// A read that was made before the relay went on: memory has the rest, or not.
    @Test("what was told after the table was read comes from memory", arguments: [(10, true), (3, false)])
    func readBehind(kept: Int, isRecovered: Bool) throws {
        let bench = RelayBench(memory: .init(eventsPerChannel: kept))
        bench.table.commit(10)
        bench.begin(after: 6)
        bench.table.answer(.waits, seeing: .asked)
        let client = try bench.connect()
        try client.subscribe("order", since: Self.at(2))
        bench.settle()
        bench.table.commit(10)
        bench.deliver()
        bench.table.release()
        bench.settle()
        let messages = try client.receive()
        #expect(messages.subscribed.map(\.recovered) == [isRecovered])
        #expect(messages.subscribed.map(\.position) == [Self.at(20)])
        #expect(messages.offsets == (isRecovered ? Array(3...20) : []))
    }

    @Test("of a channel on which nothing happened for long nothing was missed, however far the log went on")
    func quietChannel() throws {
        let bench = RelayBench()
        bench.table.commit(1, on: "quiet")
        bench.table.commit(50, on: "loud")
        bench.begin(after: 40)
        bench.deliver()
        let client = try bench.connect()
        try client.subscribe("quiet", since: Self.at(1))
        bench.settle()
        let messages = try client.receive()
        #expect(messages.subscribed.map(\.recovered) == [true])
        #expect(messages.offsets == [])
        #expect(bench.table.reads == 1)
    }

    @Test("whoever comes before the relay has begun waits for it, with a position or without")
    func beforeTheBeginning() throws {
        let bench = RelayBench()
        bench.table.commit(10)
        let (known, fresh) = (try bench.connect(), try bench.connect())
        try known.subscribe("order", since: Self.at(7))
        try fresh.subscribe("order")
        bench.settle()
        #expect(try known.receive().isEmpty)
        #expect(try fresh.receive().isEmpty)
        bench.begin(after: 10, keeping: 5)
        bench.settle()
        let messages = try known.receive()
        #expect(messages.subscribed.map(\.recovered) == [true])
        #expect(messages.offsets == [8, 9, 10])
        #expect(try fresh.receive().subscribed.map(\.position) == [Self.at(10)])
        #expect(bench.table.reads == 0)
    }

    @Test("a relay that begins too late makes those who came before refetch")
    func lateBeginning() throws {
        let bench = RelayBench()
        bench.table.commit(10)
        let client = try bench.connect()
        try client.subscribe("order", since: Self.at(7))
        bench.settle()
        bench.loop.advanceTime(by: .seconds(2))
        #expect(try client.receive().subscribed.map(\.recovered) == [false])
        bench.begin(after: 10)
        bench.settle()
        let stale = try #require(try client.receive().first?.event)
        #expect(stale.staleReason == .epoch)
        #expect(stale.position == Self.at(10))
    }

    @Test("what a client asks for meanwhile waits its turn")
    func order() throws {
        let bench = RelayBench()
        bench.table.commit(10)
        bench.begin(after: 10)
        bench.table.answer(.waits)
        let client = try bench.connect()
        try client.subscribe("order", since: Self.at(4), id: 1)
        try client.subscribe("contact", since: Self.at(4), id: 2)
        try client.send(ClientMessage(id: 3, unsubscribe: ["order"]))
        bench.settle()
        #expect(try client.receive().isEmpty)
        bench.table.release()
        bench.settle()
        #expect(try client.receive().map(\.kind) == ["reply 1"] + Array(repeating: "event", count: 6))
        bench.table.release()
        bench.settle()
        #expect(try client.receive().map(\.kind) == ["reply 2", "reply 3"])
        #expect(bench.hub.channels == ["contact": 1])
    }

    @Test("all that a log says to one message is bounded: for the channels beyond it is not recovered")
    func bytes() throws {
        let bench = RelayBench { $0.pendingBytesPerSession = 250 }
        for channel in ["a", "b"] as [ChannelName] {
            bench.table.commit(
                BroadcastEvent(
                    channel: channel,
                    name: .updated,
                    payload: ["text": .string(String(repeating: "x", count: 120))]
                )
            )
        }
        bench.begin(after: 2)
        let client = try bench.connect()
        try client.subscribe("a", "b", since: Self.at(0))
        bench.settle()
        let messages = try client.receive()
        #expect(messages.subscribed.filter(\.recovered).count == 1)
        #expect(messages.offsets.count == 1)
    }

    @Test("not more reads than may be are made at the same time, and the others follow in order")
    func storm() throws {
        let bench = RelayBench { $0.logReads = 2 }
        bench.table.commit(10)
        bench.begin(after: 10)
        bench.table.answer(.waits)
        let clients = try (0..<6).map { _ in try bench.connect() }
        for client in clients {
            try client.subscribe("order", since: Self.at(4))
            bench.settle()
        }
        // One that goes while it waits gives its place away.
        try clients[3].drop()
        for answered in [[0], [1], [2], [4], [5]] {
            bench.table.release(1)
            bench.settle()
            #expect(try clients.indices.filter { try !clients[$0].receive().isEmpty } == answered)
        }
        #expect(bench.table.mostReads == 2)
        #expect(bench.table.reads == 5)
    }

    @Test("those who are ahead ask the table only until the relay is there")
    func stormAhead() throws {
        let bench = RelayBench { $0.logReads = 1 }
        bench.table.commit(10)
        bench.begin(after: 6)
        bench.table.answer(.waits)
        let clients = try (0..<5).map { _ in try bench.connect() }
        for client in clients { try client.subscribe("order", since: Self.at(9)) }
        bench.settle()
        bench.deliver()
        bench.table.release()
        bench.settle()
        for client in clients {
            let messages = try client.receive()
            #expect(messages.subscribed.map(\.recovered) == [true])
            #expect(messages.offsets == [10])
        }
        #expect(bench.table.reads == 1)
    }

    @Test("a session that ends while it waits leaves nothing behind")
    func gone() throws {
        let bench = RelayBench()
        bench.table.commit(10)
        bench.begin(after: 8)
        let client = try bench.connect()
        bench.table.answer(.waits)
        try client.subscribe("order", since: Self.at(1))
        bench.settle()
        try client.drop()
        bench.table.release()
        bench.settle()
        #expect(bench.hub.connectionCount == 0)
        #expect(bench.hub.channels.isEmpty)
    }

    @Test("two logs on one connection answer each for its own channels")
    func twoLogs() throws {
        let bench = RelayBench()
        bench.table.commit(10)
        bench.begin(after: 6)
        let own = bench.hub.log.head()
        try bench.hub.publish(BroadcastEvent(channel: "free", name: .updated))
        bench.table.answer(.waits)
        let client = try bench.connect()
        let since: [ChannelName: EventPosition] = ["order": Self.at(3), "free": own]
        try client.send(ClientMessage(id: 1, subscribe: ["order", "free"], since: since))
        bench.settle()
        try bench.hub.publish(BroadcastEvent(channel: "free", name: .updated))
        bench.table.release()
        bench.deliver()
        bench.settle()
        let messages = try client.receive()
        #expect(messages.subscribed.map(\.recovered) == [true, true])
        #expect(messages.subscribed.map(\.position) == [Self.at(10), bench.hub.log.head()])
        let events = messages.compactMap(\.event)
        #expect(events.filter { $0.channel == "order" }.compactMap(\.position) == (4...10).map { Self.at($0) })
        #expect(events.filter { $0.channel == "free" }.compactMap(\.position?.offset) == [1, 2])
    }
}

extension ServerMessage {
    fileprivate var kind: String {
        switch self {
        case .reply(let reply): "reply \(reply.id.map { "\($0)" } ?? "-")"
        case .event: "event"
        default: "other"
        }
    }
}
