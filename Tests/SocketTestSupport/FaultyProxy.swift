import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// A proxy on 127.0.0.1 that does what networks do: loses what it should forward while all sockets look as well as before, is
/// slow, closes one direction, cuts, refuses, and loses answers.
public final class FaultyProxy: Sendable {
    /// What is lost. A connection that has lost something stays silent: passing on the rest would be no network's doing.
    public enum Loss: Hashable, Sendable {
        /// Nothing.
        case nothing
        /// Everything, in connections that there are and that come: accepted, and never answered.
        case everything
        /// What clients say.
        case requests
        /// What the server says on connections that are marked.
        case answersOnMarked
    }

    fileprivate struct State {
        var loss = Loss.nothing
        var refuses = false
        var delay: TimeAmount?
        var mark: [UInt8]?
        var channels: [ObjectIdentifier: any Channel] = [:]
    }

    fileprivate final class Shared: Sendable {
        let word: [UInt8]?
        let state = Mutex(State())

        init(word: String?) {
            self.word = word.map { Array($0.utf8) }
        }
    }

    /// Where it listens.
    public let port: Int
    private let listener: any Channel
    private let shared: Shared

    /// Begins to forward to a port of 127.0.0.1.
    ///
    /// - Parameter marking: A word that marks the connection on which a client says it.
    public init(to target: Int, marking word: String? = nil) async throws {
        let shared = Shared(word: word)
        self.shared = shared
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { client in
                if shared.state.withLock(\.refuses) { return client.close() }
                return Self.connect(client, to: target, shared)
            }
            .bind(host: "127.0.0.1", port: 0).get()
        guard let port = listener.localAddress?.port else { throw TestFailure("the proxy has no port") }
        self.port = port
    }

    deinit {
        close()
    }

    /// Ends it, and all connections.
    public func close() {
        listener.close(promise: nil)
        cut()
    }

    private static func connect(_ client: any Channel, to target: Int, _ shared: Shared) -> EventLoopFuture<Void> {
        ClientBootstrap(group: client.eventLoop)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: target)
            .flatMapThrowing { server in
                for channel in [client, server] {
                    shared.state.withLock { $0.channels[ObjectIdentifier(channel)] = channel }
                    channel.closeFuture.whenComplete { _ in
                        _ = shared.state.withLock { $0.channels.removeValue(forKey: ObjectIdentifier(channel)) }
                    }
                }
                let connection = Connection()
                let toServer = Forwarder(to: server, shared, connection, isRequest: true)
                let toClient = Forwarder(to: client, shared, connection, isRequest: false)
                try client.pipeline.syncOperations.addHandler(toServer)
                try server.pipeline.syncOperations.addHandler(toClient)
                for channel in [client, server] { try channel.syncOptions?.setOption(.autoRead, value: true) }
            }
            .flatMapErrorThrowing { error in
                client.close(promise: nil)
                throw error
            }
    }
}

// MARK: - Faults

extension FaultyProxy {
    /// Loses something from now on. With ``Loss/nothing``, connections that have lost something stay as they are.
    public func lose(_ loss: Loss) {
        shared.state.withLock { $0.loss = loss }
    }

    /// Forwards what comes from now on, without a delay, and takes connections again.
    public func heal() {
        shared.state.withLock { ($0.loss, $0.refuses, $0.delay, $0.mark) = (.nothing, false, nil, nil) }
    }

    /// Forwards everything so much later.
    public func delay(by delay: Duration) {
        shared.state.withLock { $0.delay = TimeAmount(delay) }
    }

    /// Ends connections that come at once.
    public func refuse() {
        shared.state.withLock { $0.refuses = true }
    }

    /// Cuts the connection that next sends these bytes to the server, when the server answers and before anything comes back.
    public func loseAnswer(to bytes: String) {
        shared.state.withLock { $0.mark = Array(bytes.utf8) }
    }

    /// Cuts all connections.
    public func cut() {
        for channel in channels { channel.close(promise: nil) }
    }

    /// Ends what goes to the client in all connections, and what goes to the server.
    public func halfClose() {
        for channel in channels { channel.close(mode: .output, promise: nil) }
    }

    private var channels: [any Channel] { shared.state.withLock { Array($0.channels.values) } }
}

/// What both directions know of a connection. It stays on their loop.
private final class Connection {
    /// Whether a client has said the word that marks it.
    var isMarked = false
    /// Whether it is cut when the server says something.
    var losesAnswer = false
    /// Whether something of it was lost.
    var isBroken = false
}

/// Hands on what one side sends to the other.
private final class Forwarder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let target: any Channel
    private let shared: FaultyProxy.Shared
    private let connection: Connection
    private let isRequest: Bool

    init(to target: any Channel, _ shared: FaultyProxy.Shared, _ connection: Connection, isRequest: Bool) {
        self.target = target
        self.shared = shared
        self.connection = connection
        self.isRequest = isRequest
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        let (loss, delay, mark) = shared.state.withLock { ($0.loss, $0.delay, $0.mark) }
        if isRequest, let word = shared.word, buffer.readableBytesView.contains(word) { connection.isMarked = true }
        if isLost(loss) { connection.isBroken = true }
        if connection.isBroken { return }
        if isRequest, let mark, buffer.readableBytesView.contains(mark) {
            shared.state.withLock { $0.mark = nil }
            connection.losesAnswer = true
        } else if !isRequest, connection.losesAnswer {
            return target.close(promise: nil)
        }
        guard let delay else { return target.writeAndFlush(buffer, promise: nil) }
        let target = target
        context.eventLoop.assumeIsolated().scheduleTask(in: delay) { target.writeAndFlush(buffer, promise: nil) }
    }

    private func isLost(_ loss: FaultyProxy.Loss) -> Bool {
        switch loss {
        case .nothing: false
        case .everything: true
        case .requests: isRequest
        case .answersOnMarked: !isRequest && connection.isMarked
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            // The other side is gone, or hears of it.
            if target.isActive { target.close(mode: .output, promise: nil) } else { context.close(promise: nil) }
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        // What the server has read by then it may still answer, to nobody. Of a silent connection nobody hears the end.
        if !connection.isBroken { target.close(mode: isRequest ? .output : .all, promise: nil) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

extension ByteBufferView {
    fileprivate func contains(_ bytes: [UInt8]) -> Bool {
        indices.contains { self[$0...].starts(with: bytes) }
    }
}
