import CoreMetrics

/// What a relay tells the process's metrics (swift-metrics).
struct RelayMetrics: Sendable {
    private let delivered: Counter
    private let retries: Counter
    private let setAside: Counter
    private let lag: Gauge

    /// - Parameter factory: Where it is told; nil: the one of the process.
    init(factory: (any MetricsFactory)? = nil) {
        let factory = factory ?? MetricsSystem.factory
        delivered = Counter(label: "tidings_relay_delivered_total", factory: factory)
        retries = Counter(label: "tidings_relay_retries_total", factory: factory)
        setAside = Counter(label: "tidings_relay_set_aside_total", factory: factory)
        lag = Gauge(label: "tidings_relay_lag_seconds", factory: factory)
    }

    /// Events were told, the newest of them so many seconds after its commit.
    func told(_ count: Int, lag seconds: Double?) {
        delivered.increment(by: count)
        if let seconds { lag.record(seconds) }
    }

    /// Something failed and is tried again.
    func tryAgain() { retries.increment() }

    /// A row that cannot be read was set aside.
    func wasSetAside() { setAside.increment() }
}
