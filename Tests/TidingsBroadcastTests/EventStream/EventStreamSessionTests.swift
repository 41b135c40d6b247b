import FoundationEssentials
import NIOCore
import NIOEmbedded
import TestSupport
import Testing
import TidingsWire

@testable import TidingsBroadcast

@Suite("An event stream")
final class EventStreamSessionTests {
    private let loop = EmbeddedEventLoop()
    private let hub: BroadcastHub
    private let epoch: String

    init() {
        var configuration = BroadcastHub.Configuration()
        configuration.delivery = { $0.rawValue.hasPrefix("stream") ? .stream : .signal }
        hub = BroadcastHub(configuration: configuration)
        epoch = hub.log.head().epoch
    }

    private func publish(_ channel: ChannelName, _ number: Int, alsoOn: [ChannelName] = []) throws {
        try hub.publish(
            BroadcastEvent(channel: channel, name: .updated, payload: ["n": .integer(number)]),
            alsoOn: alsoOn
        )
    }

    private func client(_ channels: ChannelName..., after lastEventID: String? = nil) throws -> StreamClient {
        try StreamClient(hub, loop, hearing: channels, after: lastEventID)
    }

    // MARK: Beginning

    @Test("begins with the answer's head, a time to come back and where its channels stand")
    func beginning() throws {
        try publish("order", 1)
        let client = try client("order")
        let text = try client.text()
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 5)
        #expect(lines[0].hasPrefix("retry: "))
        let milliseconds = try #require(Int(lines[0].dropFirst(7)))
        #expect((1000...5000).contains(milliseconds))
        #expect(lines[1...] == ["", "id: \(epoch):1", "", ""])
        #expect(hub.channels == ["order": 1])
        #expect(hub.connectionCount == 1)
    }

    @Test("tells each event with its position, as the plain dialect does")
    func events() throws {
        let client = try client("order")
        _ = try client.receive()
        try publish("order", 1)
        try publish("other", 2)
        try publish("order", 3)
        loop.run()
        #expect(
            try client.text() == """
                id: \(epoch):1
                data: {"channel":"order","event":"updated","payload":{"n":1}}

                id: \(epoch):3
                data: {"channel":"order","event":"updated","payload":{"n":3}}


                """
        )
    }

    @Test("clients do not all wait for the same time before they come back")
    func retries() throws {
        var times: Set<Int> = []
        for _ in 0..<20 {
            let client = try client("order")
            _ = try client.receive()
            times.insert(try #require(client.reader.retry))
            try client.drop()
        }
        #expect(times.count > 5)
        #expect(hub.connectionCount == 0)
        #expect(hub.channels.isEmpty)
    }

    @Test("what the client may not hear is said, and the rest is told")
    func refused() throws {
        let error = WireError(.forbidden, "This channel is not open to you.", channel: "secret")
        let client = try StreamClient(hub, loop, hearing: ["order"], refused: [error])
        let messages = try client.receive()
        #expect(
            messages.map(\.data) == [
                #"{"error":{"code":"forbidden","message":"This channel is not open to you.","channel":"secret"}}"#
            ]
        )
        #expect(client.reader.lastEventID == "\(epoch):0")
    }

    @Test("the bytes that a client sends after its request are nobody's")
    func silent() throws {
        let client = try client("order")
        _ = try client.receive()
        try client.channel.writeInbound(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n{\"subscribe\":[\"x\"]}"))
        #expect(try client.text() == "")
        #expect(client.channel.isActive)
        #expect(hub.channels == ["order": 1])
    }

    // MARK: Resuming

    @Test("resumes after the last message that was read, once each, then goes on")
    func resume() throws {
        for number in 1...5 { try publish("order", number) }
        let client = try client("order", after: "\(epoch):2")
        #expect(try client.receive().map(\.number) == [3, 4, 5])
        try publish("order", 6)
        loop.run()
        let last = try client.receive()
        #expect(last.map(\.number) == [6])
        #expect(last.map(\.lastEventID) == ["\(epoch):6"])
    }

    @Test("who missed nothing is sent nothing, and stays where it is")
    func nothingMissed() throws {
        try publish("order", 1)
        try publish("other", 2)
        let client = try client("order", after: "\(epoch):1")
        #expect(try client.receive().isEmpty)
        #expect(client.reader.lastEventID == "\(epoch):2")
    }

    @Test(
        "several channels are resumed in the order of positions, so that every position is a good one to come back from"
    )
    func resumeSeveral() throws {
        for number in 1...9 { try publish(number.isMultiple(of: 2) ? "a" : "b", number) }
        for known in 0...9 {
            let client = try client("a", "b", after: "\(epoch):\(known)")
            let messages = try client.receive()
            #expect(messages.compactMap(\.number) == Array((known + 1)...10).dropLast())
            #expect(messages.map(\.lastEventID) == messages.compactMap(\.number).map { "\(epoch):\($0)" })
            try client.drop()
        }
    }

    @Test("several channels of one turn are told in the order of positions")
    func orderWithinTurn() throws {
        let client = try client("a", "b", "c")
        _ = try client.receive()
        for (number, channel) in (["a", "b", "a", "c", "b", "a"] as [ChannelName]).enumerated() {
            try publish(channel, number + 1)
        }
        loop.run()
        let messages = try client.receive()
        #expect(messages.map(\.number) == [1, 2, 3, 4, 5, 6])
        #expect(messages.map(\.lastEventID) == (1...6).map { "\(epoch):\($0)" })
    }

    @Test("of an event on several channels only the last message has the position: who got one of them gets all again")
    func sharedPosition() throws {
        let client = try client("order", "order:7", "table:2")
        _ = try client.receive()
        try publish("order", 1, alsoOn: ["order:7", "table:2"])
        loop.run()
        let messages = try client.receive()
        #expect(messages.map(\.number) == [1, 1, 1])
        #expect(messages.map(\.lastEventID) == ["\(epoch):0", "\(epoch):0", "\(epoch):1"])
    }

    @Test(
        "what cannot be recovered is stale",
        arguments: [("{epoch}:99", "gap"), ("other:1", "epoch"), ("nonsense", "epoch"), ("", "epoch")]
    )
    func stale(id: String, reason: String) throws {
        try publish("order", 1)
        let client = try client("order", "table", after: id.replacing("{epoch}", with: epoch))
        let messages = try client.receive()
        #expect(messages.map { $0.event?.channel } == ["order", "table"])
        #expect(messages.allSatisfy { $0.event?.staleReason?.rawValue == reason })
        #expect(client.reader.lastEventID == "\(epoch):1")
    }

    @Test("a channel whose events are gone is stale, the others of the log are resumed")
    func partlyRecovered() throws {
        let hub = BroadcastHub(log: InMemoryEventLog(limits: .init(eventsPerChannel: 2)))
        let epoch = hub.log.head().epoch
        for number in 1...3 {
            try hub.publish(BroadcastEvent(channel: "loud", name: .updated, payload: ["n": .integer(number)]))
        }
        try hub.publish(BroadcastEvent(channel: "quiet", name: .updated, payload: ["n": 4]))
        let client = try StreamClient(hub, loop, hearing: ["loud", "quiet"], after: "\(epoch):0")
        let messages = try client.receive()
        #expect(messages.first?.event == .stale("loud", reason: .gap))
        #expect(messages.dropFirst().map(\.number) == [4])
        #expect(client.reader.lastEventID == "\(epoch):4")
    }

    @Test("the newest event of a snapshot channel comes at once, and does not take the client back")
    func snapshots() throws {
        try hub.publish(BroadcastEvent(channel: "feed:load", name: "update", payload: ["data": 7]))
        try publish("order", 2)
        let client = try client("feed:load", "order")
        let messages = try client.receive()
        #expect(messages.map { $0.event?.channel } == ["feed:load"])
        #expect(messages.map(\.lastEventID) == [""])
        #expect(client.reader.lastEventID == "\(epoch):2")
        let again = try self.client("feed:load", "order", after: "\(epoch):2")
        #expect(try again.receive().map { $0.event?.channel } == ["feed:load"])
        #expect(again.reader.lastEventID == "\(epoch):2")
        let feedOnly = try self.client("feed:load", after: "\(epoch):1")
        #expect(try feedOnly.receive().isEmpty)
    }

    // MARK: Slow readers

    @Test("one that does not read gets the newest of each entity when it reads again, from where it can come back")
    func lagging() throws {
        let client = try client("order")
        _ = try client.receive()
        client.setWritable(false)
        for version in 1...50 {
            for entity in ["a", "b"] {
                try hub.publish(
                    BroadcastEvent(
                        channel: "order",
                        name: .updated,
                        payload: ["entity_id": .string(entity), "n": .integer(version)]
                    )
                )
            }
            loop.run()
        }
        #expect(try client.receive().isEmpty)
        client.setWritable(true)
        let messages = try client.receive()
        #expect(messages.map { $0.event?.payload.entityID } == ["a", "b"])
        #expect(messages.map(\.lastEventID) == ["\(epoch):99", "\(epoch):100"])
    }

    @Test("past the limit its channel is stale, without a position, and what follows has one")
    func collapsed() throws {
        let client = try client("order", "other")
        _ = try client.receive()
        client.setWritable(false)
        for number in 1...1100 { try publish("order", number) }
        loop.run()
        try publish("other", 1101)
        loop.run()
        client.setWritable(true)
        let messages = try client.receive()
        #expect(messages.first?.event == .stale("order", reason: .lagged))
        #expect(messages.first?.lastEventID == "\(epoch):0")
        #expect(messages.dropFirst().map(\.number) == [1101])
        #expect(messages.last?.lastEventID == "\(epoch):1101")
    }

    @Test("nothing is told with a position behind what was given up before the client knows that it was")
    func collapsedInBetween() throws {
        let client = try client("order", "other")
        _ = try client.receive()
        client.setWritable(false)
        for number in 1...10 { try publish("order", number) }
        try publish("other", 11)
        for number in 12...1100 { try publish("order", number) }
        loop.run()
        client.setWritable(true)
        let messages = try client.receive()
        let stale = try #require(messages.firstIndex { $0.event == .stale("order", reason: .lagged) })
        // Who is cut off before it comes back from the last identifier.
        #expect(messages[..<stale].allSatisfy { $0.lastEventID == "\(epoch):0" })
        #expect(messages.compactMap(\.number) == [11])
        #expect(messages.last?.lastEventID == "\(epoch):11")
    }

    @Test("a stream that cannot be kept up with is ended, and resumed from where it was")
    func tooSlow() throws {
        let client = try client("stream")
        _ = try client.receive()
        client.setWritable(false)
        let text = String(repeating: "x", count: 60_000)
        for number in 1...30 {
            try hub.publish(
                BroadcastEvent(channel: "stream", name: .updated, payload: ["n": .integer(number), "x": .string(text)])
            )
            loop.run()
        }
        loop.advanceTime(by: .seconds(6))
        #expect(!client.channel.isActive)
        let messages = try client.receive()
        #expect(messages.isEmpty)
        #expect(client.reader.comments.last == " 4001 a stream was read too slowly")
        #expect(hub.connectionCount == 0)
    }

    @Test("one that has nothing to read is never cut off for its silence, and gets a comment every 15 seconds")
    func heartbeat() throws {
        let idle = try client("order")
        _ = try idle.receive()
        for _ in 0..<20 {
            loop.advanceTime(by: .seconds(15))
            #expect(try idle.text() == ":\n\n")
        }
        #expect(idle.channel.isActive)
    }

    // MARK: Ending

    @Test("a server that drains ends it within the window, and tells a time to come back that is not everybody's")
    func drain() throws {
        let clients = try (0..<20).map { _ in try client("order") }
        for client in clients {
            _ = try client.receive()
            client.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
        try publish("order", 1)
        loop.advanceTime(by: .seconds(5))
        var times: Set<Int> = []
        for client in clients {
            #expect(try client.receive().map(\.number) == [1])
            #expect(client.reader.comments == [" 4000 the server is draining"])
            times.insert(try #require(client.reader.retry))
        }
        #expect(times.count > 5 && times.allSatisfy { $0 <= 5000 })
        loop.advanceTime(by: .seconds(5))
        #expect(hub.connectionCount == 0)
    }

    @Test("ends when the token has expired and the grace is over")
    func expiry() throws {
        var configuration = BroadcastHub.Configuration()
        let end = configuration.now().addingTimeInterval(-24)
        configuration.expiryGrace = .seconds(25)
        configuration.now = { [now = configuration.now] in now() }
        let hub = BroadcastHub(configuration: configuration)
        let late = Identity(subject: "42", expiresAt: end.addingTimeInterval(-2))
        let client = try StreamClient(hub, loop, hearing: ["order"], identity: late)
        _ = try client.receive()
        loop.advanceTime(by: .seconds(1))
        _ = try client.receive()
        #expect(client.reader.comments == [" 4003 the token has expired"])
    }

    // MARK: Who may hear

    @Test("before it begins it is decided what the client may hear")
    func opening() async throws {
        var configuration = BroadcastHub.Configuration()
        configuration.channelsPerSession = 2
        configuration.policy = ChannelPolicy(publicChannels: ["menu"]) { identity, channel in
            identity?.subject == "42" && channel == "order"
        }
        let hub = BroadcastHub(configuration: configuration)
        let opening = await hub.eventStreamOpening(
            hearing: ["menu", "secret", "menu", "order"],
            identity: Identity(subject: "42")
        )
        #expect(opening.granted == ["menu"])
        #expect(opening.refused.map(\.code) == [.forbidden, .tooManyChannels])
        #expect(opening.refused.map(\.channel) == ["secret", "order"])
        #expect(
            await hub.eventStreamOpening(hearing: ["order"], identity: Identity(subject: "42")).granted == ["order"]
        )
        #expect(await hub.eventStreamOpening(hearing: ["order"]).granted.isEmpty)
    }

    @Test("a subject with as many connections as it may have, or that is kept out, is told so before")
    func subjects() async throws {
        var configuration = BroadcastHub.Configuration()
        configuration.connectionsPerSubject = 1
        let hub = BroadcastHub(configuration: configuration)
        #expect(hub.refusal(of: "42") == nil)
        let client = try StreamClient(hub, loop, hearing: ["order"], identity: Identity(subject: "42"))
        #expect(hub.refusal(of: "42") == .connectionLimit)
        #expect(hub.refusal(of: "43") == nil)
        let second = try StreamClient(hub, loop, hearing: ["order"], identity: Identity(subject: "42"))
        _ = try second.receive()
        #expect(second.reader.comments.first?.hasPrefix(" 4004 ") == true)
        try client.drop()
        try second.drop()
        #expect(hub.refusal(of: "42") == nil)
    }
}
