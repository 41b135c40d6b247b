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
        func send(_ text: [UInt8])
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

    func subscribe(to channel: ChannelName, identifier: UInt64, handler: @escaping Handler) {
        subscribers[channel, default: []].append((identifier, handler))
        if subscribers[channel]?.count == 1 { run { $0.subscribe(to: channel) } }
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
        run { $0.opened() }
    }

    func received(_ text: [UInt8], generation: Int) {
        guard generation == self.generation, let message = PlainDialect.decodeServerMessage(text) else { return }
        run { $0.received(message) }
    }

    func ended(_ end: ConnectionEnd, generation: Int) {
        guard generation == self.generation else { return }
        let wasStable = openedAt.map { eventLoop.now - $0 >= TimeAmount(configuration.stableAfter) } ?? false
        socket = nil
        openedAt = nil
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
            socket = nil
            openedAt = nil
        case .send(let message):
            socket?.send(PlainDialect.encode(message))
        case .wait(let attempt):
            let delay = configuration.backoff.delay(beforeAttempt: attempt - 1, using: &generator)
            timer = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) { self.run { $0.waited() } }
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
}
