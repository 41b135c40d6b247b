import NIOCore
import NIOPosix
import NIOSSL
import RedisTestSupport
import SocketTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsRedis
import TidingsTesting
import TidingsWire

@Suite("Ways to reach a Redis", .needsRedis, .timeLimit(.patience))
struct RedisConnectionTests {
    /// Publishes something that has to come back.
    private func use(_ configuration: RedisConfiguration) async throws {
        try await withBackend(configuration) { backend in
            let recorder = EventRecorder()
            _ = try await backend.subscribe(to: "order", handler: recorder.handler)
            try await backend.broadcast("updated", on: "order")
            // Some tests use a server several times.
            let name = "\(UInt64.random(in: 0 ... .max))"
            let key = PublishingKey(request: name, fingerprint: "f", retention: .seconds(60))
            let once = BroadcastEvent(channel: "order", name: "once")
            for _ in 0..<2 { _ = try await backend.publish(once, alsoOn: [], once: key) }
            try await backend.broadcast("updated", on: "order")
            #expect(try await recorder.events(atLeast: 3).map(\.name) == ["updated", "once", "updated"])
        }
    }

    private func failure(of configuration: RedisConfiguration) async throws -> RedisError? {
        try await withBackend(configuration, isReady: false) { backend in
            try await eventually("failed") { backend.status.failure != nil }
            return backend.status.failure
        }
    }

    @Test("a socket in the file system")
    func unixSocket() async throws {
        let server = try await SharedRedis.server
        try await use(RedisConfiguration(url: "unix://\(server.socket)?db=3"))
    }

    @Test("TLS, with a certificate that is checked", arguments: [RedisConfiguration.ProtocolVersion.resp2, .resp3])
    func tls(_ version: RedisConfiguration.ProtocolVersion) async throws {
        let server = try await RedisServer.start(speaksTLS: true)
        var configuration = try RedisConfiguration(url: "rediss://localhost:\(server.tlsPort)")
        configuration.protocolVersion = version
        #expect(try await failure(of: configuration)?.code == .disconnected)
        configuration.tls?.trustRoots = .file(server.authority)
        try await use(configuration)
        configuration.endpoints = [.host("127.0.0.1", port: server.tlsPort)]
        try await use(configuration)
    }

    @Test("a password", arguments: [RedisConfiguration.ProtocolVersion.resp2, .resp3])
    func password(_ version: RedisConfiguration.ProtocolVersion) async throws {
        let server = try await RedisServer.start(["--requirepass", "p@ss"])
        var configuration = try RedisConfiguration(url: "redis://:p%40ss@127.0.0.1:\(server.port)")
        configuration.protocolVersion = version
        try await use(configuration)
        configuration.password = "wrong"
        #expect(try await failure(of: configuration)?.code == .authentication)
        configuration.password = nil
        #expect(try await failure(of: configuration)?.code == .authentication)
    }

    @Test("a user who may do no more than is needed, and one who may do less")
    func user() async throws {
        let server = try await RedisServer.start()
        let commands = [
            "hello", "client|setname", "select", "subscribe", "unsubscribe", "publish", "script|load", "evalsha",
            "eval",
            "time", "info", "hget", "hset", "hmget", "hincrby", "xadd", "xrange", "xrevrange", "pexpire", "del",
            "exists",
            "set", "rpush", "llen", "lpop",
        ].map { "+\($0)" }
        func make(_ user: String, _ rules: [String]) async throws {
            let arguments = ["acl", "setuser", user, "on", ">secret"] + rules
            _ = try await Programs.run([try #require(Programs.path(of: "redis-cli")), "-s", server.socket] + arguments)
        }
        try await make("app", ["~tidings:*", "&tidings:*"] + commands)
        try await use(RedisConfiguration(url: "redis://app:secret@127.0.0.1:\(server.port)"))
        try await make("less", ["~tidings:*", "&other:*"] + commands)
        let error = try await failure(of: RedisConfiguration(url: "redis://less:secret@127.0.0.1:\(server.port)"))
        #expect(error?.code == .forbidden)
        #expect(error?.message.contains("docs/guides/redis.md") == true)
    }

    @Test("nobody there, and somebody there who is no Redis")
    func wrong() async throws {
        #expect(try await failure(of: RedisConfiguration(.host("127.0.0.1", port: 1)))?.code == .unreachable)
        #expect(try await failure(of: RedisConfiguration(.unixSocket(path: "/nowhere")))?.code == .unreachable)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Greeter()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        #expect(try await failure(of: RedisConfiguration(.host("127.0.0.1", port: port)))?.code == .badReply)
        try await listener.close().get()
    }

    @Test("a user who loses rights while connected is noticed")
    func losingRights() async throws {
        let server = try await RedisServer.start()
        try await server.run("acl", "setuser", "app", "on", ">secret", "~*", "&*", "+@all")
        try await withBackend(RedisConfiguration(url: "redis://app:secret@127.0.0.1:\(server.port)")) { backend in
            try await server.run("acl", "setuser", "app", "-subscribe")
            await #expect(throws: BroadcastError.self) {
                _ = try await backend.subscribe(to: "order", handler: { _ in })
            }
            #expect(backend.status.failure?.code == .forbidden)
        }
    }
}

/// A server that speaks first, as those for mail do.
private final class Greeter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(NIOAny(ByteBuffer(string: "220 mail.example.com\r\n")), promise: nil)
    }
}
