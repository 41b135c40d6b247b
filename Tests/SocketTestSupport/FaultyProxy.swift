import NIOCore
import NIOPosix
import Synchronization

/// A proxy on 127.0.0.1 that does what networks do: stops forwarding while both sides believe that all is well, is slow,
/// closes one direction, cuts, refuses, and loses answers.
public final class FaultyProxy: Sendable {
    fileprivate struct State {
        var isFrozen = false
        var refuses = false
        var delay: TimeAmount?
        var mark: [UInt8]?
        var channels: [ObjectIdentifier: any Channel] = [:]
    }

    /// Where it listens.
    public let port: Int
    private let listener: any Channel
    private let state: Shared

    fileprivate final class Shared: Sendable {
        let state = Mutex(State())
    }

    /// Begins to forward to a port of 127.0.0.1.
    public init(to target: Int) async throws {
        let state = Shared()
        self.state = state
        let group = MultiThreadedEventLoopGroup.singleton
        listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { client in
                if state.state.withLock(\.refuses) { return client.close() }
                return Self.connect(client, to: target, state)
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

    private static func connect(_ client: any Channel, to target: Int, _ state: Shared) -> EventLoopFuture<Void> {
        ClientBootstrap(group: client.eventLoop)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: target)
            .flatMap { server in
                client.eventLoop.makeCompletedFuture {
                    for channel in [client, server] {
                        state.state.withLock { $0.channels[ObjectIdentifier(channel)] = channel }
                        channel.closeFuture.whenComplete { _ in
                            _ = state.state.withLock { $0.channels.removeValue(forKey: ObjectIdentifier(channel)) }
                        }
                    }
                    try client.pipeline.syncOperations.addHandler(Forwarder(to: server, state, isRequest: true))
                    try server.pipeline.syncOperations.addHandler(Forwarder(to: client, state, isRequest: false))
                }
                .flatMap {
                    client.setOption(.autoRead, value: true).and(server.setOption(.autoRead, value: true)).map { _ in }
                }
            }
            .flatMapErrorThrowing { error in
                client.close(promise: nil)
                throw error
            }
    }
}

// MARK: - Faults

extension FaultyProxy {
    /// Forwards nothing any more, in connections that there are and that come.
    public func freeze() {
        state.state.withLock { $0.isFrozen = true }
    }

    /// Forwards again what comes from now on, without a delay, and takes connections again.
    public func heal() {
        state.state.withLock { ($0.isFrozen, $0.refuses, $0.delay, $0.mark) = (false, false, nil, nil) }
    }

    /// Forwards everything so much later.
    public func delay(by delay: Duration) {
        state.state.withLock { $0.delay = TimeAmount(delay) }
    }

    /// Ends connections that come at once.
    public func refuse() {
        state.state.withLock { $0.refuses = true }
    }

    /// Cuts the connection that sends these bytes to the server, after they were forwarded and before anything comes back.
    public func loseAnswer(to bytes: String) {
        state.state.withLock { $0.mark = Array(bytes.utf8) }
    }

    /// Cuts all connections.
    public func cut() {
        for channel in channels { channel.close(promise: nil) }
    }

    /// Ends what goes to the client in all connections; what it sends still goes to the server.
    public func halfClose() {
        for channel in channels { channel.close(mode: .output, promise: nil) }
    }

    private var channels: [any Channel] { state.state.withLock { Array($0.channels.values) } }
}

/// Hands on what one side sends to the other.
private final class Forwarder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let target: any Channel
    private let shared: FaultyProxy.Shared
    private let isRequest: Bool
    private var losesAnswer = false

    init(to target: any Channel, _ shared: FaultyProxy.Shared, isRequest: Bool) {
        self.target = target
        self.shared = shared
        self.isRequest = isRequest
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        let (isFrozen, delay, mark) = shared.state.withLock { ($0.isFrozen, $0.delay, $0.mark) }
        if isFrozen { return }
        if isRequest, let mark, buffer.readableBytesView.contains(mark) {
            shared.state.withLock { $0.mark = nil }
            let client = context.channel
            target.writeAndFlush(buffer).whenComplete { _ in client.close(promise: nil) }
            return
        }
        guard let delay else { return target.writeAndFlush(buffer, promise: nil) }
        let target = target
        context.eventLoop.assumeIsolated().scheduleTask(in: delay) { target.writeAndFlush(buffer, promise: nil) }
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
        // What the server has read by then it may still answer, to nobody.
        target.close(mode: isRequest ? .output : .all, promise: nil)
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
