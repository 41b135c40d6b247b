import TestSupport
import Testing
import TidingsWire

@testable import TidingsClient

@Suite("What a server is asked for")
struct ChannelSubscriptionsTests {
    private var subscriptions = ChannelSubscriptions()

    private func position(_ offset: UInt64) -> EventPosition { EventPosition(epoch: "e", offset: offset) }

    private func event(_ channel: ChannelName, _ offset: UInt64) -> BroadcastEvent {
        BroadcastEvent(channel: channel, name: .updated, position: position(offset))
    }

    @Test("only the difference is asked for, and nothing where there is none")
    mutating func difference() {
        #expect(subscriptions.takeRequests() == [])
        subscriptions.connected(keepsEvents: true)
        #expect(subscriptions.takeRequests() == [])
        _ = subscriptions.want("order", since: nil)
        subscriptions.release("order")
        #expect(subscriptions.takeRequests() == [])
        _ = subscriptions.want("order", since: nil)
        #expect(subscriptions.takeRequests() == [ClientMessage(id: 1, subscribe: ["order"])])
        subscriptions.release("order")
        _ = subscriptions.want("order", since: nil)
        #expect(subscriptions.takeRequests() == [])
    }

    @Test(
        "who comes later to a feed is told what it told last, unless it is known; others are told what happens from now on"
    )
    mutating func feed() {
        subscriptions.connected(keepsEvents: true)
        for channel in ["feed:status", "order"] as [ChannelName] { _ = subscriptions.want(channel, since: nil) }
        let request = subscriptions.takeRequests().first?.id
        let answers = ["feed:status", "order"].map {
            SubscribedChannel(channel: $0, position: position(4), recovered: false)
        }
        _ = subscriptions.answered(ServerReply(id: request, subscribed: answers))
        let answered = ChannelSubscriptions.News.subscribed("feed:status", at: position(4), isRecovered: false)
        #expect(subscriptions.join("feed:status", since: nil) == [answered])
        let told = [event("feed:status", 5), event("feed:status", 6), event("order", 6)]
        #expect(told.allSatisfy { subscriptions.received($0) })
        let later = ChannelSubscriptions.News.subscribed("feed:status", at: position(6), isRecovered: false)
        #expect(subscriptions.join("feed:status", since: nil) == [later, .event(told[1])])
        #expect(
            subscriptions.join("feed:status", since: position(6))
                == [.subscribed("feed:status", at: position(6), isRecovered: true)]
        )
        #expect(subscriptions.join("order", since: nil) == [.subscribed("order", at: position(6), isRecovered: false)])
        // It outlives the connection, as what is shown does, but not its users.
        subscriptions.disconnected()
        #expect(subscriptions.join("feed:status", since: nil) == [.event(told[1])])
        subscriptions.release("feed:status")
        #expect(subscriptions.want("feed:status", since: nil) == [])
    }

    @Test("a channel that comes back with another position before it has gone is stale")
    mutating func comesBack() {
        subscriptions.connected(keepsEvents: true)
        _ = subscriptions.want("order", since: position(5))
        _ = subscriptions.takeRequests()
        let answer = SubscribedChannel(channel: "order", position: position(9), recovered: true)
        #expect(
            subscriptions.answered(ServerReply(id: 1, subscribed: [answer]))
                == [.subscribed("order", at: position(9), isRecovered: true)]
        )
        #expect(subscriptions.received(event("order", 7)) == true)
        subscriptions.release("order")
        // It is not heard any more, and its position still moves.
        #expect(subscriptions.received(event("order", 8)) == false)
        #expect(
            subscriptions.want("order", since: position(8))
                == [.subscribed("order", at: position(8), isRecovered: true)]
        )
        subscriptions.release("order")
        #expect(
            subscriptions.want("order", since: position(6)) == [
                .subscribed("order", at: position(8), isRecovered: false), .event(.stale("order", reason: .gap)),
            ]
        )
    }

    @Test("an answer to an earlier request is not taken for one to the last")
    mutating func earlierRequest() {
        subscriptions.connected(keepsEvents: true)
        _ = subscriptions.want("order", since: position(1))
        _ = subscriptions.takeRequests()
        subscriptions.release("order")
        _ = subscriptions.takeRequests()
        _ = subscriptions.want("order", since: position(5))
        #expect(
            subscriptions.takeRequests()
                == [ClientMessage(id: 3, subscribe: ["order"], since: ["order": position(5)])]
        )
        let first = SubscribedChannel(channel: "order", position: position(9), recovered: false)
        #expect(subscriptions.answered(ServerReply(id: 1, subscribed: [first])) == [])
        #expect(subscriptions.positions == ["order": position(5)])
        let second = SubscribedChannel(channel: "order", position: position(9), recovered: false)
        #expect(
            subscriptions.answered(ServerReply(id: 3, subscribed: [second])) == [
                .subscribed("order", at: position(9), isRecovered: false), .event(.stale("order", reason: .gap)),
            ]
        )
    }

    @Test("an unsubscribe that was refused is asked for again, unless the channel is wanted by then")
    mutating func refusedUnsubscribe() {
        subscriptions.connected(keepsEvents: true)
        _ = subscriptions.want("order", since: nil)
        _ = subscriptions.want("menu", since: nil)
        _ = subscriptions.takeRequests()
        subscriptions.release("order")
        subscriptions.release("menu")
        _ = subscriptions.takeRequests()
        _ = subscriptions.want("menu", since: nil)
        #expect(subscriptions.takeRequests() == [ClientMessage(id: 3, subscribe: ["menu"])])
        subscriptions.mustRepeat(2)
        #expect(subscriptions.takeRequests() == [ClientMessage(id: 4, unsubscribe: ["order"])])
    }

    @Test("a busy server that gives no answers is asked for everything, and to stop with what nobody wants")
    mutating func busyForgetfulServer() {
        subscriptions.connected(keepsEvents: false)
        _ = subscriptions.want("order", since: nil)
        _ = subscriptions.want("menu", since: nil)
        _ = subscriptions.takeRequests()
        subscriptions.release("menu")
        _ = subscriptions.takeRequests()
        // One of the two requests, nobody knows which.
        subscriptions.mustRepeat(nil)
        subscriptions.release("order")
        #expect(subscriptions.takeRequests() == [ClientMessage(id: 3, unsubscribe: ["order"])])
        #expect(subscriptions.received(BroadcastEvent(channel: "menu", name: .updated)) == false)
        #expect(subscriptions.takeRequests() == [ClientMessage(id: 4, unsubscribe: ["menu"])])
    }

    @Test("channels of two logs keep each its own position, and a stale one is told wherever it stands")
    mutating func twoLogs() {
        subscriptions.connected(keepsEvents: true)
        for channel in ["order", "chat"] as [ChannelName] { _ = subscriptions.want(channel, since: nil) }
        _ = subscriptions.takeRequests()
        let heads: [ChannelName: EventPosition] = [
            "order": EventPosition(epoch: "database", offset: 9000), "chat": EventPosition(epoch: "memory", offset: 3),
        ]
        let subscribed = heads.map { SubscribedChannel(channel: $0.key, position: $0.value) }
        #expect(
            subscriptions.answered(ServerReply(id: 1, subscribed: subscribed))
                == subscribed.map { .subscribed($0.channel, at: $0.position, isRecovered: false) }
        )
        func event(_ channel: ChannelName, _ epoch: String, _ offset: UInt64) -> BroadcastEvent {
            BroadcastEvent(channel: channel, name: .updated, position: EventPosition(epoch: epoch, offset: offset))
        }
        #expect(subscriptions.received(event("order", "database", 9001)) == true)
        #expect(subscriptions.received(event("chat", "memory", 4)) == true)
        #expect(subscriptions.received(event("order", "database", 9001)) == false)
        var stale = BroadcastEvent.stale("order", reason: .setAside)
        stale.position = EventPosition(epoch: "database", offset: 9000)
        #expect(subscriptions.received(stale) == true)
        subscriptions.disconnected()
        subscriptions.connected(keepsEvents: true)
        let since = subscriptions.takeRequests().map { $0.since.mapValues(\.description) }
        #expect(since == [["order": "database:9001", "chat": "memory:4"]])
        #expect(subscriptions.received(stale) == true)
    }

    @Test(
        "a position means nothing to a server that keeps no events: its pong says that the channel is heard, and stale"
    )
    mutating func forgetfulServer() {
        subscriptions.connected(keepsEvents: false)
        _ = subscriptions.want("order", since: position(5))
        _ = subscriptions.want("menu", since: nil)
        #expect(subscriptions.takeRequests() == [ClientMessage(id: 1, subscribe: ["order", "menu"], ping: 1)])
        #expect(
            subscriptions.answered(ServerReply(pong: 1)) == [
                .subscribed("order", at: nil, isRecovered: false), .event(.stale("order", reason: .gap)),
                .subscribed("menu", at: nil, isRecovered: false),
            ]
        )
        #expect(subscriptions.answered(ServerReply(pong: 1)) == [])
    }

    @Test("a server that gives no answers is taken at its word for what it was asked before, not for what came after")
    mutating func severalPings() {
        subscriptions.connected(keepsEvents: false)
        _ = subscriptions.want("order", since: nil)
        _ = subscriptions.takeRequests()
        _ = subscriptions.want("menu", since: nil)
        #expect(subscriptions.takeRequests() == [ClientMessage(id: 2, subscribe: ["menu"], ping: 2)])
        #expect(subscriptions.confirmed(by: 1) == [.subscribed("order", at: nil, isRecovered: false)])
        subscriptions.release("menu")
        #expect(subscriptions.confirmed(by: 2) == [])
    }

    @Test("a pong that comes late says that the channel is stale, and an early one nothing of what was asked for since")
    mutating func latePong() {
        subscriptions.connected(keepsEvents: false)
        _ = subscriptions.want("order", since: nil)
        _ = subscriptions.takeRequests()
        let subscribed = ChannelSubscriptions.News.subscribed("order", at: nil, isRecovered: false)
        #expect(subscriptions.stopWaiting(for: 1) == [subscribed])
        #expect(subscriptions.stopWaiting(for: 1) == [])
        #expect(subscriptions.confirmed(by: 1) == [subscribed, .event(.stale("order", reason: .gap))])
        _ = subscriptions.want("menu", since: nil)
        _ = subscriptions.takeRequests()
        subscriptions.release("menu")
        _ = subscriptions.takeRequests()
        _ = subscriptions.want("menu", since: nil)
        _ = subscriptions.takeRequests()
        #expect(subscriptions.confirmed(by: 2) == [])
        #expect(subscriptions.confirmed(by: 3) == [.subscribed("menu", at: nil, isRecovered: false)])
    }

    @Test("what is refused is told to those who wanted it, and is not heard by a pong")
    mutating func refused() {
        subscriptions.connected(keepsEvents: false)
        _ = subscriptions.want("secret", since: nil)
        _ = subscriptions.takeRequests()
        let error = WireError(.forbidden, "No.", channel: "secret")
        #expect(subscriptions.refused(error) == [.refused("secret", error)])
        #expect(subscriptions.confirmed(by: 1) == [])
    }

    /// A server that does as it is told holds what is wanted, whatever was wanted in which order and however often it was
    /// too busy.
    @Test("in the end the server holds what is wanted", arguments: [1, 2, 3, 4] as [UInt64])
    mutating func randomWalk(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let names = try (0..<8).map { try ChannelName("c\($0)") }
        var wanted: Set<ChannelName> = []
        var held: Set<ChannelName> = []
        var isConnected = false
        for step in 0..<4000 {
            let name = try #require(names.randomElement(using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1:
                if wanted.insert(name).inserted { _ = subscriptions.want(name, since: nil) }
            case 2:
                if wanted.remove(name) != nil { subscriptions.release(name) }
            case 3 where step % 20 == 0:
                subscriptions.disconnected()
                (held, isConnected) = ([], false)
            case 4 where !isConnected:
                subscriptions.connected(keepsEvents: true)
                isConnected = true
            default:
                let requests = subscriptions.takeRequests()
                #expect(isConnected || requests.isEmpty)
                for request in requests { serve(request, &held, isBusy: Int.random(in: 0..<4, using: &random) == 0) }
            }
            #expect(Set(subscriptions.channels) == wanted, "seed \(seed), step \(step)")
        }
        if !isConnected { subscriptions.connected(keepsEvents: true) }
        while case let requests = subscriptions.takeRequests(), !requests.isEmpty {
            for request in requests { serve(request, &held, isBusy: false) }
        }
        #expect(held == wanted, "seed \(seed)")
    }

    private mutating func serve(_ request: ClientMessage, _ held: inout Set<ChannelName>, isBusy: Bool) {
        guard !isBusy else { return subscriptions.mustRepeat(request.id) }
        held.formUnion(request.subscribe)
        held.subtract(request.unsubscribe)
        let head = EventPosition(epoch: "e", offset: 1)
        let subscribed = request.subscribe.map { SubscribedChannel(channel: $0, position: head) }
        _ = subscriptions.answered(ServerReply(id: request.id, subscribed: subscribed))
    }
}
