public import Hummingbird
public import HummingbirdCore
public import Logging
public import NIOCore
public import ServiceLifecycle
public import TidingsBroadcast

extension Application {
    /// Makes an application that serves a router's routes and, on the same port, the broadcast endpoints.
    ///
    /// ```swift
    /// let broadcast = WebSocketBroadcastBackend()
    /// let router = Router()
    /// router.post("orders") { request, context in
    ///     let order = try await orders.create(from: request, context: context)
    ///     try await broadcast.broadcast("created", on: "order", ["entity_id": .string(order.id)])
    ///     return order
    /// }
    /// let application = Application(router: router, broadcast: broadcast)
    /// try await application.runService(draining: broadcast)
    /// ```
    ///
    /// The endpoints are added to the router after its own routes: middleware that the router has by now applies to
    /// them too, upgrade requests included. On graceful shutdown every session is closed; see
    /// ``BroadcastDrain`` for letting clients go before the server does.
    ///
    /// - Parameters:
    ///   - router: The application's routes.
    ///   - broadcast: Whose clients connect here.
    ///   - endpoints: Where the endpoints are, and who may use them.
    ///   - configuration: Address, server name and so on.
    ///   - services: Further services that run with the application.
    ///   - onServerRunning: Called when the server listens, with its channel.
    ///   - eventLoopGroupProvider: Whose event loops serve.
    ///   - logger: Hears about requests.
    public init<Context: RequestContext>(
        router: Router<Context>,
        broadcast: WebSocketBroadcastBackend,
        endpoints: BroadcastEndpoints = BroadcastEndpoints(),
        configuration: ApplicationConfiguration = ApplicationConfiguration(),
        services: [any Service] = [],
        onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in },
        eventLoopGroupProvider: EventLoopGroupProvider = .singleton,
        logger: Logger? = nil
    ) where Responder == OriginResponder<RouterResponder<Context>> {
        self.init(
            router: router,
            broadcast: broadcast,
            endpoints: endpoints,
            server: { $0 },
            configuration: configuration,
            services: services,
            onServerRunning: onServerRunning,
            eventLoopGroupProvider: eventLoopGroupProvider,
            logger: logger
        )
    }

    /// Makes an application with the broadcast endpoints whose server is changed before it is built, for example to
    /// speak TLS:
    ///
    /// ```swift
    /// let application = try Application(
    ///     router: router,
    ///     broadcast: broadcast,
    ///     server: { try .tls($0, tlsConfiguration: tls) }
    /// )
    /// ```
    ///
    /// - Parameters:
    ///   - router: The application's routes.
    ///   - broadcast: Whose clients connect here.
    ///   - endpoints: Where the endpoints are, and who may use them.
    ///   - server: Changes how the server is built.
    ///   - configuration: Address, server name and so on.
    ///   - services: Further services that run with the application.
    ///   - onServerRunning: Called when the server listens, with its channel.
    ///   - eventLoopGroupProvider: Whose event loops serve.
    ///   - logger: Hears about requests.
    /// - Throws: What `server` throws.
    public init<Context: RequestContext>(
        router: Router<Context>,
        broadcast: WebSocketBroadcastBackend,
        endpoints: BroadcastEndpoints = BroadcastEndpoints(),
        server: (HTTPServerBuilder) throws -> HTTPServerBuilder,
        configuration: ApplicationConfiguration = ApplicationConfiguration(),
        services: [any Service] = [],
        onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in },
        eventLoopGroupProvider: EventLoopGroupProvider = .singleton,
        logger: Logger? = nil
    ) rethrows where Responder == OriginResponder<RouterResponder<Context>> {
        let consoleFeeds = endpoints.console.map { console in
            ConsoleFeeds(console, of: broadcast, readiness: endpoints.readiness, logger: broadcast.hub.logger)
        }
        BroadcastRoutes(broadcast: broadcast, endpoints: endpoints, consoleFeeds: consoleFeeds).add(to: router)
        let responder = OriginResponder(router.buildResponder(), endpoints: endpoints)
        self.init(
            responder: responder,
            server: try server(
                .http1(
                    upgradingWith: responder,
                    timeouts: endpoints.timeouts,
                    streamPaths: endpoints.streamPaths
                )
            ),
            configuration: configuration,
            services: services + (endpoints.feeds.map { [$0] } ?? []) + (consoleFeeds.map { [$0] } ?? []),
            onServerRunning: onServerRunning,
            eventLoopGroupProvider: eventLoopGroupProvider,
            logger: logger
        )
    }
}
