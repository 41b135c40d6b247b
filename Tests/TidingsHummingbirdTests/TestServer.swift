import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL
import ServiceLifecycle
import SocketTestSupport
import TestSupport
import TidingsBroadcast
import TidingsHummingbird

/// A server of this process on a free port, for as long as a test's body runs.
struct TestServer {
    let port: Int
    let broadcast: WebSocketBroadcastBackend
    /// Starts a graceful shutdown, as a signal would.
    let shutDown: @Sendable () async -> Void

    var url: String { "ws://127.0.0.1:\(port)/ws/broadcast" }

    static func run<Result: Sendable>(
        router: Router<BasicRequestContext> = Router(),
        endpoints: BroadcastEndpoints = .make(),
        hub: BroadcastHub.Configuration = .make { _ in },
        broadcast: WebSocketBroadcastBackend? = nil,
        tls: TLSConfiguration? = nil,
        services: @Sendable (WebSocketBroadcastBackend) -> [any Service] = { _ in [] },
        _ body: @Sendable (TestServer) async throws -> Result
    ) async throws -> Result {
        let ports = Inbox<Int>()
        let broadcast = broadcast ?? WebSocketBroadcastBackend(hub: BroadcastHub(configuration: hub))
        let logger = Logger(label: "test") { _ in QuietLogHandler() }
        let application = try Application(
            router: router,
            broadcast: broadcast,
            endpoints: endpoints,
            server: { builder in try tls.map { try .tls(builder, tlsConfiguration: $0) } ?? builder },
            configuration: ApplicationConfiguration(
                address: .hostname("127.0.0.1", port: 0),
                serverName: nil,
                backlog: 4096
            ),
            services: services(broadcast),
            onServerRunning: { channel in
                if let port = channel.localAddress?.port { ports.put(port) }
            },
            logger: logger
        )
        let group = ServiceGroup(
            configuration: .init(services: [application, BroadcastDrain(broadcast)], logger: logger)
        )
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                try await group.run()
                ports.end()
            }
            guard let port = try await ports.next() else { throw TestFailure("the server did not start") }
            let server = TestServer(port: port, broadcast: broadcast) { await group.triggerGracefulShutdown() }
            let result: Swift.Result<Result, any Error>
            do {
                result = .success(try await body(server))
            } catch {
                result = .failure(error)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return try result.get()
        }
    }
}

extension BroadcastEndpoints {
    /// Endpoints for tests: nobody is cut off because a busy machine takes its time for a first request.
    static func make() -> BroadcastEndpoints {
        var endpoints = BroadcastEndpoints()
        endpoints.timeouts.firstRequest = .patience
        return endpoints
    }
}

extension BroadcastHub.Configuration {
    /// A configuration for tests: nobody waits long for a drain, and nobody who does not read is given up, however slow the
    /// machine is.
    static func make(_ change: (inout BroadcastHub.Configuration) -> Void) -> BroadcastHub.Configuration {
        var configuration = BroadcastHub.Configuration()
        configuration.drainWindow = .milliseconds(50)
        configuration.heartbeatTimeout = .seconds(3600)
        configuration.authenticationTimeout = .patience
        change(&configuration)
        return configuration
    }
}

/// Prints nothing, and keeps what belongs to a request, such as its name.
private struct QuietLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {}
}
