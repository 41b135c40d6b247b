import Logging
import NIOCore
import TidingsWire

/// Does what the connection's machine says: opens and closes sockets, waits, sends, and hands events to those who
/// subscribed. Lives on one event loop; nothing here is touched from anywhere else.
final class ClientCore {
    /// Opens a socket; tests put their own in its place.
    typealias Connect = @Sendable (_ core: ClientCore, _ generation: Int) -> Void

    /// What the core does with an open socket.
    protocol Socket {
        /// What is spoken on it.
        var dialect: Dialect { get }
        func send(_ text: [UInt8])
        /// Asks for a sign of life.
        func ping()
        func close()
    }

    typealias Handler = @Sendable (BroadcastEvent) -> Void

    let eventLoop: any EventLoop
    private let configuration: BroadcastClient.Configuration
    private let connect: Connect
    private let stateChanged: @Sendable (BroadcastClient.State) -> Void
    private var machine: ConnectionMachine
    private var subscribers: [ChannelName: [(identifier: UInt64, handler: Handler)]] = [:]
    private var generator: any RandomNumberGenerator
    private var socket: (any Socket)?
    /// Counts sockets: what an earlier one still has to say is of no interest.
    private var generation = 0
    private var openedAt: NIODeadline?
    private var timer: Scheduled<Void>?
    private var watchdog: Watchdog?

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
        machine = ConnectionMachine(backoff: configuration.backoff)
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

    func subscribe(
        to channel: ChannelName,
        since: EventPosition?,
        identifier: UInt64,
        handler: @escaping Handler
    ) {
        subscribers[channel, default: []].append((identifier, handler))
        if subscribers[channel]?.count == 1 { run { $0.subscribe(to: channel, since: since) } }
    }

    func unsubscribe(from channel: ChannelName, identifier: UInt64) {
        guard let index = subscribers[channel]?.firstIndex(where: { $0.identifier == identifier }) else { return }
        subscribers[channel]?.remove(at: index)
        guard subscribers[channel]?.isEmpty == true else { return }
        subscribers[channel] = nil
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
        guard generation == self.generation, let message = socket?.dialect.decodeServerMessage(text) else { return }
        run { $0.received(message) }
    }

    func ended(_ end: ConnectionEnd, generation: Int) {
        guard generation == self.generation else { return }
        self.generation += 1
        let wasStable = openedAt.map { eventLoop.now - $0 >= TimeAmount(configuration.stableAfter) } ?? false
        forgetSocket()
        // The reason is in the log before anybody hears of the state: a program may end because of it.
        run({ $0.ended(end, wasStable: wasStable) }, andThen: { self.logEnd(end) })
    }

    private func logEnd(_ end: ConnectionEnd) {
        switch machine.phase {
        case .waiting: configuration.logger.warning("not connected, trying again", metadata: ["reason": "\(end.error)"])
        case .failed(let error): configuration.logger.error("gave up", metadata: ["reason": "\(error)"])
        default: configuration.logger.info("disconnected")
        }
    }
}

// MARK: - Actions

extension ClientCore {
    private func run(
        _ change: (inout ConnectionMachine) -> [ConnectionMachine.Action],
        andThen log: () -> Void = {}
    ) {
        let before = machine.state
        let actions = change(&machine)
        log()
        if machine.state != before { stateChanged(machine.state) }
        for action in actions { act(on: action) }
    }

    private func act(on action: ConnectionMachine.Action) {
        switch action {
        case .open:
            generation += 1
            connect(self, generation)
        case .close:
            generation += 1
            socket?.close()
            forgetSocket()
        case .send(let message):
            for text in socket?.dialect.encode(message) ?? [] { socket?.send(text) }
        case .wait(let attempt):
            wait(configuration.backoff.delay(beforeAttempt: attempt - 1, using: &generator))
        case .waitWithin(let time):
            wait(time * Double.random(in: 0...1, using: &generator))
        case .expectHeartbeat(let interval):
            watch(interval: interval)
        case .cancelWait:
            timer?.cancel()
            timer = nil
        case .deliver(let event):
            for (_, handler) in subscribers[event.channel] ?? [] { handler(event) }
        case .report(let error):
            configuration.logger.warning("the server did not accept something", metadata: ["error": "\(error)"])
            configuration.onServerError?(error)
        }
    }

    private func wait(_ delay: Duration) {
        timer = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) { self.run { $0.waited() } }
    }

    private func forgetSocket() {
        socket = nil
        openedAt = nil
        watchdog?.timer.cancel()
        watchdog = nil
    }
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
