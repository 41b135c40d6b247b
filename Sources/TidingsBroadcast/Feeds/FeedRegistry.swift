public import Logging
public import ServiceLifecycle
import Synchronization
public import TidingsWire

/// The feeds of a server: declares them, asks for their values when it is time, and tells what has changed.
///
/// ```swift
/// let feeds = FeedRegistry(broadcast)
/// let status = try feeds.declare("system_status", .polling(every: .seconds(15)) { try await monitor.status() })
/// let queue = try feeds.declare("queue", .events(of: QueueChange.self).frame(.flat))
/// endpoints.feeds = feeds
/// ```
///
/// Named in the endpoints of an application it runs with it; elsewhere name it among the services. A server whose feeds
/// nobody runs is not ready, and says so. Feeds can be declared before and while it runs, from any thread.
public final class FeedRegistry: Service {
    /// How feeds are asked.
    public struct Configuration: Sendable {
        /// The time between two polls of a feed that does not say another one.
        public var interval: Duration = .seconds(5)
        /// The time between two polls of a hybrid feed that does not say another one: events come in between.
        public var hybridInterval: Duration = .seconds(10)
        /// The time from a failure to the next try. It is doubled with each further one.
        public var retryDelay: Duration = .seconds(5)
        /// The time from a failure to the next try at the most.
        public var longestRetryDelay: Duration = .seconds(60)
        /// By how much of itself an interval is shortened or prolonged at the most, by chance, so that feeds with the same
        /// one do not ask in the same moment. 0: not at all; 0.1 is a tenth.
        public var jitter = 0.1
        /// A number from 0 to 1 by chance, for the jitter.
        public var chance: @Sendable () -> Double = { Double.random(in: 0...1) }
        /// What the log is told of an error that a source throws. Its type, unless something else is set: what it says in
        /// words may have values in it.
        public var describe: @Sendable (any Error) -> String = { error in
            switch error {
            case let error as FeedError: error.description
            case let error as BroadcastError: error.description
            default: "\(type(of: error))"
            }
        }

        /// Starts with what most servers want.
        public init() {}
    }

    private struct State {
        var feeds: [any RunnableFeed] = []
        var isRunning = false

        /// False if it runs already.
        mutating func begin() -> Bool {
            defer { isRunning = true }
            return !isRunning
        }
    }

    private let configuration: Configuration
    private let environment: FeedEnvironment
    private let state = Mutex(State())
    /// That a feed was declared.
    private let declared = AsyncCondition()

    /// Makes a registry without feeds.
    ///
    /// - Parameters:
    ///   - broadcast: Whose clients listen. Of a service with several nodes each has a registry with the same feeds: what
    ///     one has told the others find told.
    ///   - configuration: How feeds are asked.
    ///   - clock: Measures the intervals.
    ///   - logger: Hears about failures, and in debugging about each broadcast; never about values.
    public init(
        _ broadcast: WebSocketBroadcastBackend,
        configuration: Configuration = Configuration(),
        clock: some Clock<Duration> = ContinuousClock(),
        logger: Logger = Logger(label: "tidings.feeds")
    ) {
        self.configuration = configuration
        let start = clock.now
        environment = FeedEnvironment(
            broadcast: broadcast,
            describe: configuration.describe,
            now: { start.duration(to: clock.now) },
            sleep: { try await clock.sleep(for: $0) },
            chance: configuration.chance,
            logger: logger
        )
    }

    /// Whose clients listen.
    package var hub: BroadcastHub { environment.hub }

    /// How every feed fares, in the order in which they were declared.
    public var statuses: [FeedStatus] { state.withLock { $0.feeds }.map(\.status) }
}

// MARK: - Declaring

extension FeedRegistry {
    /// Declares a feed. With that it is part of the registry: there is nothing else to register.
    ///
    /// - Parameters:
    ///   - name: Names the feed: a channel's name without white space.
    ///   - form: Where its values come from and when they are told.
    /// - Returns: What values can be sent with.
    /// - Throws: ``FeedError/Code/duplicate`` if the hub has a feed of this name, ``FeedError/Code/shortInterval`` if the
    ///   interval is below a second and it was not said twice that it is meant.
    @discardableResult
    public func declare<Value: Codable & Sendable>(
        _ name: FeedName,
        _ form: FeedForm<Value>
    ) throws(FeedError) -> Feed<Value> {
        let times = FeedSchedule.Times(
            interval: try interval(of: form, name),
            retry: configuration.retryDelay,
            longestRetry: configuration.longestRetryDelay,
            jitter: configuration.jitter
        )
        guard environment.hub.feeds.declare(name, frame: form.frame) else {
            throw FeedError(.duplicate, "There are two feeds with the name \(name). Give one of them another.")
        }
        let runner = FeedRunner(name, form, times: times, environment)
        state.withLock { $0.feeds.append(runner) }
        declared.changed()
        return Feed(runner: runner)
    }

    private func interval<Value>(of form: FeedForm<Value>, _ name: FeedName) throws(FeedError) -> Duration {
        let interval = form.interval ?? (form.isHybrid ? configuration.hybridInterval : configuration.interval)
        guard interval >= .seconds(1) || form.allowsShortInterval else {
            throw FeedError(
                .shortInterval,
                "\(name) is asked every \(interval). Wait at least a second, or say evenBelowOneSecond: true."
            )
        }
        guard interval >= .milliseconds(1) else {
            throw FeedError(.shortInterval, "\(name) is asked every \(interval). Wait at least a millisecond.")
        }
        return interval
    }
}

// MARK: - Running

extension FeedRegistry {
    /// Runs every feed, those that are declared meanwhile included, until the task is cancelled or the service is shut down
    /// gracefully. Polls that are under way are cancelled then.
    ///
    /// - Throws: ``FeedError/Code/alreadyRunning`` if it runs already.
    public func run() async throws {
        guard state.withLock({ $0.begin() }) else {
            throw FeedError(.alreadyRunning, "The feeds run already: name the registry in one place only.")
        }
        await cancelWhenGracefulShutdown { await self.runFeeds() }
        state.withLock { $0.isRunning = false }
    }

    private func runFeeds() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.retellLosses() }
            var started = 0
            while !Task.isCancelled {
                let feeds = state.withLock { $0.feeds }
                for feed in feeds[started...] { group.addTask { await feed.run() } }
                started = feeds.count
                let known = started
                await declared.wait { self.state.withLock { $0.feeds.count } > known }
            }
        }
    }

    /// Where a connection to other nodes was lost, values were told that listeners here have not heard. There is nothing
    /// that a feed's listener could refetch: it is told again what is newest.
    private func retellLosses() async {
        while !Task.isCancelled {
            for channel in await environment.hub.feeds.nextLosses() {
                do {
                    try await environment.hub.retell(channel)
                } catch {
                    // The next connection is a loss again.
                    let reason = environment.describe(error)
                    environment.logger.debug("what is newest is not known", metadata: ["error": "\(reason)"])
                }
            }
        }
    }
}
