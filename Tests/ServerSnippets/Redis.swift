import Hummingbird
import TidingsBroadcast
import TidingsHummingbird
import TidingsRedis

func serveOnRedis() async throws {
    // snippet: serve
    let redis = try RedisBroadcastBackend(RedisConfiguration(url: "redis://127.0.0.1:6379"))
    let broadcast = WebSocketBroadcastBackend(underlying: redis)
    let application = Application(router: Router(), broadcast: broadcast, services: [redis])
    try await application.runService(draining: broadcast)
    // end
}

func publishAndHear(_ broadcast: WebSocketBroadcastBackend) async throws {
    // snippet: events
    let subscription = try await broadcast.subscribe(to: "order") { event in
        // A stale one says that something may have been missed.
        print(event.isStale ? "look at the orders again" : "\(event)")
    }
    try await broadcast.broadcast("updated", on: "order", ["entity_id": "42"])
    // end
    await broadcast.unsubscribe(subscription)
}

func configure() throws -> RedisConfiguration {
    // snippet: settings
    var configuration = try RedisConfiguration(url: "rediss://app:secret@redis-1:6379,redis-2:6379")
    configuration.prefix = "restaurant:"
    configuration.whileAway = .waits(upTo: .seconds(3))
    configuration.historyAge = .seconds(600)
    // end
    return configuration
}

func watch(_ redis: RedisBroadcastBackend, _ checks: ReadinessChecks) {
    // snippet: readiness
    redis.register(at: checks)
    // end
}
