public import Logging
import Synchronization

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// A cache of what servers say: it fetches what is asked for, once for everybody, keeps it, and knows when it is out of
/// date.
///
/// ```swift
/// let client = QueryClient()
/// let orders = try await client.fetch(.orders(.open))
/// client.invalidate(["orders"])
/// ```
///
/// All methods can be called from any task, thread or actor at any time. Those that are not `async` have taken effect
/// when they return, and observers know it. Functions of the caller (fetches, changes, comparisons, predicates) are never
/// called inside of the client's critical section, so they may use the client.
///
/// ``run()`` gives it time: without it, nothing happens on its own account, such as polling, entries turning stale on
/// screen, or storing. Everything else works.
public final class QueryClient: Sendable {
    /// How a client behaves.
    public struct Configuration: Sendable {
        /// What applies to queries that say nothing else.
        public var defaults = QueryOptions()
        /// How much is kept of what nobody observes.
        public var bounds = CacheBounds()
        /// Whether the device is online.
        public var connectivity: any StateMonitor = ManualMonitor(true)
        /// Whether the application is in front.
        public var focus: any StateMonitor = ManualMonitor(true)
        /// The clock that all waits are on. It should go on while the device sleeps, as the default does.
        public var clock: any Clock<Duration> & Sendable = ContinuousClock()
        /// What the calendar says when the client is made; nil is that of the device. Later moments are this and what the
        /// clock has counted.
        public var startDate: Date?
        /// Where the randomness of jitter and idempotency keys comes from. The generator is used on one thread at a time.
        public var makeRandomNumberGenerator: @Sendable () -> any RandomNumberGenerator & Sendable = {
            SystemRandomNumberGenerator()
        }
        /// Where entries and mutations are kept across restarts; nil is nowhere.
        public var persister: (any QueryPersister)?
        /// How entries are kept across restarts.
        public var persistence = PersistenceOptions()
        /// Hears about the cache, never about data.
        public var logger = Logger(label: "tidings.query")
        /// Where the client's own tasks run; nil is where Swift runs tasks.
        public var taskExecutor: (any TaskExecutor)?

        /// Starts with the defaults.
        public init() {}

        /// Starts with the defaults and changes some.
        ///
        /// - Parameter configure: Changes them.
        public init(_ configure: (inout Configuration) -> Void) {
            configure(&self)
        }
    }

    let configuration: Configuration
    package let time: TimeSource
    let doorbell = Doorbell()
    let savingDoorbell = Doorbell()
    private let cache: Guarded<Cache>
    private let random: Mutex<any RandomNumberGenerator & Sendable>
    private let observations = Mutex<[MonitorObservation]>([])

    /// Makes an empty client.
    ///
    /// - Parameter configuration: How it behaves.
    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        time = Self.timeSource(configuration.clock, configuration.startDate ?? Date())
        cache = Guarded(Cache(configuration, now: time.now))
        random = Mutex(configuration.makeRandomNumberGenerator())
        let connectivity = configuration.connectivity.onChange { [weak self] in self?.setOnline($0) }
        let focus = configuration.focus.onChange { [weak self] in self?.setFocused($0) }
        observations.withLock { $0 = [connectivity, focus] }
        catchUp()
    }

    deinit {
        cache.withLock(\.inspection).finish()
    }

    /// Takes note of what changed while the client was being made.
    private func catchUp() {
        while withCache({ $0.isOnline }) != configuration.connectivity.isActive {
            setOnline(configuration.connectivity.isActive)
        }
        while withCache({ $0.isFocused }) != configuration.focus.isActive { setFocused(configuration.focus.isActive) }
    }

    private static func timeSource(_ clock: some Clock<Duration>, _ start: Date) -> TimeSource {
        TimeSource(clock, startingAt: start)
    }

    /// Does something to the cache at once, and then what follows from it.
    @discardableResult
    func withCache<Result: Sendable>(_ body: @Sendable (inout Cache) -> Result) -> Result {
        let now = time.now
        let (result, effects) = cache.withLock { cache -> (Result, Effects) in
            // Two threads may read the clock in another order than they come here.
            cache.now = max(cache.now, now)
            let result = body(&cache)
            return (result, cache.settle(self))
        }
        effects.perform()
        return result
    }

    /// Whether entries wait in stored form: asked before each use of one, so it is cheap.
    var hasDormantEntries: Bool { cache.withLock { $0.dormantCount > 0 } }

    /// The task of a fetch, of a mutation or of the use of storage: the only ones of their own, because a caller who gives
    /// up must not end what others share.
    func spawn<Outcome: Sendable>(_ body: @escaping @Sendable () async -> Outcome) -> Task<Outcome, Never> {
        guard let executor = configuration.taskExecutor else { return Task { await body() } }
        return Task(executorPreference: executor) { await body() }
    }

    /// A number from 0 up to 1.
    package func randomNumber() -> Double {
        Double(randomBits() >> 11) * 0x1p-53
    }

    func randomBits() -> UInt64 {
        random.withLock { $0.next() }
    }
}
