import NIOCore
import NIOEmbedded
import TestSupport
import Testing
import TidingsWire

@testable import TidingsBroadcast

/// Events are committed, told late and twice, servers start anew, tables are replaced and purged, reads come late or
/// fail, clients come and go with any position that they may have. The model is the table itself: at every moment, what
/// a client has received of a channel since its last gap is exactly what was committed there.
@Suite("A log that is kept elsewhere, whatever races what")
struct RelayedWalkTests {
    @Test("nothing is lost, doubled or reordered", arguments: 1...24 as ClosedRange<UInt64>)
    func randomWalk(seed: UInt64) throws {
        var walk = try RelayedWalk(seed: seed)
        for _ in 0..<1500 { try walk.step() }
        try walk.finish()
        // A walk in which nothing of this happens shows nothing.
        #expect(walk.counts.recovered > 10, "seed \(seed)")
        #expect(walk.counts.lost > 10, "seed \(seed)")
        #expect(walk.table.reads > 10, "seed \(seed)")
    }
}

private struct RelayedWalk {
    private let seed: UInt64
    private var random: SeededGenerator
    let table: TableLog
    private var bench: RelayBench
    private var readers: [Reader]
    private var epoch = 1
    /// Everything that was ever committed: a purged row was told all the same.
    private var history: [String: [LogEntry]] = [:]
    private let channels: [ChannelName] = ["a", "b", "c"]
    var counts: (recovered: Int, lost: Int) { readers.reduce((0, 0)) { ($0.0 + $1.recovered, $0.1 + $1.lost) } }

    init(seed: UInt64) throws {
        self.seed = seed
        random = SeededGenerator(seed: seed)
        table = TableLog(epoch: "db1")
        bench = Self.makeBench(table)
        bench.begin(after: 0)
        let bench = bench
        readers = try (0..<4).map { _ in Reader(client: try bench.connect()) }
    }

    private static func makeBench(_ table: TableLog) -> RelayBench {
        RelayBench(table: table, memory: .init(eventsPerChannel: 6, bytes: 12_000)) {
            $0.delivery = { _ in .stream }
            $0.replayedEvents = 40
            $0.logReads = 2
        }
    }

    mutating func step() throws {
        let place = random.number(in: 0...(readers.count - 1))
        switch random.number(in: 0...39) {
        case 0..<10: commit()
        case 10..<15: deliver()
        case 15..<18: bench.loop.run()
        case 18..<21: bench.executor.run()
        case 21, 22: table.release(random.number(in: 1...3), failing: random.once(in: 4))
        case 23: table.answer(.answers)
        case 24: table.answer(.waits, seeing: random.once(in: 2) ? .asked : .released)
        case 25: if random.once(in: 4) { table.answer(.fails) }
        case 26: bench.loop.advanceTime(by: .milliseconds(Int64(random.number(in: 1...900))))
        case 27..<30: try readers[place].subscribe(to: channel())
        case 30: try readers[place].unsubscribe(from: channel())
        case 31, 32: try readers[place].reconnect(to: bench)
        case 33: try readers[place].load(channel(), at: table.position)
        case 34: if random.once(in: 5) { purge() }
        case 35: if random.once(in: 6) { try restart() }
        case 36: if random.once(in: 12) { replace() }
        default: try readers[place].read(history, seed: seed)
        }
    }

    /// Everything comes to rest: what is held is complete.
    mutating func finish() throws {
        table.answer(.answers)
        bench.deliver()
        for _ in 0..<20 {
            table.release()
            bench.settle()
        }
        bench.loop.advanceTime(by: .seconds(2))
        bench.settle()
        for place in readers.indices {
            try readers[place].read(history, seed: seed)
            readers[place].expectComplete(history[table.position.epoch] ?? [], seed: seed)
        }
    }

    private mutating func channel() -> ChannelName { channels[random.number(in: 0...(channels.count - 1))] }

    private mutating func commit() {
        let told = channels.shuffled(using: &random).prefix(random.once(in: 3) ? 2 : 1)
        let event = BroadcastEvent(channel: told[0], name: .updated)
        let further = Array(told.dropFirst())
        let position = table.commit(event, alsoOn: further, leavingOut: UInt64(random.number(in: 0...2)))
        history[position.epoch, default: []].append(LogEntry(event, alsoOn: further, at: position))
    }

    /// Some of what comes next, and sometimes something of what was told before.
    private mutating func deliver() {
        let head = bench.relayed.head?.offset ?? 0
        let repeated = random.once(in: 4) ? UInt64(random.number(in: 0...3)) : 0
        let next = table.entries(after: head - min(head, repeated))
        bench.relayed.deliver(Array(next.prefix(random.number(in: 1...4))))
    }

    /// What was told a while ago is deleted.
    private mutating func purge() {
        let told = bench.relayed.head?.offset ?? 0
        table.purge(through: told - min(told, UInt64(random.number(in: 0...30))))
    }

    /// The server is another process, which begins where the table is, or was a moment ago.
    private mutating func restart() throws {
        bench = Self.makeBench(table)
        for place in readers.indices { try readers[place].reconnect(to: bench) }
        let head = table.position.offset
        bench.begin(after: head - min(head, UInt64(random.number(in: 0...4))), keeping: random.number(in: 0...10))
    }

    private mutating func replace() {
        epoch += 1
        table.replace(epoch: "db\(epoch)")
        bench.begin(after: 0)
    }
}

/// A client of the walk: what it holds, and up to where it knows it.
private struct Reader {
    private var client: ExtendedClient
    /// The request that subscribed each channel, and whether it was answered.
    private var held: [ChannelName: (request: Int, isAnswered: Bool)] = [:]
    private var positions: [ChannelName: EventPosition] = [:]
    private var lastRequest = 0
    /// How often a position was answered in each way.
    private(set) var recovered = 0
    private(set) var lost = 0

    init(client: ExtendedClient) {
        self.client = client
    }

    mutating func subscribe(to channel: ChannelName) throws {
        guard held[channel] == nil else { return }
        try request([channel])
    }

    mutating func unsubscribe(from channel: ChannelName) throws {
        guard held.removeValue(forKey: channel) != nil else { return }
        try client.send(ClientMessage(unsubscribe: [channel]))
    }

    /// Fetches the data of a channel that it does not hold: then it knows as much as the database.
    mutating func load(_ channel: ChannelName, at position: EventPosition) throws {
        guard held[channel] == nil else { return }
        positions[channel] = position
        try request([channel])
    }

    /// The socket is lost with whatever was on the way.
    mutating func reconnect(to bench: RelayBench) throws {
        try client.drop()
        client = try bench.connect()
        try request(held.keys.sorted { $0.rawValue < $1.rawValue })
    }

    private mutating func request(_ channels: [ChannelName]) throws {
        lastRequest += 1
        for channel in channels { held[channel] = (lastRequest, false) }
        let since = positions.filter { channels.contains($0.key) }
        try client.send(ClientMessage(id: RequestIdentifier(lastRequest), subscribe: channels, since: since))
    }

    mutating func read(_ history: [String: [LogEntry]], seed: UInt64) throws {
        for message in try client.receive() {
            switch message {
            case .reply(let reply): answered(reply)
            case .event(let event): received(event, history, seed: seed)
            default: break
            }
        }
    }

    private mutating func answered(_ reply: ServerReply) {
        for subscribed in reply.subscribed {
            let channel = subscribed.channel
            guard let request = held[channel]?.request, reply.id == RequestIdentifier(request) else { continue }
            held[channel]?.isAnswered = true
            if positions[channel] != nil {
                if subscribed.recovered { recovered += 1 } else { lost += 1 }
            }
            // Recovered: what was missed follows. Not recovered: the client fetches, and goes on from there.
            if !subscribed.recovered { positions[channel] = subscribed.position }
        }
    }

    private mutating func received(_ event: BroadcastEvent, _ history: [String: [LogEntry]], seed: UInt64) {
        // What comes before the answer was on its way for the subscription before.
        guard let position = event.position, held[event.channel]?.isAnswered == true else { return }
        defer { positions[event.channel] = position }
        guard !event.isStale else { return }
        let known = positions[event.channel]
        let next = history[position.epoch, default: []].first {
            $0.position.offset > known?.offset ?? 0 && $0.channels.contains(event.channel)
        }
        #expect(position.epoch == known?.epoch, "\(event.channel) changed its log unnoticed, seed \(seed)")
        #expect(position == next?.position, "\(event.channel) went from \(String(describing: known)), seed \(seed)")
    }

    func expectComplete(_ entries: [LogEntry], seed: UInt64) {
        for (channel, subscription) in held {
            #expect(subscription.isAnswered, "\(channel) was not answered, seed \(seed)")
            let last = entries.last { $0.channels.contains(channel) }?.position.offset ?? 0
            let known = positions[channel]?.offset ?? 0
            #expect(known >= last, "\(channel) is known up to \(known) of \(last), seed \(seed)")
        }
    }
}
