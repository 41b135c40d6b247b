public import Hummingbird
public import Logging
public import NIOCore
public import ServiceLifecycle
public import TidingsBroadcast

extension Application {
    /// Makes an application that serves a router's routes and the console of a broadcast backend that is served elsewhere:
    /// for an address that only operators reach.
    ///
    /// ```swift
    /// let administration = Router()
    /// administration.addBroadcastAdministration(of: broadcast)
    /// let operators = Application(
    ///     router: administration,
    ///     console: try Console(secret: secret),
    ///     of: broadcast,
    ///     readiness: endpoints.readiness,
    ///     configuration: .init(address: .hostname("127.0.0.1", port: 9090))
    /// )
    /// ```
    ///
    /// - Parameters:
    ///   - router: The application's routes.
    ///   - console: The page.
    ///   - broadcast: What is shown.
    ///   - readiness: The parts whose health is shown: those of the endpoints of `broadcast`.
    ///   - configuration: Address, server name and so on.
    ///   - services: Further services that run with the application.
    ///   - onServerRunning: Called when the server listens, with its channel.
    ///   - eventLoopGroupProvider: Whose event loops serve.
    ///   - logger: Hears about requests.
    public init<Context: RequestContext>(
        router: Router<Context>,
        console: Console,
        of broadcast: WebSocketBroadcastBackend,
        readiness: ReadinessChecks,
        configuration: ApplicationConfiguration = ApplicationConfiguration(),
        services: [any Service] = [],
        onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in },
        eventLoopGroupProvider: EventLoopGroupProvider = .singleton,
        logger: Logger? = nil
    ) where Responder == OriginResponder<RouterResponder<Context>> {
        let feeds = ConsoleFeeds(console, of: broadcast, readiness: readiness, logger: broadcast.hub.logger)
        ConsoleRoutes(console, feeds: feeds).add(to: router)
        var endpoints = BroadcastEndpoints()
        endpoints.console = console
        let responder = OriginResponder(router.buildResponder(), endpoints: endpoints)
        self.init(
            responder: responder,
            server: .http1(upgradingWith: responder, timeouts: endpoints.timeouts, streamPaths: []),
            configuration: configuration,
            services: services + [feeds],
            onServerRunning: onServerRunning,
            eventLoopGroupProvider: eventLoopGroupProvider,
            logger: logger
        )
    }
}
