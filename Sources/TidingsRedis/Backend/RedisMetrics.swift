import CoreMetrics

/// What a node tells the process's metrics (swift-metrics).
struct RedisMetrics: Sendable {
    private let received = Counter(label: "tidings_redis_received_total")
    private let published = Counter(label: "tidings_redis_published_total")
    private let failed = Counter(label: "tidings_redis_publish_failures_total")
    private let disconnected = Counter(label: "tidings_redis_disconnects_total")
    private let missed = Counter(label: "tidings_redis_gaps_total")

    func heard(_ count: Int) { received.increment(by: count) }
    func wasPublished() { published.increment() }
    func wasNotPublished() { failed.increment() }
    func lost() { disconnected.increment() }
    func gap() { missed.increment() }
}
