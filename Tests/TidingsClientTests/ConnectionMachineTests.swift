import Foundation
import TestSupport
import Testing
import TidingsWire

@testable import TidingsClient

@Suite("Where a client stands with its server")
struct ConnectionMachineTests {
    private var machine = ConnectionMachine(backoff: Backoff())

    @Test("an event that was seen is not delivered again, and neither is one of a channel that nobody wants any more")
    mutating func seenBefore() {
        _ = machine.connect()
        _ = machine.subscribe(to: "order")
        _ = machine.opened(keepsEvents: true)
        func event(_ channel: ChannelName, _ epoch: String, _ offset: UInt64) -> BroadcastEvent {
            BroadcastEvent(channel: channel, name: .updated, position: EventPosition(epoch: epoch, offset: offset))
        }
        #expect(machine.received(.event(event("order", "e", 5))).count == 1)
        #expect(machine.received(.event(event("order", "e", 5))) == [])
        #expect(machine.received(.event(event("order", "e", 4))) == [])
        #expect(machine.received(.event(event("order", "e", 6))).count == 1)
        #expect(machine.received(.event(event("order", "f", 1))).count == 1)
        #expect(machine.received(.event(event("contact", "e", 7))) == [])
    }

    @Test("connects, asks for what is wanted, and delivers")
    mutating func firstConnection() {
        #expect(machine.state == .disconnected)
        #expect(machine.subscribe(to: "order") == [])
        #expect(machine.connect() == [.open(token: nil)])
        #expect(machine.state == .connecting)
        #expect(machine.connect() == [])
        #expect(machine.subscribe(to: "contact") == [])
        let request = ClientMessage(id: 1, subscribe: ["order", "contact"], ping: 1)
        #expect(machine.opened(keepsEvents: false) == [.send(request), .expectPong(1)])
        #expect(machine.state == .connected)
        let event = BroadcastEvent(channel: "order", name: .created)
        #expect(machine.received(.event(event)) == [.tell(.event(event))])
        let heard = ["order", "contact"].map { (channel: ChannelName) in
            ConnectionMachine.Action.tell(.subscribed(channel, at: nil, isRecovered: false))
        }
        #expect(machine.received(.reply(ServerReply(pong: 1))) == heard)
        #expect(machine.pongIsLate(1) == [])
    }

    @Test("tells a connected server of each new and each given up channel")
    mutating func whileConnected() {
        _ = machine.connect()
        #expect(machine.opened(keepsEvents: false) == [])
        #expect(machine.subscribe(to: "order") == [.askSoon])
        #expect(machine.subscribe(to: "contact") == [])
        let first = ClientMessage(id: 1, subscribe: ["order", "contact"], ping: 1)
        #expect(machine.ask() == [.send(first), .expectPong(1)])
        #expect(machine.unsubscribe(from: "order") == [.askSoon])
        #expect(machine.subscribe(to: "menu") == [])
        let second = ClientMessage(id: 2, subscribe: ["menu"], unsubscribe: ["order"], ping: 2)
        #expect(machine.ask() == [.send(second), .expectPong(2)])
        #expect(machine.subscriptions.channels == ["contact", "menu"])
    }

    @Test("a lost connection is made again, everything is asked for and told to be stale")
    mutating func reconnect() {
        _ = machine.connect()
        _ = machine.subscribe(to: "order")
        _ = machine.opened(keepsEvents: false)
        #expect(
            machine.ended(.closed(.abnormal, reason: "", by: .server), wasStable: true) == [
                .cancelToken, .wait(attempt: 1),
            ]
        )
        #expect(machine.state == .reconnecting)
        #expect(machine.subscribe(to: "contact") == [])
        #expect(machine.waited() == [.open(token: nil)])
        #expect(machine.state == .reconnecting)
        #expect(
            machine.opened(keepsEvents: false) == [
                .send(ClientMessage(id: 2, subscribe: ["order", "contact"], ping: 2)), .expectPong(2),
            ]
        )
        #expect(
            machine.received(.reply(ServerReply(pong: 2))) == [
                .tell(.subscribed("order", at: nil, isRecovered: false)),
                .tell(.event(.stale("order", reason: .gap))),
                .tell(.subscribed("contact", at: nil, isRecovered: false)),
            ]
        )
    }

    @Test("attempts count up until a connection has lasted")
    mutating func attempts() {
        _ = machine.connect()
        for attempt in 1...5 {
            #expect(
                machine.ended(.unreachable(ConnectionEndTests.Broken()), wasStable: false) == [
                    .cancelToken, .wait(attempt: attempt),
                ]
            )
            #expect(machine.waited() == [.open(token: nil)])
        }
        _ = machine.opened(keepsEvents: false)
        #expect(
            machine.ended(.closed(.abnormal, reason: "", by: .server), wasStable: false) == [
                .cancelToken, .wait(attempt: 6),
            ]
        )
        _ = machine.waited()
        _ = machine.opened(keepsEvents: false)
        #expect(
            machine.ended(.closed(.abnormal, reason: "", by: .server), wasStable: true) == [
                .cancelToken, .wait(attempt: 1),
            ]
        )
    }

    @Test("gives up after as many attempts as are allowed, and starts anew when asked")
    mutating func limitedAttempts() {
        machine = ConnectionMachine(backoff: Backoff(attempts: 2))
        _ = machine.connect()
        for _ in 1...2 {
            _ = machine.ended(.unreachable(ConnectionEndTests.Broken()), wasStable: false)
            _ = machine.waited()
        }
        #expect(machine.ended(.unreachable(ConnectionEndTests.Broken()), wasStable: false) == [.cancelToken])
        guard case .failed(let error) = machine.state else {
            Issue.record("not failed but \(machine.state)")
            return
        }
        #expect(error.code == .attemptsExhausted)
        #expect(machine.connect() == [.open(token: nil)])
        #expect(machine.state == .connecting)
    }

    @Test("an explicit disconnect never reconnects, from any state")
    mutating func disconnect() {
        #expect(machine.disconnect() == [])
        _ = machine.connect()
        #expect(machine.disconnect() == [.close])
        #expect(machine.state == .disconnected)
        #expect(machine.ended(.closed(.normal, reason: "", by: .client), wasStable: true) == [])
        #expect(machine.opened(keepsEvents: false) == [.close])

        _ = machine.connect()
        _ = machine.opened(keepsEvents: false)
        #expect(machine.disconnect() == [.cancelToken, .close])
        #expect(machine.ended(.closed(.abnormal, reason: "", by: .server), wasStable: true) == [])
        #expect(machine.state == .disconnected)

        _ = machine.connect()
        _ = machine.ended(.unreachable(ConnectionEndTests.Broken()), wasStable: false)
        #expect(machine.disconnect() == [.cancelWait])
        #expect(machine.waited() == [])
        #expect(machine.state == .disconnected)
    }

    @Test("connecting while waiting cuts the wait short")
    mutating func impatient() {
        _ = machine.connect()
        _ = machine.ended(.unreachable(ConnectionEndTests.Broken()), wasStable: false)
        #expect(machine.connect() == [.cancelWait, .open(token: nil)])
        #expect(machine.waited() == [])
    }

    @Test("a client that comes back after it was disconnected is told that something may have been missed")
    mutating func comesBack() {
        _ = machine.subscribe(to: "order")
        _ = machine.connect()
        _ = machine.opened(keepsEvents: false)
        _ = machine.disconnect()
        _ = machine.connect()
        let request = ClientMessage(id: 2, subscribe: ["order"], ping: 2)
        #expect(machine.opened(keepsEvents: false) == [.send(request), .expectPong(2)])
        #expect(
            machine.pongIsLate(2) == [
                .tell(.subscribed("order", at: nil, isRecovered: false)), .tell(.event(.stale("order", reason: .gap))),
            ]
        )
    }

    @Test("a server that keeps events is asked for what was missed, and says whether it knows")
    mutating func resume() {
        let (first, later) = (EventPosition(epoch: "e", offset: 5), EventPosition(epoch: "e", offset: 9))
        _ = machine.connect()
        _ = machine.subscribe(to: "order")
        _ = machine.subscribe(to: "contact")
        #expect(machine.opened(keepsEvents: true) == [.send(ClientMessage(id: 1, subscribe: ["order", "contact"]))])
        let reply = ServerReply(
            id: 1,
            subscribed: [
                SubscribedChannel(channel: "order", position: first),
                SubscribedChannel(channel: "contact", position: first),
            ]
        )
        #expect(
            machine.received(.reply(reply)) == [
                .tell(.subscribed("order", at: first, isRecovered: false)),
                .tell(.subscribed("contact", at: first, isRecovered: false)),
            ]
        )
        _ = machine.received(.event(BroadcastEvent(channel: "order", name: .updated, position: later)))
        #expect(machine.subscriptions.positions == ["order": later, "contact": first])

        _ = machine.ended(.closed(.abnormal, reason: "", by: .server), wasStable: true)
        _ = machine.waited()
        let request = ClientMessage(id: 2, subscribe: ["order", "contact"], since: ["order": later, "contact": first])
        #expect(machine.opened(keepsEvents: true) == [.send(request)])
        let head = EventPosition(epoch: "e", offset: 20)
        let answer = ServerReply(
            id: 2,
            subscribed: [
                SubscribedChannel(channel: "order", position: head, recovered: true),
                SubscribedChannel(channel: "contact", position: head, recovered: false, spread: .seconds(1)),
            ]
        )
        let actions = machine.received(.reply(answer))
        #expect(
            actions == [
                .tell(.subscribed("order", at: head, isRecovered: true)),
                .tell(.subscribed("contact", at: head, isRecovered: false)),
                .tell(.event(.stale("contact", reason: .gap))),
            ]
        )
        guard case .tell(.event(let stale)) = actions.last else { return }
        #expect(stale.spread == .seconds(1))
        // The recovered channel keeps its position until the missed events move it: the connection may be lost before.
        #expect(machine.subscriptions.positions == ["order": later, "contact": head])
    }

    @Test("a position that the application knows is asked from on the first connection")
    mutating func sinceTheFirstLoad() {
        let loaded = EventPosition(epoch: "e", offset: 5)
        _ = machine.subscribe(to: "order", since: loaded)
        _ = machine.connect()
        #expect(
            machine.opened(keepsEvents: true)
                == [.send(ClientMessage(id: 1, subscribe: ["order"], since: ["order": loaded]))]
        )
        let reply = ServerReply(id: 1, subscribed: [SubscribedChannel(channel: "order", position: loaded)])
        #expect(
            machine.received(.reply(reply)) == [
                .tell(.subscribed("order", at: loaded, isRecovered: false)),
                .tell(.event(.stale("order", reason: .gap))),
            ]
        )
    }

    @Test(
        "a channel that was asked for while connected is stale after the first reconnect, if the server keeps no events"
    )
    mutating func subscribedLater() {
        _ = machine.connect()
        _ = machine.opened(keepsEvents: false)
        _ = machine.subscribe(to: "order")
        _ = machine.ask()
        _ = machine.ended(.closed(.abnormal, reason: "", by: .server), wasStable: true)
        _ = machine.waited()
        _ = machine.opened(keepsEvents: false)
        #expect(machine.pongIsLate(2).contains(.tell(.event(.stale("order", reason: .gap)))))
    }

    @Test("what was on its way before a request to resume does not move the position")
    mutating func onItsWay() {
        func position(_ offset: UInt64) -> EventPosition { EventPosition(epoch: "e", offset: offset) }
        _ = machine.connect()
        _ = machine.opened(keepsEvents: true)
        _ = machine.subscribe(to: "order", since: position(100))
        _ = machine.ask()
        let late = BroadcastEvent(channel: "order", name: .updated, position: position(105))
        #expect(machine.received(.event(late)) == [])
        let answer = SubscribedChannel(channel: "order", position: position(105), recovered: true)
        _ = machine.received(.reply(ServerReply(id: 1, subscribed: [answer])))
        for offset: UInt64 in 101...105 {
            let event = BroadcastEvent(channel: "order", name: .updated, position: position(offset))
            #expect(machine.received(.event(event)) == [.tell(.event(event))])
        }
    }

    @Test("a draining server's time is when to come back, once")
    mutating func draining() {
        _ = machine.connect()
        _ = machine.opened(keepsEvents: true)
        #expect(machine.received(.draining(reconnectWithin: .seconds(3))) == [])
        #expect(
            machine.ended(.closed(.draining, reason: "", by: .server), wasStable: true) == [
                .cancelToken, .waitWithin(.seconds(3)),
            ]
        )
        _ = machine.waited()
        #expect(
            machine.ended(.unreachable(ConnectionEndTests.Broken()), wasStable: false) == [
                .cancelToken, .wait(attempt: 2),
            ]
        )
    }

    @Test("what the server refuses is reported and changes nothing")
    mutating func serverError() {
        _ = machine.connect()
        _ = machine.opened(keepsEvents: false)
        let error = WireError(.forbidden, "This channel is not open to you.", channel: "secret")
        #expect(machine.received(.error(error, id: nil)) == [.report(error)])
        #expect(machine.state == .connected)
    }

    @Test("many channels are asked for in messages that a server accepts")
    mutating func manyChannels() throws {
        for number in 0..<256 {
            _ = machine.subscribe(to: try ChannelName("\(number)" + String(repeating: "ü", count: 120)))
        }
        _ = machine.connect()
        let messages = machine.opened(keepsEvents: false).compactMap { action -> ClientMessage? in
            guard case .send(let message) = action else { return nil }
            return message
        }
        #expect(messages.count > 1)
        #expect(messages.flatMap(\.subscribe) == machine.subscriptions.channels)
        #expect(
            messages.allSatisfy { Dialect.extended.encode($0).allSatisfy { $0.count <= WireLimits.clientMessageBytes } }
        )
    }

    // MARK: Tokens

    private struct NoToken: Error {}

    private mutating func connectWithToken(_ token: String) {
        machine = ConnectionMachine(backoff: Backoff(), usesTokens: true)
        _ = machine.connect()
        _ = machine.authorized(.success(token))
        _ = machine.opened(keepsEvents: true)
    }

    @Test("a token is asked for before each connection")
    mutating func tokenBeforeConnecting() {
        machine = ConnectionMachine(backoff: Backoff(), usesTokens: true)
        #expect(machine.connect() == [.fetchToken])
        #expect(machine.state == .connecting)
        #expect(machine.connect() == [])
        #expect(machine.authorized(.success("one")) == [.open(token: "one")])
        _ = machine.opened(keepsEvents: true)
        #expect(
            machine.ended(.closed(.abnormal, reason: "", by: .server), wasStable: true)
                == [.cancelToken, .wait(attempt: 1)]
        )
        #expect(machine.waited() == [.fetchToken])
        #expect(machine.state == .reconnecting)
        #expect(machine.authorized(.success("one")) == [.open(token: "one")])
    }

    @Test("a provider that fails costs an attempt, and one that is not waited for is not heard")
    mutating func failingProvider() {
        machine = ConnectionMachine(backoff: Backoff(attempts: 1), usesTokens: true)
        _ = machine.connect()
        #expect(machine.authorized(.failure(NoToken())) == [.wait(attempt: 1)])
        #expect(machine.waited() == [.fetchToken])
        #expect(machine.authorized(.failure(NoToken())) == [])
        guard case .failed(let error) = machine.state else {
            Issue.record("not failed but \(machine.state)")
            return
        }
        #expect(error.code == .attemptsExhausted)
        _ = machine.connect()
        #expect(machine.disconnect() == [.cancelToken])
        #expect(machine.authorized(.success("late")) == [])
        #expect(machine.state == .disconnected)
    }

    @Test("an expired token is replaced, a refused one only by another")
    mutating func replacedToken() {
        connectWithToken("one")
        #expect(
            machine.ended(.closed(.tokenExpired, reason: "", by: .server), wasStable: true)
                == [.cancelToken, .wait(attempt: 1)]
        )
        _ = machine.waited()
        #expect(machine.authorized(.success("two")) == [.open(token: "two")])
        _ = machine.opened(keepsEvents: true)
        let refused = ConnectionEnd.closed(.notAuthenticated, reason: "", by: .server)
        #expect(machine.ended(refused, wasStable: false) == [.cancelToken, .wait(attempt: 2)])
        _ = machine.waited()
        #expect(machine.authorized(.success("two")) == [])
        guard case .failed(let error) = machine.state else {
            Issue.record("not failed but \(machine.state)")
            return
        }
        #expect(error.code == .notAuthenticated)
        // Whoever connects again has a reason to.
        #expect(machine.connect() == [.fetchToken])
        #expect(machine.authorized(.success("two")) == [.open(token: "two")])
    }

    @Test("without a provider a server that wants a token is left alone")
    mutating func noProvider() {
        _ = machine.connect()
        _ = machine.opened(keepsEvents: true)
        #expect(
            machine.ended(.closed(.notAuthenticated, reason: "", by: .server), wasStable: true) == [.cancelToken]
        )
        guard case .failed(let error) = machine.state else {
            Issue.record("not failed but \(machine.state)")
            return
        }
        #expect(error.code == .notAuthenticated)
    }

    @Test("a token is replaced on the living connection, and what was refused is asked for again")
    mutating func refresh() {
        connectWithToken("one")
        _ = machine.subscribe(to: "order")
        _ = machine.subscribe(to: "secret")
        _ = machine.ask()
        let expiry = Date(timeIntervalSince1970: 1000)
        let welcome = Welcome(
            connection: "c-1",
            server: "s",
            heartbeat: .seconds(25),
            authenticated: Authenticated(subject: "7", expiresAt: expiry)
        )
        #expect(machine.received(.welcome(welcome)) == [.expectHeartbeat(every: .seconds(25)), .expectExpiry(expiry)])
        let forbidden = WireError(.forbidden, "No.", channel: "secret")
        let reply = ServerReply(
            id: 1,
            subscribed: [SubscribedChannel(channel: "order", position: EventPosition(epoch: "e", offset: 1))],
            refused: [forbidden]
        )
        #expect(
            machine.received(.reply(reply)) == [
                .tell(.refused("secret", forbidden)),
                .tell(.subscribed("order", at: EventPosition(epoch: "e", offset: 1), isRecovered: false)),
                .report(forbidden),
            ]
        )

        #expect(machine.tokenIsAging() == [.fetchToken])
        #expect(machine.authorized(.success("one")) == [])
        #expect(machine.authorized(.failure(NoToken())) == [])
        #expect(machine.authorized(.success("two")) == [.send(ClientMessage(id: 2, authentication: "two"))])
        let later = Authenticated(subject: "7", expiresAt: expiry + 1000)
        #expect(
            machine.received(.reply(ServerReply(id: 2, authenticated: later))) == [
                .expectExpiry(expiry + 1000), .askSoon,
            ]
        )
        #expect(machine.ask() == [.send(ClientMessage(id: 3, subscribe: ["secret"]))])
    }

    // MARK: Busy servers

    @Test("what a busy server did not do is asked for again after a while")
    mutating func rateLimited() {
        _ = machine.connect()
        _ = machine.opened(keepsEvents: true)
        _ = machine.subscribe(to: "order")
        _ = machine.ask()
        _ = machine.subscribe(to: "contact")
        _ = machine.ask()
        let busy = WireError(.rateLimited, "Slower.")
        #expect(machine.received(.error(busy, id: 2)) == [.report(busy), .askLater])
        #expect(machine.received(.error(busy, id: 1)) == [.report(busy)])
        #expect(machine.subscribe(to: "menu") == [])
        #expect(machine.ask() == [.send(ClientMessage(id: 3, subscribe: ["order", "contact", "menu"]))])
    }

    @Test("a busy server that does not say which request is asked for everything, and everything is stale")
    mutating func rateLimitedWithoutIdentifier() {
        _ = machine.connect()
        _ = machine.opened(keepsEvents: false)
        _ = machine.subscribe(to: "order")
        _ = machine.ask()
        let busy = WireError(.rateLimited, "Slower.")
        #expect(machine.received(.error(busy, id: nil)) == [.report(busy), .askLater])
        #expect(
            machine.ask() == [.send(ClientMessage(id: 2, subscribe: ["order"], ping: 2)), .expectPong(2)]
        )
        #expect(machine.pongIsLate(1) == [])
        #expect(machine.pongIsLate(2).last == .tell(.event(.stale("order", reason: .gap))))
    }

    /// Whatever happens in whatever order: there is at most one socket and one wait, and never both.
    @Test(
        "no sequence of events opens two sockets or waits twice",
        arguments: [1, 2, 3, 4, 5] as [UInt64],
        [false, true]
    )
    mutating func randomWalk(seed: UInt64, usesTokens: Bool) {
        machine = ConnectionMachine(backoff: Backoff(), usesTokens: usesTokens)
        var random = SeededGenerator(seed: seed)
        var questions = 0
        var sockets = 0
        var isOpen = false
        var waits = 0
        for _ in 0..<5000 {
            let actions: [ConnectionMachine.Action]
            switch Int.random(in: 0..<10, using: &random) {
            case 0: actions = machine.connect()
            case 1: actions = machine.disconnect()
            case 2 where sockets == 1 && !isOpen:
                isOpen = true
                actions = machine.opened(keepsEvents: false)
            case 3, 4:
                guard sockets == 1 else { continue }
                sockets = 0
                isOpen = false
                let ends: [ConnectionEnd] = [
                    .unreachable(ConnectionEndTests.Broken()), .closed(.abnormal, reason: "", by: .server),
                    .refused(status: 503, detail: nil), .refused(status: 403, detail: nil),
                    .closed(.closedByOperator, reason: "", by: .server),
                    .closed(.notAuthenticated, reason: "", by: .server),
                    .closed(.tokenExpired, reason: "", by: .server),
                ]
                actions = machine.ended(
                    ends.randomElement(using: &random) ?? ends[0],
                    wasStable: Bool.random(using: &random)
                )
            case 5 where waits == 1:
                waits = 0
                actions = machine.waited()
            case 6 where questions == 1:
                questions = 0
                actions = machine.authorized(
                    Bool.random(using: &random)
                        ? .success(["one", "two", nil].randomElement(using: &random) ?? nil)
                        : .failure(NoToken())
                )
            case 7: actions = machine.tokenIsAging()
            default: continue
            }
            for action in actions {
                switch action {
                case .open: sockets += 1
                case .close:
                    sockets -= 1
                    isOpen = false
                case .wait: waits += 1
                case .cancelWait: waits -= 1
                case .send: #expect(machine.state == .connected, "seed \(seed)")
                case .waitWithin: waits += 1
                case .fetchToken:
                    #expect(usesTokens)
                    questions = 1
                case .cancelToken: questions = 0
                case .tell, .report, .expectHeartbeat, .expectExpiry, .expectPong: break
                case .askSoon, .askLater: break
                }
            }
            #expect((0...1).contains(sockets) && (0...1).contains(waits) && sockets + waits <= 1, "seed \(seed)")
            #expect((machine.state == .disconnected) == (machine.phase == .idle))
            if case .authorizing = machine.phase { #expect(questions == 1 && sockets + waits == 0, "seed \(seed)") }
        }
    }
}
