import FoundationEssentials
import Logging
import NIOCore
import TidingsWire

/// Does what the connection's machine says: opens and closes sockets, waits, sends, and hands events to those who
/// subscribed. Lives on one event loop; nothing here is touched from anywhere else.
final class ClientCore {
    /// Opens a socket; tests put their own in its place.
    typealias Connect = @Sendable (_ core: ClientCore, _ generation: Int, _ token: String?) -> Void

    /// What the core does with an open socket.
    protocol Socket {
        /// What is spoken on it.
        var dialect: Dialect { get }
        func send(_ text: [UInt8])
        /// Asks for a sign of life.
        func ping()
        func close()
    }

    /// Somebody who hears a channel.
    struct Subscriber {
        let identifier: UInt64
        let onUpdate: (@Sendable (BroadcastClient.SubscriptionUpdate) -> Void)?
        let handler: @Sendable (BroadcastEvent) -> Void
    }

    let eventLoop: any EventLoop
    private let configuration: BroadcastClient.Configuration
    private let connect: Connect
    private let stateChanged: @Sendable (BroadcastClient.State) -> Void
    private var machine: ConnectionMachine
    private var subscribers: [ChannelName: [Subscriber]] = [:]
    /// How those channels stand about which the server of this connection has said something.
    private var updates: [ChannelName: BroadcastClient.SubscriptionUpdate] = [:]
    private var generator: any RandomNumberGenerator
    private var socket: (any Socket)?
    /// Counts sockets: what an earlier one still has to say is of no interest.
    private var generation = 0
    private var openedAt: NIODeadline?
    private var timer: Scheduled<Void>?
    private var watchdog: Watchdog?
    /// Asks the application for a token. It belongs to the core and ends with the attempt or the connection.
    private var tokenTask: Task<Void, Never>?
    /// Counts questions for tokens: what an earlier one is answered is of no interest.
    private var tokenQuestion = 0
    private var expiry: (date: Date, timer: Scheduled<Void>?)?
    /// The shortest time to the next question for a token: doubled with each one near the end of a life, in case this
    /// clock is ahead of the one that tokens are made by.
    private var shortestRefresh: Double = 1

    init(
        eventLoop: any EventLoop,
        configuration: BroadcastClient.Configuration,
        connect: @escaping Connect,
        stateChanged: @escaping @Sendable (BroadcastClient.State) -> Void
    ) {
        self.eventLoop = eventLoop
        self.configuration = configuration
        self.connect = connect
        self.stateChanged = stateChanged
        machine = ConnectionMachine(backoff: configuration.backoff, usesTokens: configuration.token != nil)
        generator = configuration.makeRandomNumberGenerator()
    }
}

// MARK: - What the application asks for

extension ClientCore {
    func startConnecting() {
        run { $0.connect() }
    }

    func disconnect() {
        run { $0.disconnect() }
    }

    func subscribe(to channel: ChannelName, since: EventPosition?, _ subscriber: Subscriber) {
        subscribers[channel, default: []].append(subscriber)
        if subscribers[channel]?.count == 1 {
            run { $0.subscribe(to: channel, since: since) }
        } else if case .refused? = updates[channel], let update = updates[channel] {
            subscriber.onUpdate?(update)
        } else {
            // It alone is told.
            for news in machine.subscriptions.join(channel, since: since) { tell(subscriber, news) }
        }
    }

    func unsubscribe(from channel: ChannelName, identifier: UInt64) {
        guard let index = subscribers[channel]?.firstIndex(where: { $0.identifier == identifier }) else { return }
        subscribers[channel]?.remove(at: index)
        guard subscribers[channel]?.isEmpty == true else { return }
        subscribers[channel] = nil
        updates[channel] = nil
        run { $0.unsubscribe(from: channel) }
    }
}

// MARK: - What the socket says

extension ClientCore {
    func opened(_ socket: any Socket, generation: Int) {
        guard generation == self.generation else { return socket.close() }
        self.socket = socket
        openedAt = eventLoop.now
        configuration.logger.info("connected")
        watch(interval: configuration.heartbeatInterval)
        run { $0.opened(keepsEvents: socket.dialect == .extended) }
    }

    /// Bytes have come.
    func heard(generation: Int) {
        guard generation == self.generation else { return }
        watchdog?.lastSign = eventLoop.now
    }

    func received(_ text: [UInt8], generation: Int) {
        guard generation == self.generation, let socket else { return }
        guard let message = socket.dialect.decodeServerMessage(text) else {
            return configuration.logger.debug("the server said something that is not understood here")
        }
        configuration.logger.trace("received", metadata: ["message": "\(message)"])
        run { $0.received(message) }
    }

    func ended(_ end: ConnectionEnd, generation: Int) {
        guard generation == self.generation else { return }
        self.generation += 1
        let wasStable = openedAt.map { eventLoop.now - $0 >= TimeAmount(configuration.stableAfter) } ?? false
        forgetSocket()
        run { $0.ended(end, wasStable: wasStable) }
        if case .waiting = machine.phase {
            configuration.logger.warning("not connected, trying again", metadata: ["reason": "\(end.error)"])
        }
    }
}

// MARK: - Actions

extension ClientCore {
    private func run(_ change: (inout ConnectionMachine) -> [ConnectionMachine.Action]) {
        let before = machine.state
        let actions = change(&machine)
        if machine.state != before {
            // The reason is in the log before anybody hears of the state: a program may end because of it.
            logState()
            stateChanged(machine.state)
        }
        for action in actions { act(on: action) }
    }

    private func logState() {
        switch machine.phase {
        case .failed(let error): configuration.logger.error("gave up", metadata: ["reason": "\(error)"])
        case .idle: configuration.logger.info("disconnected")
        case .authorizing, .connecting, .connected, .waiting: break
        }
    }

    private func act(on action: ConnectionMachine.Action) {
        switch action {
        case .fetchToken:
            fetchToken()
        case .cancelToken:
            cancelToken()
        case .open(let token):
            generation += 1
            connect(self, generation, token)
        case .close:
            generation += 1
            socket?.close()
            forgetSocket()
        case .send(let message):
            configuration.logger.trace("sent", metadata: ["message": "\(message)"])
            for text in socket?.dialect.encode(message) ?? [] { socket?.send(text) }
        case .askSoon:
            let core = NIOLoopBound(self, eventLoop: eventLoop)
            eventLoop.execute { core.value.run { $0.ask() } }
        case .askLater:
            _ = eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { self.run { $0.ask() } }
        case .wait(let attempt):
            wait(configuration.backoff.delay(beforeAttempt: attempt - 1, using: &generator))
        case .waitWithin(let time):
            wait(time * Double.random(in: 0...1, using: &generator))
        case .expectHeartbeat(let interval):
            watch(interval: interval)
        case .expectExpiry(let date):
            expiry = (date, nil)
            scheduleRefresh()
        case .cancelWait:
            timer?.cancel()
            timer = nil
        case .expectPong(let ping):
            _ = eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { self.run { $0.pongIsLate(ping) } }
        case .tell(.event(let event)):
            for subscriber in subscribers[event.channel] ?? [] { subscriber.handler(event) }
        case .tell(.subscribed(let channel, let position, let isRecovered)):
            update(channel, to: .subscribed(at: position, isRecovered: isRecovered))
        case .tell(.refused(let channel, let error)):
            update(channel, to: .refused(error))
        case .report(let error):
            configuration.logger.warning("the server did not accept something", metadata: ["error": "\(error)"])
            configuration.onServerError?(error)
        }
    }

    private func tell(_ subscriber: Subscriber, _ news: ChannelSubscriptions.News) {
        switch news {
        case .event(let event): subscriber.handler(event)
        case .subscribed(_, let position, let isRecovered):
            subscriber.onUpdate?(.subscribed(at: position, isRecovered: isRecovered))
        case .refused(_, let error): subscriber.onUpdate?(.refused(error))
        }
    }

    private func update(_ channel: ChannelName, to update: BroadcastClient.SubscriptionUpdate) {
        updates[channel] = update
        for subscriber in subscribers[channel] ?? [] { subscriber.onUpdate?(update) }
    }

    private func wait(_ delay: Duration) {
        timer = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) { self.run { $0.waited() } }
    }

    private func forgetSocket() {
        let interrupted = updates.keys
        updates = [:]
        for channel in interrupted {
            for subscriber in subscribers[channel] ?? [] { subscriber.onUpdate?(.interrupted) }
        }
        socket = nil
        openedAt = nil
        watchdog?.timer.cancel()
        watchdog = nil
        expiry?.timer?.cancel()
        expiry = nil
    }
}

// MARK: - Tokens

extension ClientCore {
    private func fetchToken() {
        guard let provider = configuration.token else { return }
        cancelToken()
        let question = tokenQuestion
        let core = NIOLoopBound(self, eventLoop: eventLoop)
        let eventLoop = eventLoop
        tokenTask = Task {
            let result = await TokenProvider.token(from: provider)
            eventLoop.execute { core.value.fetched(result, for: question) }
        }
    }

    private func fetched(_ result: Result<String?, any Error>, for question: Int) {
        guard question == tokenQuestion else { return }
        tokenTask = nil
        if case .failure(let error) = result {
            configuration.logger.warning("no token", metadata: ["error": "\(error)"])
        }
        run { $0.authorized(result) }
        // If the answer was no new token there is still time to get one.
        scheduleRefresh()
    }

    private func cancelToken() {
        tokenQuestion += 1
        tokenTask?.cancel()
        tokenTask = nil
    }

    /// Has a token asked for when four fifths of the time that the present one has left are over, more often near the end,
    /// and no more when the server should have closed the connection.
    private func scheduleRefresh() {
        guard let expiry else { return }
        expiry.timer?.cancel()
        let left = expiry.date.timeIntervalSince(configuration.now())
        guard left > -(WireLimits.expiryGrace / .seconds(1)) else { return }
        let delay = TimeAmount(Duration.seconds(min(max(left * 0.8, shortestRefresh), Self.longestDelay)))
        shortestRefresh = left > Self.calmTime ? 1 : min(shortestRefresh * 2, Self.calmTime)
        self.expiry?.timer = eventLoop.assumeIsolated().scheduleTask(in: delay) { self.run { $0.tokenIsAging() } }
    }

    /// With this much left there is no hurry.
    private static var calmTime: Double { 60 }

    /// A day: a token that lasts longer is looked at again.
    private static var longestDelay: Double { 86_400 }
}

// MARK: - Signs of life

extension ClientCore {
    /// Watches over one connection: a socket whose other end is gone looks like one on which nothing happens.
    private struct Watchdog {
        /// How often something is to be heard.
        let interval: TimeAmount
        var lastSign: NIODeadline
        var timer: Scheduled<Void>
    }

    private func watch(interval: Duration) {
        watchdog?.timer.cancel()
        let amount = TimeAmount(interval)
        watchdog = Watchdog(interval: amount, lastSign: eventLoop.now, timer: look(in: amount))
    }

    private func look(in amount: TimeAmount) -> Scheduled<Void> {
        eventLoop.assumeIsolated().scheduleTask(in: amount) { self.look() }
    }

    /// Asks a server that has been silent for a while, and gives up one that has been silent for longer.
    private func look() {
        guard let watchdog, let socket else { return }
        let silence = eventLoop.now - watchdog.lastSign
        let grace = TimeAmount(configuration.heartbeatGrace)
        if silence >= watchdog.interval + grace {
            let generation = generation
            socket.close()
            ended(.closed(.noHeartbeat, reason: "no sign of life", by: .server), generation: generation)
        } else if silence >= watchdog.interval {
            socket.ping()
            self.watchdog?.timer = look(in: watchdog.interval + grace - silence)
        } else {
            self.watchdog?.timer = look(in: watchdog.interval - silence)
        }
    }
}

/// What an application gives for a token.
private enum TokenProvider {
    static func token(
        from provider: @Sendable () async throws -> String?
    ) async -> Result<String?, any Error> {
        do {
            return .success(try checked(try await provider()))
        } catch {
            return .failure(error)
        }
    }

    /// A token that would end the header that it is sent in would be taken for something else.
    private static func checked(_ token: String?) throws -> String? {
        guard let token else { return nil }
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw BroadcastClientError(
                .notAuthenticated,
                "The token is empty or has white space or other characters that no token has. Is there a line break at its end?"
            )
        }
        return token
    }
}
