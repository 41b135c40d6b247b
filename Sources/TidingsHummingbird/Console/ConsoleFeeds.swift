import FoundationEssentials
import Logging
import ServiceLifecycle
import TidingsBroadcast

/// What the console's page hears: feeds on a hub that has no other clients and no other channels, so that whoever may
/// connect elsewhere hears nothing of it, and the console does not count itself.
///
/// The feeds ask only while a page is connected.
final class ConsoleFeeds: Service {
    /// Whose clients are pages of the console.
    let hub: BroadcastHub
    private let registry: FeedRegistry
    private let source: ConsoleSource

    /// The last errors of the server that is shown.
    var errors: RecentErrors { source.errors }

    /// How the feeds fare, once they run.
    var statuses: [FeedStatus] { registry.statuses }

    init(
        _ console: Console,
        of broadcast: WebSocketBroadcastBackend,
        readiness: ReadinessChecks,
        clock: some Clock<Duration> = ContinuousClock(),
        logger: Logger
    ) {
        let begin = clock.now
        var configuration = BroadcastHub.Configuration()
        configuration.connections = console.viewers
        configuration.drainWindow = .seconds(1)
        hub = BroadcastHub(configuration: configuration, logger: logger)
        registry = FeedRegistry(WebSocketBroadcastBackend(hub: hub), clock: clock, logger: logger)
        source = ConsoleSource(
            console: console,
            broadcast: broadcast,
            readiness: readiness,
            errors: broadcast.hub.keepErrors(atMost: console.errors),
            age: { begin.duration(to: clock.now) }
        )
    }

    /// Runs the feeds, until the task is cancelled or the service is shut down gracefully.
    func run() async throws {
        let source = source
        try registry.declare("report", .conditional(every: .seconds(1)) { await source.report() })
        try registry.declare("health", .conditional(every: .seconds(5)) { await source.health() })
        try await registry.run()
    }
}

/// Where the console's values come from.
private struct ConsoleSource: Sendable {
    let console: Console
    let broadcast: WebSocketBroadcastBackend
    let readiness: ReadinessChecks
    let errors: RecentErrors
    /// The time since the console was made.
    let age: @Sendable () -> Duration

    func report() async -> ConsoleReport {
        let hub = broadcast.hub
        let (statistics, slow) = (await hub.statistics(), await hub.slowSessions(atMost: console.slowSessions))
        let channels = hub.channels
        return ConsoleReport(
            measured: age().milliseconds,
            at: Date().milliseconds,
            connections: statistics.connections,
            subscriptions: statistics.subscriptions,
            published: statistics.published,
            delivered: statistics.delivered,
            superseded: statistics.superseded,
            collapsed: statistics.collapsed,
            waitingBytes: statistics.pendingBytes,
            channelCount: channels.count,
            channels: .busiest(console.channels, of: channels.lazy.map { ($0.key.rawValue, $0.value) }),
            slowCount: slow.count,
            slow: slow.slowest.map(ConsoleReport.Slow.init),
            errors: errors.newestFirst.map(ConsoleReport.Failure.init)
        )
    }

    /// The checks that `GET /readyz` runs, with their time.
    func health() async -> ConsoleHealth {
        let failures = await readiness.failures()
        let details = readiness.details
        return ConsoleHealth(
            parts: readiness.names.map { name in
                let reason = failures.first { $0.part == name }.map { String($0.reason.prefix(200)) }
                return ConsoleHealth.Part(name: name, failure: reason, numbers: details[name] ?? [:])
            }
        )
    }
}

extension ConsoleReport.Slow {
    fileprivate init(_ session: SlowSession) {
        self.init(
            subject: session.subject,
            stream: session.isEventStream,
            channels: session.channels,
            events: session.waitingEvents,
            bytes: session.waitingBytes,
            seconds: session.seconds
        )
    }
}

extension ConsoleReport.Failure {
    fileprivate init(_ entry: RecentErrors.Entry) {
        self.init(
            origin: entry.origin.rawValue,
            code: entry.code,
            message: entry.message,
            count: entry.count,
            at: entry.last.milliseconds
        )
    }
}

extension Date {
    fileprivate var milliseconds: Int64 { Int64((timeIntervalSince1970 * 1000).rounded()) }
}

extension Duration {
    fileprivate var milliseconds: Int64 { Int64(self / .milliseconds(1)) }
}
