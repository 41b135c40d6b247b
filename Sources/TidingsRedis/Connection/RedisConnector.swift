import NIOCore
import NIOPosix
import NIOSSL

/// Makes connections to a Redis that are ready for use: over TCP, TLS or a socket in the file system.
struct RedisConnector: Sendable {
    let configuration: RedisConfiguration
    /// Only for TLS.
    private let context: NIOSSLContext?

    /// - Throws: ``RedisError/Code/configuration`` if the settings of TLS cannot be used.
    init(_ configuration: RedisConfiguration) throws(RedisError) {
        self.configuration = configuration
        do {
            context = try configuration.tls.map { try NIOSSLContext(configuration: $0) }
        } catch {
            throw RedisError(.configuration, "The settings of TLS cannot be used.", cause: error)
        }
    }

    /// Makes a connection and says what has to be said on it.
    ///
    /// - Parameters:
    ///   - endpoint: Where Redis listens.
    ///   - eventLoop: Where the connection lives. Call this on it.
    ///   - completed: Gets the connection, or why there is none, once.
    func connect(
        to endpoint: RedisEndpoint,
        on eventLoop: any EventLoop,
        completed: @escaping (Result<RedisConnection, RedisError>) -> Void
    ) {
        var limits = RESPLimits()
        // An event with everything that is around its payload, also where that was escaped.
        limits.keptBytes = max(limits.keptBytes, configuration.payloadBytes + 64 * 1024)
        limits.valueBytes = max(limits.valueBytes, limits.keptBytes)
        let connection = RedisConnection(limits: limits)
        let opening = RedisOpening(connection, RedisHandshake(configuration), completed)
        let bound = NIOLoopBound(opening, eventLoop: eventLoop)
        let timeout = TimeAmount(configuration.connectTimeout)
        let deadline = eventLoop.scheduleTask(in: timeout) {
            bound.value.fail(RedisError(.silent, "Redis at \(endpoint) does not answer."))
        }
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try addHandlers(to: channel, bound.value.connection, endpoint) }
            }
        bootstrap.connect(to: endpoint).whenComplete { result in
            switch result {
            case .success: bound.value.begin(deadline)
            case .failure(let error):
                deadline.cancel()
                bound.value.fail(RedisError(.unreachable, "Redis at \(endpoint) cannot be reached.", cause: error))
            }
        }
    }

    private func addHandlers(
        to channel: any Channel,
        _ connection: RedisConnection,
        _ endpoint: RedisEndpoint
    ) throws {
        let pipeline = channel.pipeline.syncOperations
        if let context {
            try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: endpoint.serverName))
        }
        try pipeline.addHandler(connection)
    }
}

/// A connection on its way to be used. Stays on its loop.
private final class RedisOpening {
    let connection: RedisConnection
    private var handshake: RedisHandshake
    private var completed: ((Result<RedisConnection, RedisError>) -> Void)?
    private var deadline: Scheduled<Void>?

    init(
        _ connection: RedisConnection,
        _ handshake: RedisHandshake,
        _ completed: @escaping (Result<RedisConnection, RedisError>) -> Void
    ) {
        self.connection = connection
        self.handshake = handshake
        self.completed = completed
    }

    func begin(_ deadline: Scheduled<Void>) {
        guard completed != nil else { return connection.end(RedisError(.silent, "The connection is not wanted.")) }
        self.deadline = deadline
        connection.ended = { [weak self] reason in self?.fail(reason) }
        take(handshake.begin())
    }

    func fail(_ error: RedisError) {
        deadline?.cancel()
        guard let completed else { return }
        self.completed = nil
        connection.end(error)
        completed(.failure(error))
    }

    private func take(_ step: RedisHandshake.Step) {
        switch step {
        case .send(let command): connection.send(RESPCommand(command)) { self.receive($0) }
        case .done:
            deadline?.cancel()
            connection.ended = { _ in }
            let completed = completed
            self.completed = nil
            completed?(.success(connection))
        }
    }

    private func receive(_ answer: Result<RESPValue, RedisError>) {
        guard completed != nil else { return }
        do throws(RedisError) {
            take(try handshake.receive(try answer.get()))
        } catch {
            fail(error)
        }
    }
}

extension RedisEndpoint {
    /// What the server's certificate is for. An address is no name to be sent along (RFC 6066 §3).
    fileprivate var serverName: String? {
        guard case .host(let name, _) = address, (try? SocketAddress(ipAddress: name, port: 0)) == nil else {
            return nil
        }
        return name
    }
}

extension ClientBootstrap {
    fileprivate func connect(to endpoint: RedisEndpoint) -> EventLoopFuture<any Channel> {
        switch endpoint.address {
        case .host(let name, let port): connect(host: name, port: port)
        case .unixSocket(let path): connect(unixDomainSocketPath: path)
        }
    }
}
