import NIOCore
import TestSupport
import Testing
import TidingsWire

@testable import TidingsBroadcast

@Suite("An event stream over several logs")
struct EventStreamLogTests {
    @Test("its identifier has a position of each log, and each is resumed by its own")
    func twoLogs() throws {
        let bench = RelayBench()
        bench.begin(after: 0)
        let own = bench.hub.log.head().epoch
        let client = try StreamClient(bench.hub, bench.loop, hearing: ["free", "order"])
        _ = try client.receive()
        #expect(client.reader.lastEventID == "\(own):0,db1:0")
        bench.table.commit(BroadcastEvent(channel: "order", name: .updated, payload: ["n": 1]))
        bench.deliver()
        try bench.hub.publish(BroadcastEvent(channel: "free", name: .updated, payload: ["n": 2]))
        bench.settle()
        let messages = try client.receive()
        #expect(messages.map(\.number) == [1, 2])
        #expect(messages.map(\.lastEventID) == ["\(own):0,db1:1", "\(own):1,db1:1"])
        try client.drop()

        bench.table.commit(BroadcastEvent(channel: "order", name: .updated, payload: ["n": 3]))
        bench.deliver()
        try bench.hub.publish(BroadcastEvent(channel: "free", name: .updated, payload: ["n": 4]))
        for (id, numbers) in [
            ("\(own):1,db1:1", [4, 3]), ("db1:1,\(own):1", [4, 3]), ("\(own):2,db1:1", [3]),
            ("\(own):0,db1:2", [2, 4]),
        ] {
            let again = try StreamClient(bench.hub, bench.loop, hearing: ["free", "order"], after: id)
            bench.settle()
            #expect(try again.receive().compactMap(\.number).sorted() == numbers.sorted())
            #expect(again.reader.lastEventID == "\(own):2,db1:2")
            try again.drop()
        }
        // One of the logs is another than it was.
        let again = try StreamClient(bench.hub, bench.loop, hearing: ["free", "order"], after: "\(own):2,db0:7")
        #expect(try again.receive().map(\.event) == [.stale("order", reason: .epoch)])
        #expect(again.reader.lastEventID == "\(own):2,db1:2")
    }

    @Test("a relay that has not begun is waited for, by whoever has a position of its log")
    func notBegun() throws {
        let bench = RelayBench()
        bench.table.commit(BroadcastEvent(channel: "order", name: .updated, payload: ["n": 1]))
        bench.table.commit(BroadcastEvent(channel: "order", name: .updated, payload: ["n": 2]))
        let own = bench.hub.log.head()
        let client = try StreamClient(bench.hub, bench.loop, hearing: ["free", "order"], after: "db1:1,\(own)")
        bench.settle()
        #expect(try client.receive().isEmpty)
        bench.begin(after: 2)
        bench.settle()
        #expect(try client.receive().map(\.number) == [2])
        #expect(client.reader.lastEventID == "\(own),db1:2")
    }

    @Test("a log that is replaced while the stream goes on makes it stale and goes on with the other's positions")
    func replaced() throws {
        let bench = RelayBench()
        bench.begin(after: 0)
        let client = try StreamClient(bench.hub, bench.loop, hearing: ["order"])
        _ = try client.receive()
        bench.relayed.begin(after: EventPosition(epoch: "db2", offset: 5))
        bench.settle()
        let messages = try client.receive()
        #expect(messages.map(\.event) == [.stale("order", reason: .epoch)])
        #expect(messages.map(\.lastEventID) == ["db2:5"])
    }
}

/// Readers that come and go, at any message, over two logs: what is published reaches them once and in order.
@Suite("An event stream: random walks")
struct EventStreamWalkTests {
    private static let channels: [ChannelName] = ["free:a", "free:b", "order", "table:7"]

    /// What a reader has made of it.
    private struct Reading {
        var lastEventID: String?
        /// The numbers that came, of each channel.
        var numbers: [ChannelName: [Int]] = [:]
    }

    @Test("nothing is lost, doubled or out of order", arguments: 0..<60 as Range<UInt64>)
    func walk(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let bench = RelayBench { $0.delivery = { _ in .stream } }
        bench.begin(after: 0)
        var (published, shared): ([ChannelName: [Int]], Set<Int>) = ([:], [])
        var number = 0
        var reading = Reading()
        var client = try StreamClient(bench.hub, bench.loop, hearing: Self.channels)
        try read(client, all: true, &reading, &random)
        for _ in 0..<300 {
            switch random.number(in: 0...9) {
            case 0...4:
                number += 1
                let isRelayed = random.once(in: 2)
                let pair: [ChannelName] = isRelayed ? ["order", "table:7"] : ["free:a", "free:b"]
                let told = random.once(in: 4) ? pair : [pair[random.number(in: 0...1)]]
                if told.count > 1 { shared.insert(number) }
                for channel in told { published[channel, default: []].append(number) }
                let event = BroadcastEvent(channel: told[0], name: .updated, payload: ["n": .integer(number)])
                if isRelayed {
                    bench.table.commit(event, alsoOn: Array(told.dropFirst()))
                    bench.deliver()
                } else {
                    try bench.hub.publish(event, alsoOn: Array(told.dropFirst()))
                }
            case 5, 6: bench.settle()
            case 7: client.setWritable(random.once(in: 2))
            case 8: try read(client, all: true, &reading, &random)
            default:
                // The connection breaks behind any message.
                try read(client, all: false, &reading, &random)
                try client.drop()
                client = try StreamClient(bench.hub, bench.loop, hearing: Self.channels, after: reading.lastEventID)
                bench.settle()
            }
        }
        client.setWritable(true)
        bench.settle()
        try read(client, all: true, &reading, &random)
        for channel in Self.channels {
            var last = 0
            let received = (reading.numbers[channel] ?? []).filter { number in
                // One that stands on two channels may come again, if the connection broke between them.
                if shared.contains(number), number <= last { return false }
                last = number
                return true
            }
            #expect(received == published[channel] ?? [])
        }
    }

    private func read(
        _ client: StreamClient,
        all: Bool,
        _ reading: inout Reading,
        _ random: inout SeededGenerator
    ) throws {
        let messages = try client.receive()
        let count = all ? messages.count : random.number(in: 0...messages.count)
        for message in messages.prefix(count) {
            let event = try #require(message.event)
            reading.numbers[event.channel, default: []].append(try #require(message.number))
            if !message.lastEventID.isEmpty { reading.lastEventID = message.lastEventID }
        }
        if count == messages.count, !client.reader.lastEventID.isEmpty {
            reading.lastEventID = client.reader.lastEventID
        }
    }
}
