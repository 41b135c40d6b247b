import NIOCore
import NIOPosix
import SocketTestSupport
import Synchronization

/// A proxy in front of a Redis that loses what it should forward, while all sockets look as well as before.
final class FaultyProxy: Sendable {
    /// What is lost.
    enum Fault: Sendable {
        case none
        /// Everything, in connections that there are and that come: accepted, and never answered.
        case everything
        /// What the server says on connections that have subscribed to something.
        case subscriptions
        /// What clients say.
        case requests
    }

    let port: Int
    private let listener: any Channel
    private let fault: SharedFault

    private final class SharedFault: Sendable {
        private let value = Mutex(Fault.none)
        var current: Fault { value.withLock { $0 } }
        func set(_ fault: Fault) { value.withLock { $0 = fault } }
    }

    private init(port: Int, listener: any Channel, fault: SharedFault) {
        (self.port, self.listener, self.fault) = (port, listener, fault)
    }

    deinit {
        listener.close(promise: nil)
    }

    static func start(to target: Int) async throws -> FaultyProxy {
        let fault = SharedFault()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in
                ClientBootstrap(group: client.eventLoop)
                    .channelOption(.autoRead, value: false)
                    .connect(host: "127.0.0.1", port: target)
                    .flatMapThrowing { server in
                        let connection = Connection()
                        try client.pipeline.syncOperations.addHandler(
                            Pipe(to: server, fault, connection, isRequest: true)
                        )
                        try server.pipeline.syncOperations.addHandler(
                            Pipe(to: client, fault, connection, isRequest: false)
                        )
                        for channel in [client, server] { try channel.syncOptions?.setOption(.autoRead, value: true) }
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        guard let port = listener.localAddress?.port else { throw TestFailure("no port") }
        return FaultyProxy(port: port, listener: listener, fault: fault)
    }

    func lose(_ what: Fault) { fault.set(what) }

    /// What both directions know of a connection. Stays on their loop.
    private final class Connection {
        var hasSubscribed = false
        /// One that has lost something stays silent: passing on the rest would be no network's doing.
        var isBroken = false
    }

    private final class Pipe: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let other: any Channel
        private let fault: SharedFault
        private let connection: Connection
        private let isRequest: Bool

        init(to other: any Channel, _ fault: SharedFault, _ connection: Connection, isRequest: Bool) {
            (self.other, self.fault, self.connection, self.isRequest) = (other, fault, connection, isRequest)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = unwrapInboundIn(data)
            if isRequest, String(buffer: buffer).contains("SUBSCRIBE") { connection.hasSubscribed = true }
            switch fault.current {
            case .none: break
            case .everything: connection.isBroken = true
            case .subscriptions where !isRequest && connection.hasSubscribed: connection.isBroken = true
            case .requests where isRequest: connection.isBroken = true
            default: break
            }
            if !connection.isBroken { other.writeAndFlush(buffer, promise: nil) }
        }

        func channelInactive(context: ChannelHandlerContext) {
            if !connection.isBroken { other.close(promise: nil) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
