import Foundation
import Logging
import NIOCore
import NIOPosix
import TidingsBroadcast
import TidingsRedis
import TidingsWire

/// One node of a service on Redis, in a process of its own, for tests that end it and for measurements.
///
///     redis-node [--redis URL] [--prefix PREFIX]
///
/// Without a Redis it is a server by itself. It prints where it listens when it is ready, and then does what it reads:
///
///     publish CHANNEL EVENT PAYLOAD            prints the position, or why there is none
///     flood CHANNEL COUNT BYTES TASKS          publishes so often from so many tasks; prints the seconds that it took
///     hear CHANNEL COUNT                       says "hearing", and "heard" when so many events have come
///     cpu                                      prints the seconds of processor time that it has used
@main
enum RedisNodeProgram {
    static func main() async throws {
        let options = try Options(CommandLine.arguments.dropFirst())
        let redis = try options.makeBackend()
        let hub = BroadcastHub(configuration: Self.configuration, logger: Self.quiet)
        let broadcast = WebSocketBroadcastBackend(underlying: redis ?? InMemoryBroadcastBackend(), hub: hub)
        try await withThrowingTaskGroup(of: Void.self) { group in
            if let redis {
                group.addTask { await redis.run() }
                while !redis.status.isConnected { try await Task.sleep(for: .milliseconds(5)) }
            }
            let listener = try await listen(for: hub)
            say("ws://127.0.0.1:\(listener.localAddress?.port ?? 0)/ws/broadcast")
            for await line in lines() { await obey(line, broadcast) }
            await broadcast.close()
            group.cancelAll()
        }
    }

    static let quiet = Logger(label: "redis-node") { _ in SwiftLogNoOpLogHandler() }

    private static var configuration: BroadcastHub.Configuration {
        var configuration = BroadcastHub.Configuration()
        configuration.policy = ChannelPolicy(publishableChannels: ["*"])
        configuration.delivery = { _ in .stream }
        configuration.clientMessagesPerSecond = 10_000_000
        configuration.clientMessageBurst = 10_000_000
        configuration.pendingBytesPerSession = 64 * 1024 * 1024
        return configuration
    }

    private static func listen(for hub: BroadcastHub) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 4096)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(OpeningHandler(hub))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    /// What is read, until its end.
    private static func lines() -> AsyncStream<String> {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        Thread.detachNewThread {
            while let line = readLine() { continuation.yield(line) }
            continuation.finish()
        }
        return stream
    }

    static func say(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }
}

/// What the command line says.
struct Options {
    var url: String?
    var prefix: String?

    init(_ arguments: some Sequence<String>) throws {
        var rest = Array(arguments)[...]
        while let name = rest.popFirst() {
            switch (name, rest.popFirst()) {
            case ("--redis", .some(let value)): url = value
            case ("--prefix", .some(let value)): prefix = value
            default: throw WireError(.badRequest, "usage: redis-node [--redis URL] [--prefix PREFIX]")
            }
        }
    }

    func makeBackend() throws -> RedisBroadcastBackend? {
        guard let url else { return nil }
        var configuration = try RedisConfiguration(url: url)
        if let prefix { configuration.prefix = prefix }
        return try RedisBroadcastBackend(configuration, logger: RedisNodeProgram.quiet)
    }
}
