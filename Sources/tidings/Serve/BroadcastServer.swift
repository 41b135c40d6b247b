import CoreMetrics
import Hummingbird
import HummingbirdTLS
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import TidingsBroadcast
import TidingsHummingbird
import TidingsRedis

/// A server as its settings want it.
struct BroadcastServer {
    let values: SettingValues
    let logger: Logger

    init(_ values: SettingValues) {
        self.values = values
        let level = Logger.Level(rawValue: values[ServeSettings.logLevel].rawValue) ?? .info
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        logger = Logger(label: "tidings.serve")
    }

    /// Serves until a signal comes, then lets the clients go.
    ///
    /// - Throws: ``ServeError``, ``SettingsErrors``.
    func run() async throws {
        let hub = try await makeHub()
        var endpoints = try makeEndpoints()
        if values[ServeSettings.metrics] {
            let metrics = PrometheusMetrics()
            MetricsSystem.bootstrap(metrics)
            endpoints.metrics = metrics
        }
        let redis = try makeRedis()
        redis?.register(at: endpoints.readiness)
        let broadcast = WebSocketBroadcastBackend(underlying: redis ?? InMemoryBroadcastBackend(), hub: hub)
        let tls = try makeTLS()
        let application = try Application(
            router: Router(),
            broadcast: broadcast,
            endpoints: endpoints,
            server: { base in try tls.map { try .tls(base, tlsConfiguration: $0) } ?? base },
            configuration: ApplicationConfiguration(address: address, serverName: "tidings", backlog: 4096),
            services: redis.map { [$0] } ?? [],
            onServerRunning: { announce($0, isSecure: tls != nil) },
            logger: logger
        )
        do {
            try await application.runService(draining: broadcast)
        } catch let error as IOError {
            throw cannotListen(error)
        } catch let error as SocketAddressError.UnknownHost {
            throw cannotListen(error)
        }
    }
}
