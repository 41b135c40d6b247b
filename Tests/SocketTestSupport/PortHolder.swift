import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// A port that stays the same while servers behind it come and go: connections are passed on byte for byte to the server
/// of the moment, and refused while there is none.
public final class PortHolder: Sendable {
    /// The port that clients know.
    public let port: Int
    private let listener: any Channel
    private let state: Mutex<State>

    private struct State {
        var target: Int?
        var connections: [any Channel] = []
        var swallows = false
    }

    private init(listener: any Channel, port: Int) {
        self.listener = listener
        self.port = port
        state = Mutex(State())
    }

    deinit {
        listener.close(promise: nil)
    }

    /// Takes a free port.
    public static func reserve() async throws -> PortHolder {
        let shared = HolderReference()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                guard let holder = shared.holder else { return channel.close() }
                return holder.accept(channel)
            }
            .bind(host: "127.0.0.1", port: 0).get()
        guard let port = listener.localAddress?.port else { throw TestFailure("no port") }
        let made = PortHolder(listener: listener, port: port)
        shared.set(made)
        return made
    }

    /// Passes connections on to a port while a body runs; then cuts them all.
    public func forward<Result: Sendable>(to target: Int, _ body: () async throws -> Result) async throws -> Result {
        state.withLock { $0.target = target }
        defer { cut() }
        return try await body()
    }

    /// From here on nothing arrives on either side, and nobody is told: connections look as if nothing happened. New ones
    /// are accepted and as silent.
    public func swallow() {
        state.withLock { $0.swallows = true }
    }

    /// Passes new connections on. Those that lost something stay silent.
    public func passOn() {
        state.withLock { $0.swallows = false }
    }

    private var swallows: Bool { state.withLock { $0.swallows } }

    private func cut() {
        let connections = state.withLock { state in
            defer { state = State() }
            return state.connections
        }
        for channel in connections { channel.close(promise: nil) }
    }

    private func accept(_ client: any Channel) -> EventLoopFuture<Void> {
        guard let target = state.withLock({ $0.target }) else { return client.close() }
        return ClientBootstrap(group: client.eventLoop)
            .channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: target)
            .flatMapThrowing { server in
                self.state.withLock { $0.connections += [client, server] }
                try client.pipeline.syncOperations.addHandler(Pipe(to: server, of: self))
                try server.pipeline.syncOperations.addHandler(Pipe(to: client, of: self))
                for channel in [client, server] { try channel.syncOptions?.setOption(.autoRead, value: true) }
            }
    }

    private final class HolderReference: Sendable {
        private let reference = Mutex<Weak>(Weak())

        private struct Weak {
            weak var holder: PortHolder?
        }

        var holder: PortHolder? { reference.withLock { $0.holder } }

        func set(_ holder: PortHolder) {
            reference.withLock { $0.holder = holder }
        }
    }

    /// Hands everything that arrives to the other side.
    private final class Pipe: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let other: any Channel
        private let holder: PortHolder
        /// A connection that has lost something stays silent: passing on the rest would be no network's doing.
        private var isBroken = false

        init(to other: any Channel, of holder: PortHolder) {
            self.other = other
            self.holder = holder
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            isBroken = isBroken || holder.swallows
            guard !isBroken else { return }
            other.writeAndFlush(unwrapInboundIn(data), promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            context.fireChannelInactive()
            guard !isBroken, !holder.swallows else { return }
            other.close(promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
