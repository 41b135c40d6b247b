import NIOCore
import NIOEmbedded
import Synchronization
import TestSupport
import Testing
import TidingsWire

@testable import TidingsClient

/// A client whose loop and sockets move only when a test says so.
@Suite("A client", .timeLimit(.patience))
struct BroadcastClientTests {
    /// Sockets that a test opens and closes by hand.
    private final class FakeServer: Sendable {
        struct Attempt: Sendable {
            let core: NIOLoopBound<ClientCore>
            let generation: Int
            let sent: Sent

            func open() {
                core.value.opened(sent, generation: generation)
            }

            func receive(_ text: String) {
                core.value.received(Array(text.utf8), generation: generation)
            }

            func end(_ end: ConnectionEnd) {
                core.value.ended(end, generation: generation)
            }
        }

        final class Sent: ClientCore.Socket, Sendable {
            let dialect: Dialect
            private let state = Mutex<(texts: [String], pings: Int, isClosed: Bool)>(([], 0, false))

            func send(_ text: [UInt8]) {
                state.withLock { $0.texts.append(String(decoding: text, as: UTF8.self)) }
            }

            init(dialect: Dialect) {
                self.dialect = dialect
            }

            func ping() {
                state.withLock { $0.pings += 1 }
            }

            func close() {
                state.withLock { $0.isClosed = true }
            }

            var pings: Int { state.withLock { $0.pings } }

            var texts: [String] { state.withLock { $0.texts } }
            var isClosed: Bool { state.withLock { $0.isClosed } }
        }

        private let state = Mutex<[Attempt]>([])
        private let dialect: Dialect

        init(dialect: Dialect = .plain) {
            self.dialect = dialect
        }

        var attempts: [Attempt] { state.withLock { $0 } }

        var connect: ClientCore.Connect {
            { [self] core, generation, _ in
                let bound = NIOLoopBound(core, eventLoop: core.eventLoop)
                state.withLock { $0.append(Attempt(core: bound, generation: generation, sent: Sent(dialect: dialect))) }
            }
        }
    }

    private let loop = EmbeddedEventLoop()
    private let server = FakeServer()
    private let client: BroadcastClient

    init() {
        var configuration = BroadcastClient.Configuration()
        configuration.eventLoopGroup = loop
        configuration.makeRandomNumberGenerator = { SeededGenerator(seed: 1) }
        configuration.bufferedEvents = 4
        client = BroadcastClient(configuration: configuration, connect: server.connect)
    }

    private func attempt(_ number: Int) throws -> FakeServer.Attempt {
        loop.run()
        return try #require(server.attempts.dropFirst(number).first)
    }

    @Test("subscribes once on the wire for several users of a channel, and releases it with the last")
    func referenceCounting() throws {
        client.connect()
        let first = client.subscribe(to: "order") { _ in }
        let second = client.subscribe(to: "order") { _ in }
        try attempt(0).open()
        let sent = try attempt(0).sent
        #expect(sent.texts == [#"{"subscribe":["order"],"ping":1}"#])
        let third = client.subscribe(to: "order") { _ in }
        for subscription in [first, second] { subscription.cancel() }
        first.cancel()
        loop.run()
        #expect(sent.texts.count == 1)
        third.cancel()
        loop.run()
        #expect(sent.texts == [#"{"subscribe":["order"],"ping":1}"#, #"{"unsubscribe":["order"]}"#])
    }

    @Test("says how a channel stands with the server, also to whoever comes later, and with one that knows no pings")
    func updates() throws {
        let updates = Mutex<[String: [BroadcastClient.SubscriptionUpdate]]>([:])
        func listen(_ name: String, to channel: ChannelName) -> BroadcastClient.Subscription {
            client.subscribe(
                to: channel,
                onUpdate: { update in updates.withLock { $0[name, default: []].append(update) } },
                handler: { _ in }
            )
        }
        client.connect()
        let first = listen("first", to: "order")
        let secret = listen("secret", to: "secret")
        try attempt(0).open()
        #expect(updates.withLock { $0.isEmpty })
        try attempt(0).receive(#"{"error":{"code":"forbidden","message":"No.","channel":"secret"}}"#)
        loop.advanceTime(by: .seconds(1))
        let second = listen("second", to: "order")
        loop.run()
        try attempt(0).end(.closed(.abnormal, reason: "", by: .server))
        let subscribed = BroadcastClient.SubscriptionUpdate.subscribed(at: nil, isRecovered: false)
        let error = WireError(.forbidden, "No.", channel: "secret")
        #expect(
            updates.withLock { $0 } == [
                "first": [subscribed, .interrupted], "second": [subscribed, .interrupted],
                "secret": [.refused(error), .interrupted],
            ]
        )
        withExtendedLifetime((first, second, secret)) {}
    }

    @Test("a subscription that nobody keeps ends")
    func dropped() throws {
        client.connect()
        try attempt(0).open()
        do {
            let subscription = client.subscribe(to: "order") { _ in }
            loop.run()
            _ = subscription
        }
        loop.run()
        #expect(try attempt(0).sent.texts == [#"{"subscribe":["order"],"ping":1}"#, #"{"unsubscribe":["order"]}"#])
    }

    @Test("hands an event to the handlers of its channel, in order")
    func delivery() throws {
        let heard = Mutex<[String]>([])
        client.connect()
        let subscriptions = ["order", "contact"].map { (channel: ChannelName) in
            client.subscribe(to: channel) { event in heard.withLock { $0.append("\(channel): \(event)") } }
        }
        try attempt(0).open()
        for name in ["created", "updated"] {
            try attempt(0).receive("{\"channel\":\"order\",\"event\":\"\(name)\",\"payload\":{}}")
        }
        try attempt(0).receive(#"{"channel":"other","event":"created","payload":{}}"#)
        try attempt(0).receive("nonsense")
        #expect(heard.withLock { $0 } == ["order: order created", "order: order updated"])
        _ = subscriptions
    }

    @Test("comes back after a wait, asks for everything again and says what is stale")
    func reconnect() throws {
        let heard = Mutex<[BroadcastEvent]>([])
        let subscription = client.subscribe(to: "order") { event in heard.withLock { $0.append(event) } }
        client.connect()
        try attempt(0).open()
        try attempt(0).end(.closed(.abnormal, reason: "", by: .server))
        #expect(client.state == .reconnecting)
        #expect(server.attempts.count == 1)
        loop.advanceTime(by: .milliseconds(1000))
        try attempt(1).open()
        #expect(client.state == .connected)
        #expect(try attempt(1).sent.texts == [#"{"subscribe":["order"],"ping":2}"#])
        try attempt(1).receive(#"{"pong":2}"#)
        #expect(heard.withLock { $0 } == [.stale("order", reason: .gap)])
        _ = subscription
    }

    @Test("keeps trying, at most twenty seconds apart")
    func forEver() throws {
        client.connect()
        for number in 0..<50 {
            try attempt(number).end(.unreachable(ConnectionEndTests.Broken()))
            loop.advanceTime(by: .seconds(20))
        }
        #expect(server.attempts.count == 51)
        #expect(client.state == .reconnecting)
    }

    @Test("a refused client fails with the reason and stays away until it is told to connect")
    func refused() throws {
        client.connect()
        try attempt(0).end(.refused(status: 403, detail: "No."))
        guard case .failed(let error) = client.state else {
            Issue.record("not failed but \(client.state)")
            return
        }
        #expect(error.code == .refused)
        loop.advanceTime(by: .hours(1))
        #expect(server.attempts.count == 1)
        client.connect()
        _ = try attempt(1)
        #expect(client.state == .connecting)
    }

    @Test("what an earlier socket still says is not heard, and a late one is closed")
    func generations() throws {
        let heard = Mutex(0)
        let subscription = client.subscribe(to: "order") { _ in heard.withLock { $0 += 1 } }
        client.connect()
        let late = try attempt(0)
        client.disconnect()
        client.connect()
        let current = try attempt(1)
        late.open()
        #expect(late.sent.isClosed)
        late.receive(#"{"channel":"order","event":"created","payload":{}}"#)
        late.end(.refused(status: 403, detail: nil))
        #expect(heard.withLock { $0 } == 0)
        current.open()
        #expect(client.state == .connected)
        _ = subscription
    }

    @Test("an explicit disconnect closes the socket and never comes back")
    func disconnect() throws {
        client.connect()
        try attempt(0).open()
        client.disconnect()
        loop.run()
        #expect(try attempt(0).sent.isClosed)
        try attempt(0).end(.closed(.normal, reason: "", by: .client))
        loop.advanceTime(by: .hours(1))
        #expect(server.attempts.count == 1)
        #expect(client.state == .disconnected)
    }

    @Test("a slow reader of a sequence finds a stale event in place of what it did not read")
    func slowReader() async throws {
        let events = client.events(on: "order")
        client.connect()
        try attempt(0).open()
        for number in 0..<20 {
            try attempt(0).receive("{\"channel\":\"order\",\"event\":\"event-\(number)\",\"payload\":{}}")
        }
        var iterator = events.makeAsyncIterator()
        #expect(await iterator.next() == .stale("order", reason: .lagged))
        try attempt(0).receive(#"{"channel":"order","event":"after","payload":{}}"#)
        #expect(await iterator.next()?.name == "after")
    }

    @Test("reading a sequence ends when its task is cancelled, before or during the wait")
    func cancelledReader() async throws {
        let events = client.events(on: "order")
        let reader = Task { () -> Int in
            var count = 0
            for await _ in events { count += 1 }
            return count
        }
        reader.cancel()
        #expect(await reader.value == 0)
    }

    @Test("a sequence that nobody keeps releases its channels")
    func droppedSequence() throws {
        client.connect()
        try attempt(0).open()
        do {
            let events = client.events(on: "order", "contact")
            loop.run()
            _ = events
        }
        loop.run()
        #expect(try attempt(0).sent.texts.last == #"{"unsubscribe":["order","contact"]}"#)
    }

    @Test("follows of the state find the state of now first")
    func stateChanges() async throws {
        client.connect()
        try attempt(0).open()
        var changes = client.stateChanges.makeAsyncIterator()
        #expect(try await changes.next() == .connected)
        try attempt(0).end(.closed(.abnormal, reason: "", by: .server))
        #expect(try await changes.next() == .reconnecting)
    }

    @Test("a silent server is asked for a sign of life, and given up when it does not give one")
    func watchdog() throws {
        client.connect()
        try attempt(0).open()
        loop.advanceTime(by: .seconds(24))
        try attempt(0).core.value.heard(generation: 1)
        loop.advanceTime(by: .seconds(24))
        #expect(try attempt(0).sent.pings == 0)
        loop.advanceTime(by: .seconds(2))
        #expect(try attempt(0).sent.pings == 1)
        try attempt(0).core.value.heard(generation: 1)
        loop.advanceTime(by: .seconds(34))
        #expect(client.state == .connected)
        #expect(try attempt(0).sent.pings == 2)
        loop.advanceTime(by: .seconds(12))
        #expect(client.state == .reconnecting)
        #expect(try attempt(0).sent.isClosed)
    }

    @Test("a server that says how often it speaks is taken at its word")
    func announcedHeartbeat() throws {
        let server = FakeServer(dialect: .extended)
        var configuration = BroadcastClient.Configuration()
        configuration.eventLoopGroup = loop
        let client = BroadcastClient(configuration: configuration, connect: server.connect)
        client.connect()
        loop.run()
        let attempt = try #require(server.attempts.first)
        attempt.open()
        attempt.receive(#"{"welcome":{"connection":"c-1","server":"x","heartbeat_ms":2000}}"#)
        loop.advanceTime(by: .seconds(3))
        #expect(attempt.sent.pings == 1)
        loop.advanceTime(by: .seconds(10))
        #expect(client.state == .reconnecting)
    }

    @Test("what the server does not accept is reported")
    func serverErrors() throws {
        let reported = Mutex<[WireError]>([])
        var configuration = BroadcastClient.Configuration()
        configuration.eventLoopGroup = loop
        configuration.onServerError = { error in reported.withLock { $0.append(error) } }
        let client = BroadcastClient(configuration: configuration, connect: server.connect)
        client.connect()
        try attempt(0).open()
        try attempt(0).receive(#"{"error":{"code":"forbidden","message":"No.","channel":"secret"}}"#)
        #expect(reported.withLock { $0 } == [WireError(.forbidden, "No.", channel: "secret")])
    }
}
