import CoreMetrics

/// What a relay tells the process's metrics (swift-metrics).
struct RelayMetrics: Sendable {
    private let delivered = Counter(label: "tidings_relay_delivered_total")
    private let retries = Counter(label: "tidings_relay_retries_total")
    private let setAside = Counter(label: "tidings_relay_set_aside_total")
    private let lag = Gauge(label: "tidings_relay_lag_seconds")

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
