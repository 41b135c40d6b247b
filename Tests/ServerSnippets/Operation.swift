import Hummingbird
import TidingsBroadcast
import TidingsEntities
import TidingsHummingbird

func showMetrics(
    of broadcast: WebSocketBroadcastBackend,
    feeds: FeedRegistry,
    entities: Entities
) -> (operators: some ApplicationProtocol, relay: OutboxRelay) {
    // snippet: metrics
    let metrics = PrometheusMetrics()
    let relay = OutboxRelay(entities: entities, hub: broadcast.hub, metrics: metrics)

    let administration = Router()
    administration.addBroadcastAdministration(of: broadcast, feeds: feeds, metrics: metrics)
    let operators = Application(
        router: administration,
        configuration: .init(address: .hostname("127.0.0.1", port: 9090))
    )
    // end
    return (operators, relay)
}

func showMetricsInPublic(in endpoints: inout BroadcastEndpoints) {
    // snippet: public-metrics
    endpoints.metrics = PrometheusMetrics()
    endpoints.operatorSecret = "what Prometheus sends as its bearer token"
    // end
}

func allowPublishing(in configuration: inout BroadcastHub.Configuration) {
    // snippet: publishing
    configuration.policy = ChannelPolicy(mayPublish: { identity, channel in
        identity?.attributes["role"] == "service" && channel.rawValue.hasPrefix("order")
    })
    // end
}

func showConsole(secret: String, in endpoints: inout BroadcastEndpoints) throws {
    // snippet: console
    endpoints.console = try Console(secret: secret)
    // end
}

func showConsoleApart(
    secret: String,
    of broadcast: WebSocketBroadcastBackend,
    endpoints: BroadcastEndpoints
) throws -> some ApplicationProtocol {
    // snippet: console-apart
    let administration = Router()
    administration.addBroadcastAdministration(of: broadcast)
    let operators = Application(
        router: administration,
        console: try Console(secret: secret),
        of: broadcast,
        readiness: endpoints.readiness,
        configuration: .init(address: .hostname("127.0.0.1", port: 9090))
    )
    // end
    return operators
}
