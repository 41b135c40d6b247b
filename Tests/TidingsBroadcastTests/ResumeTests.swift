import NIOCore
import NIOEmbedded
import TestSupport
import Testing
import TidingsTesting
import TidingsWire

@testable import TidingsBroadcast

/// Sessions in the extended dialect on a loop that moves only when a test says so.
@Suite("Coming back with a position")
final class ResumeTests {
    private let loop = EmbeddedEventLoop()

    private func makeHub(
        limits: InMemoryEventLog.Limits = .init(),
        clock: ManualClock = ManualClock(),
        _ change: (inout BroadcastHub.Configuration) -> Void = { _ in }
    ) -> BroadcastHub {
        var configuration = BroadcastHub.Configuration()
        configuration.clientMessagesPerSecond = 1_000_000
        configuration.clientMessageBurst = 1_000_000
        change(&configuration)
        return BroadcastHub(configuration: configuration, log: InMemoryEventLog(limits: limits, clock: clock))
    }

    @Test("the first frame is a welcome, and each request has one reply with its identifier")
    func conversation() throws {
        let hub = makeHub()
        let client = try ExtendedClient(hub, loop)
        guard case .welcome(let welcome) = try client.receive().first else {
            Issue.record("no welcome")
            return
        }
        #expect(welcome.heartbeat == .seconds(25))
        #expect(welcome.connection.hasPrefix("c-"))
        try client.send(ClientMessage(id: 7, subscribe: ["order", "contact"], ping: 3))
        let head = hub.log.head()
        #expect(
            try client.receive() == [
                .reply(
                    ServerReply(
                        id: 7,
                        subscribed: [
                            SubscribedChannel(channel: "order", position: head),
                            SubscribedChannel(channel: "contact", position: head),
                        ],
                        pong: 3
                    )
                )
            ]
        )
        try client.send(ClientMessage(id: "u", unsubscribe: ["order"]))
        #expect(try client.receive() == [.reply(ServerReply(id: "u", unsubscribed: ["order"]))])
        try client.sendText(#"{"id":9,"subscribe":7}"#)
        guard case .error(let error, let id) = try client.receive().first else {
            Issue.record("no error")
            return
        }
        #expect(error.code == .badRequest)
        #expect(id == 9)
    }

    /// What a client knew, what happened, and what it is answered.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var limits = InMemoryEventLog.Limits()
        var replayedEvents = 1000
        /// Events on `order` before the client left, and after.
        var before = 3
        var after = 4
        var wait: Duration = .zero
        /// The position that it comes back with, given the one that it left with.
        var since: @Sendable (EventPosition) -> EventPosition = { $0 }
        let expected: Int?
    }

    static let cases: [Case] = [
        Case(testDescription: "nothing ever happened", before: 0, after: 0, expected: 0),
        Case(testDescription: "nothing happened meanwhile", after: 0, expected: 0),
        Case(testDescription: "something happened", expected: 4),
        Case(testDescription: "everything is asked for", since: { .init(epoch: $0.epoch, offset: 0) }, expected: 7),
        Case(testDescription: "it left the log by count", limits: .init(eventsPerChannel: 3), expected: nil),
        Case(testDescription: "just all of it is left", limits: .init(eventsPerChannel: 4), expected: 4),
        Case(
            testDescription: "it left the log by age",
            limits: .init(age: .seconds(60)),
            wait: .seconds(61),
            expected: nil
        ),
        Case(testDescription: "nothing was there to leave", before: 0, after: 0, wait: .seconds(600), expected: 0),
        Case(testDescription: "the future", since: { .init(epoch: $0.epoch, offset: $0.offset + 100) }, expected: nil),
        Case(
            testDescription: "another epoch",
            since: { .init(epoch: "x" + $0.epoch, offset: $0.offset) },
            expected: nil
        ),
        Case(testDescription: "more than is replayed", replayedEvents: 3, expected: nil),
        Case(testDescription: "as much as is replayed", replayedEvents: 4, expected: 4),
    ]

    @Test("is answered all or nothing", arguments: cases)
    func table(_ test: Case) throws {
        let clock = ManualClock()
        let hub = makeHub(limits: test.limits, clock: clock) { $0.replayedEvents = test.replayedEvents }
        for _ in 0..<test.before { try hub.publish(BroadcastEvent(channel: "order", name: .updated)) }
        let left = hub.log.head()
        for number in 0..<test.after {
            try hub.publish(BroadcastEvent(channel: "order", name: .updated, payload: ["number": .integer(number)]))
        }
        clock.advance(by: test.wait)
        let client = try ExtendedClient(hub, loop)
        _ = try client.receive()
        try client.send(ClientMessage(id: 1, subscribe: ["order"], since: ["order": test.since(left)]))
        try hub.publish(BroadcastEvent(channel: "order", name: "live"))
        loop.run()
        var messages = try client.receive()
        guard case .reply(let reply) = messages.removeFirst(), case .event(let live) = messages.removeLast() else {
            Issue.record("not a reply first and the live event last")
            return
        }
        #expect(reply.subscribed.map(\.recovered) == [test.expected != nil])
        #expect(reply.subscribed.first?.position == hub.log.head().before)
        #expect(live.name == "live")
        let missed = messages.compactMap(\.event)
        #expect(missed.count == test.expected ?? 0)
        let offsets = (missed + [live]).compactMap(\.position?.offset)
        #expect(offsets == offsets.sorted() && Set(offsets).count == offsets.count)
    }

    @Test("of several channels each is answered for itself")
    func severalChannels() throws {
        let hub = makeHub(limits: .init(eventsPerChannel: 2))
        let left = hub.log.head()
        for _ in 0..<3 { try hub.publish(BroadcastEvent(channel: "gone", name: .updated)) }
        try hub.publish(BroadcastEvent(channel: "kept", name: .updated))
        let client = try ExtendedClient(hub, loop)
        _ = try client.receive()
        let since: [ChannelName: EventPosition] = ["gone": left, "kept": left, "quiet": left]
        try client.send(ClientMessage(id: 1, subscribe: ["gone", "kept", "quiet", "new"], since: since))
        let messages = try client.receive()
        guard case .reply(let reply) = messages.first else {
            Issue.record("no reply")
            return
        }
        #expect(reply.subscribed.map(\.channel) == ["gone", "kept", "quiet", "new"])
        #expect(reply.subscribed.map(\.recovered) == [false, true, true, false])
        #expect(messages.dropFirst().compactMap(\.event).map(\.channel) == ["kept"])
    }

    @Test("a channel that is held already is not replayed")
    func held() throws {
        let hub = makeHub()
        let left = hub.log.head()
        let client = try ExtendedClient(hub, loop)
        try client.send(ClientMessage(id: 1, subscribe: ["order"]))
        try hub.publish(BroadcastEvent(channel: "order", name: .updated))
        loop.run()
        _ = try client.receive()
        try client.send(ClientMessage(id: 2, subscribe: ["order"], since: ["order": left]))
        let messages = try client.receive()
        #expect(messages.count == 1)
    }

    @Test("a snapshot's newest event comes at once, unless the client has it")
    func snapshot() throws {
        let hub = makeHub { $0.delivery = { $0 == "feed:status" ? .snapshot : .signal } }
        for number in 1...3 {
            try hub.publish(
                BroadcastEvent(channel: "feed:status", name: "update", payload: ["number": .integer(number)])
            )
        }
        let newest = hub.log.head()
        let (fresh, knowing) = (try ExtendedClient(hub, loop), try ExtendedClient(hub, loop))
        for client in [fresh, knowing] { _ = try client.receive() }
        try fresh.send(ClientMessage(id: 1, subscribe: ["feed:status"]))
        let messages = try fresh.receive()
        #expect(messages.compactMap(\.event).map(\.payload) == [["number": 3]])
        guard case .reply(let reply) = messages.first else {
            Issue.record("no reply")
            return
        }
        // Or a client would take the snapshot for one that it has seen.
        #expect(reply.subscribed.first?.position == newest.before)
        try knowing.send(ClientMessage(id: 1, subscribe: ["feed:status"], since: ["feed:status": newest]))
        #expect(try knowing.receive().compactMap(\.event).isEmpty)
    }

    @Test("a payload that is larger than it may be is refused, whoever publishes it")
    func largePayload() async throws {
        let hub = makeHub {
            $0.policy = ChannelPolicy(publishableChannels: ["chat"])
            $0.payloadBytes = 100
        }
        let client = try ExtendedClient(hub, loop)
        _ = try client.receive()
        let payload: EventPayload = ["text": .string(String(repeating: "x", count: 100))]
        try client.send(ClientMessage(id: 1, publish: PublishRequest(channel: "chat", payload: payload)))
        guard case .reply(let reply) = try client.receive().first else {
            Issue.record("no reply")
            return
        }
        #expect(reply.refused.map(\.code) == [.tooLarge])
        #expect(reply.published == nil)
        let backend = WebSocketBroadcastBackend(hub: hub)
        await #expect(throws: BroadcastError.self) { try await backend.broadcast("updated", on: "chat", payload) }
        try await backend.broadcast("updated", on: "chat", ["text": "short"])
    }

    @Test("publishing is refused unless it is allowed, and answered with the position")
    func publishing() throws {
        let hub = makeHub { $0.policy = ChannelPolicy(publishableChannels: ["chat"]) }
        let client = try ExtendedClient(hub, loop)
        _ = try client.receive()
        try client.send(ClientMessage(id: 1, publish: PublishRequest(channel: "order")))
        guard case .reply(let refusal) = try client.receive().first else {
            Issue.record("no reply")
            return
        }
        #expect(refusal.refused.map(\.code) == [.forbidden])
        try client.send(ClientMessage(id: 2, subscribe: ["chat"], publish: PublishRequest(channel: "chat")))
        loop.run()
        let messages = try client.receive()
        guard case .reply(let reply) = messages.first else {
            Issue.record("no reply")
            return
        }
        #expect(reply.published == hub.log.head())
        #expect(messages.compactMap(\.event).map(\.position) == [reply.published])
    }

    @Test("an event on several channels has one position on all of them, for whoever hears it and whoever missed it")
    func severalChannelsOnePosition() throws {
        let hub = makeHub()
        let start = hub.log.head()
        let client = try ExtendedClient(hub, loop)
        _ = try client.receive()
        try client.send(ClientMessage(subscribe: ["order", "order:1"]))
        let event = BroadcastEvent(channel: "order", name: .updated, payload: ["entity_id": "1"])
        let position = try hub.publish(event, alsoOn: ["order:1", "table:7"])
        loop.run()
        let events = try client.receive().compactMap(\.event)
        #expect(events.map(\.channel) == ["order", "order:1"])
        #expect(events.map(\.position) == [position, position])
        let late = try ExtendedClient(hub, loop)
        _ = try late.receive()
        try late.send(ClientMessage(subscribe: ["table:7"], since: ["table:7": start]))
        #expect(try late.receive().compactMap(\.event).map(\.position) == [position])
        #expect(hub.log.head() == position)
    }

    @Test("more than a hundred subscribers are told to spread their requests")
    func spread() throws {
        let hub = makeHub { $0.refetchesPerSecond = 100 }
        let clients = try (0..<101).map { _ in try ExtendedClient(hub, loop) }
        for client in clients.dropLast() { try client.send(ClientMessage(subscribe: ["order"])) }
        try hub.publish(BroadcastEvent(channel: "order", name: .updated))
        loop.run()
        #expect(try clients[0].receive().compactMap(\.event).map(\.spread) == [nil])
        try clients[100].send(ClientMessage(subscribe: ["order"]))
        try hub.publish(BroadcastEvent(channel: "order", name: .updated))
        loop.run()
        #expect(try clients[0].receive().compactMap(\.event).map(\.spread) == [.milliseconds(1010)])
    }

    /// Clients come and go, events are published, in any order and with any delay. Each client keeps its positions as a
    /// client does. At every moment: what it has received of a channel since its last gap is exactly what was published.
    @Test("no event is lost, doubled or reordered, whatever races what", arguments: [1, 2, 3, 4] as [UInt64])
    func randomWalk(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let hub = makeHub(limits: .init(eventsPerChannel: 20)) { $0.delivery = { _ in .stream } }
        let channels: [ChannelName] = ["a", "b", "c"]
        var published: [ChannelName: [UInt64]] = [:]
        var readers = try (0..<4).map { _ in try Reader(hub, loop) }
        for _ in 0..<3000 {
            let place = Int.random(in: 0..<readers.count, using: &random)
            let channel = try #require(channels.randomElement(using: &random))
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<10:
                let position = try hub.publish(BroadcastEvent(channel: channel, name: .updated))
                published[channel, default: []].append(position.offset)
            case 10..<13: loop.run()
            case 13, 14:
                // A client asks from where it is, and that is past what has come already.
                try readers[place].read(published, seed: seed)
                try readers[place].subscribe(to: channel)
            case 15: try readers[place].unsubscribe(from: channel)
            case 16, 17: try readers[place].reconnect(hub, loop)
            default: try readers[place].read(published, seed: seed)
            }
        }
        loop.run()
        for place in readers.indices {
            try readers[place].read(published, seed: seed)
            readers[place].expectComplete(published, seed: seed)
        }
    }
}

// MARK: - Clients

/// A client of the random walk: what it holds, and up to where it knows it.
private struct Reader {
    private var client: ExtendedClient
    private var held: Set<ChannelName> = []
    private var positions: [ChannelName: EventPosition] = [:]

    init(_ hub: BroadcastHub, _ loop: EmbeddedEventLoop) throws {
        client = try ExtendedClient(hub, loop)
    }

    mutating func subscribe(to channel: ChannelName) throws {
        guard held.insert(channel).inserted else { return }
        try client.send(ClientMessage(id: 1, subscribe: [channel], since: positions.filter { $0.key == channel }))
    }

    mutating func unsubscribe(from channel: ChannelName) throws {
        guard held.remove(channel) != nil else { return }
        try client.send(ClientMessage(id: 2, unsubscribe: [channel]))
    }

    /// The socket is lost with whatever was on the way.
    mutating func reconnect(_ hub: BroadcastHub, _ loop: EmbeddedEventLoop) throws {
        try client.drop()
        client = try ExtendedClient(hub, loop)
        try client.send(ClientMessage(id: 3, subscribe: Array(held), since: positions.filter { held.contains($0.key) }))
    }

    mutating func read(_ published: [ChannelName: [UInt64]], seed: UInt64) throws {
        for message in try client.receive() {
            switch message {
            case .reply(let reply):
                // Recovered: what was missed follows. Not recovered: a gap, and the position is the server's.
                for subscribed in reply.subscribed where !subscribed.recovered {
                    positions[subscribed.channel] = subscribed.position
                }
            case .event(let event):
                guard let position = event.position else { continue }
                let known = positions[event.channel]?.offset ?? 0
                let next = published[event.channel, default: []].first { $0 > known }
                #expect(position.offset == next, "\(event.channel) went from \(known), seed \(seed)")
                positions[event.channel] = position
            default: break
            }
        }
    }

    func expectComplete(_ published: [ChannelName: [UInt64]], seed: UInt64) {
        for channel in held {
            let known = positions[channel]?.offset ?? 0
            #expect(!published[channel, default: []].contains { $0 > known }, "\(channel) is incomplete, seed \(seed)")
        }
    }
}

extension EventPosition {
    /// The position of the event before, on a log where something happened.
    fileprivate var before: EventPosition { EventPosition(epoch: epoch, offset: offset - 1) }
}
