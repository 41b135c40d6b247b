import Logging
import NIOCore
import NIOPosix
import RedisTestSupport
import SocketTestSupport
import TestSupport
import TidingsBroadcast
import TidingsRedis
import TidingsWire

/// A node of a service: a backend on Redis, a hub, and a port on which clients speak WebSocket without a handshake.
struct TestNode: Sendable {
    let redis: RedisBroadcastBackend
    let broadcast: WebSocketBroadcastBackend
    let port: Int

    var hub: BroadcastHub { broadcast.hub }

    /// A client that has been welcomed.
    func connect() async throws -> TestClient {
        let client = try await TestClient.connect(port: port)
        guard case .welcome = try await client.next() else { throw TestFailure("no welcome") }
        return client
    }

    /// Waits until something holds of how the node fares with Redis.
    func wait(for what: String, _ isTrue: @Sendable (RedisStatus) -> Bool) async throws {
        try await eventually(what) { isTrue(redis.status) }
    }
}

extension RedisServer {
    /// How to reach this server. Tests that share it have different prefixes.
    ///
    /// - Parameter isPatient: Whether a probe may take longer than a busy machine ever does.
    func configuration(prefix: String = "t:", isPatient: Bool = true) -> RedisConfiguration {
        var configuration = RedisConfiguration(.host("127.0.0.1", port: port))
        configuration.prefix = prefix
        if isPatient { (configuration.connectTimeout, configuration.probeTimeout) = (.seconds(20), .seconds(20)) }
        return configuration
    }
}

/// Runs a backend while a body does something with it.
func withBackend<Result: Sendable>(
    _ configuration: RedisConfiguration,
    isReady: Bool = true,
    _ body: @Sendable (RedisBroadcastBackend) async throws -> Result
) async throws -> Result {
    let backend = try RedisBroadcastBackend(configuration, logger: quiet)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await backend.run() }
        defer { group.cancelAll() }
        if isReady { try await eventually("connected to Redis") { backend.status.isConnected } }
        let result = try await body(backend)
        await backend.close()
        return result
    }
}

/// Runs nodes of one service while a body does something with them.
func withNodes<Result: Sendable>(
    _ configurations: [RedisConfiguration],
    isReady: Bool = true,
    _ change: @Sendable (inout BroadcastHub.Configuration) -> Void = { _ in },
    _ body: @Sendable ([TestNode]) async throws -> Result
) async throws -> Result {
    let nodes = try await configurations.mapAsync { configuration in
        var settings = BroadcastHub.Configuration()
        settings.policy = ChannelPolicy(publishableChannels: ["*"])
        change(&settings)
        return try await TestNode.make(configuration, settings)
    }
    return try await withThrowingTaskGroup(of: Void.self) { group in
        for node in nodes { group.addTask { await node.redis.run() } }
        defer { group.cancelAll() }
        if isReady {
            for node in nodes { try await node.wait(for: "connected to Redis", \.isConnected) }
        }
        let result = try await body(nodes)
        for node in nodes { await node.broadcast.close() }
        return result
    }
}

let quiet = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()

extension TestNode {
    fileprivate static func make(
        _ configuration: RedisConfiguration,
        _ settings: BroadcastHub.Configuration
    ) async throws -> TestNode {
        let redis = try RedisBroadcastBackend(configuration, logger: quiet)
        let hub = BroadcastHub(configuration: settings, logger: quiet)
        let broadcast = WebSocketBroadcastBackend(underlying: redis, hub: hub)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = hub.makeSessionHandler(
                        on: channel.eventLoop,
                        speaking: .extended,
                        writesDirectly: true
                    )
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        guard let port = listener.localAddress?.port else { throw TestFailure("no port") }
        return TestNode(redis: redis, broadcast: broadcast, port: port)
    }
}

extension Array {
    func mapAsync<Mapped>(_ transform: (Element) async throws -> Mapped) async rethrows -> [Mapped] {
        var mapped: [Mapped] = []
        for element in self { mapped.append(try await transform(element)) }
        return mapped
    }
}
