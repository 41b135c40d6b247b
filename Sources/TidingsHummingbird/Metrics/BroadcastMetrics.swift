import Hummingbird
import TidingsBroadcast
import TidingsWire

/// `GET /metrics`: what the hub has counted, how its parts stand, and what else the process counts.
struct BroadcastMetrics {
    private let broadcast: WebSocketBroadcastBackend
    private let feeds: FeedRegistry?
    private let others: PrometheusMetrics?
    private let checks = ReadinessChecks()

    /// - Parameter others: What else is shown; nil: nothing.
    init(broadcast: WebSocketBroadcastBackend, feeds: FeedRegistry? = nil, others: PrometheusMetrics? = nil) {
        self.broadcast = broadcast
        self.feeds = feeds
        self.others = others
        checks.register("broadcast") { try await broadcast.checkHealth() }
    }

    /// - Parameter check: Throws if the request may not be answered.
    func add(at path: RouterPath, to router: some RouterMethods, check: @escaping @Sendable (Request) throws -> Void) {
        router.get(path) { request, _ in
            try check(request)
            return Response(
                status: .ok,
                headers: [.contentType: PrometheusText.mediaType, .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: await text()))
            )
        }
    }

    func text() async -> String {
        let statistics = await broadcast.hub.statistics()
        let parts = [
            PrometheusText.Family.value(
                "tidings_backend_up",
                await isBackendUp,
                "Whether the broadcast backend works."
            ),
            .value("tidings_draining", broadcast.hub.isDraining, "Whether the server goes away."),
        ]
        return PrometheusText.write(
            statistics.families + parts + (feeds?.statuses.families ?? []) + (others?.families ?? [])
        )
    }

    /// Asked as `/readyz` asks, with its time.
    private var isBackendUp: Bool {
        get async { await checks.failures().isEmpty }
    }
}

extension PrometheusText.Family {
    fileprivate static func value(_ name: String, _ isTrue: Bool, _ help: String) -> PrometheusText.Family {
        .init(name: name, help: help, kind: .gauge, samples: [.init(value: isTrue ? 1 : 0)])
    }
}

extension HubStatistics {
    var families: [PrometheusText.Family] {
        [
            gauge("tidings_connections", connections, "Clients that are connected now."),
            gauge("tidings_subscriptions", subscriptions, "Channels of all clients together."),
            gauge("tidings_pending_bytes", pendingBytes, "Bytes that wait for slow readers."),
            counter("tidings_published_total", published, "Events that were published, once for each channel."),
            counter("tidings_delivered_total", delivered, "Events that were handed to sockets."),
            counter("tidings_superseded_total", superseded, "Waiting events whose place a newer one took."),
            counter("tidings_collapsed_total", collapsed, "Events that gave way to stale, because too many waited."),
            .init(
                name: "tidings_closed_total",
                help: "Connections that ended, by close code.",
                kind: .counter,
                samples: closed.sorted { $0.key.rawValue < $1.key.rawValue }.map { code, count in
                    .init(labels: [.init(name: "code", value: String(code.rawValue))], value: Double(count))
                }
            ),
            .init(
                name: "tidings_broadcast_duration_seconds",
                help: "Time from an event's publication to the end of the turn that handed it to its readers.",
                kind: .histogram,
                samples: broadcastDuration.samples()
            ),
        ]
    }

    private func gauge(_ name: String, _ value: Int, _ help: String) -> PrometheusText.Family {
        .init(name: name, help: help, kind: .gauge, samples: [.init(value: Double(value))])
    }

    private func counter(_ name: String, _ value: Int, _ help: String) -> PrometheusText.Family {
        .init(name: name, help: help, kind: .counter, samples: [.init(value: Double(value))])
    }
}

extension [FeedStatus] {
    var families: [PrometheusText.Family] {
        [
            family("tidings_feed_polls_total", \.polls, "Times that a feed's source was asked."),
            family("tidings_feed_failures_total", \.failures, "Polls of a feed that failed."),
            family("tidings_feed_broadcasts_total", \.broadcasts, "Values of a feed that were told."),
        ]
    }

    private func family(_ name: String, _ count: KeyPath<FeedStatus, Int>, _ help: String) -> PrometheusText.Family {
        .init(
            name: name,
            help: help,
            kind: .counter,
            samples: map {
                .init(labels: [.init(name: "feed", value: $0.name.rawValue)], value: Double($0[keyPath: count]))
            }
        )
    }
}

extension DurationHistogram {
    func samples(labels: [PrometheusText.Label] = []) -> [PrometheusText.Sample] {
        .histogram(
            bounds: Self.bounds.map { $0 / .seconds(1) },
            counts: counts,
            sum: sum / .seconds(1),
            labels: labels
        )
    }
}
