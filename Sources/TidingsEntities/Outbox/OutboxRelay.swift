public import CoreMetrics
import FoundationEssentials
public import Logging
public import ServiceLifecycle
import Synchronization
public import TidingsBroadcast
import TidingsWire

/// Tells the clients of a node what was committed: reads the outbox in the order of positions and hands it to the node's
/// hub.
///
/// Every node of a service runs one. An event is told at least once; a client that hears it twice knows by its position.
/// A row that cannot be read is looked at again a few times and then set aside: its channels are told to refetch, and the
/// rows behind it go on. Now and then it removes what is older than it is to be kept (``Entities/sweep()``).
public final class OutboxRelay: Service {
    /// How the relay works.
    public struct Configuration: Sendable {
        /// How long the relay waits at most until it looks by itself, while there is much to do.
        public var busyInterval: Duration = .milliseconds(20)
        /// How long the relay waits at most until it looks by itself, when nothing has happened for a while. Changes of
        /// this process, and what the database tells, make it look at once.
        public var idleInterval: Duration = .seconds(1)
        /// Rows that are read at once.
        public var batch = 500
        /// Newest events that are read into memory at the start, so that clients that come back after a restart are
        /// answered from there.
        public var recentEvents = 10_000
        /// How often a row that cannot be read is looked at before it is set aside.
        public var attempts = 3
        /// How long the relay waits after it has removed what is older than it is to be kept, until it looks again.
        public var sweepInterval: Duration = .seconds(60)
        /// How long the database may fail before the node is not ready any more.
        public var patience: Duration = .seconds(10)

        /// Starts with what most servers want.
        public init() {}
    }

    /// How the relay fares.
    public struct Status: Sendable {
        /// Where it stands; nil before it began.
        public internal(set) var position: EventPosition?
        /// Events that were told since it began.
        public internal(set) var delivered = 0
        /// Time between the commit of the newest event that was told and its being told.
        public internal(set) var lag: Duration = .zero
        /// Rows that were removed because they were old.
        public internal(set) var swept = 0
        /// Times that something failed and was tried again.
        public internal(set) var retries = 0
        /// Positions of rows that were set aside, newest last; at most a hundred.
        public internal(set) var setAside: [EventPosition] = []
        /// What failed last; nil while nothing fails.
        public internal(set) var failure: String?
        var failingSince: ContinuousClock.Instant?
    }

    private let entities: Entities
    private let configuration: Configuration
    private let relayed: RelayedLog
    private let logger: Logger
    private let clock: any Clock<Duration>
    private let topicNames: [String: [EventName: String]]
    private let state = Observed(Status())
    private let metrics: RelayMetrics
    private let interval: Mutex<Duration>

    /// Gives the entities' channels their log. Make the relay before clients are let in.
    ///
    /// - Parameters:
    ///   - entities: What is told of.
    ///   - hub: Whom it is told.
    ///   - configuration: How the relay works.
    ///   - clock: Measures the intervals.
    ///   - metrics: Where it is told how the relay fares; nil: what the process has bootstrapped.
    ///   - logger: Hears about failures, never about payloads.
    public init(
        entities: Entities,
        hub: BroadcastHub,
        configuration: Configuration = Configuration(),
        clock: any Clock<Duration> = ContinuousClock(),
        metrics: (any MetricsFactory)? = nil,
        logger: Logger = Logger(label: "tidings.relay")
    ) {
        self.entities = entities
        self.configuration = configuration
        self.clock = clock
        self.metrics = RelayMetrics(factory: metrics)
        self.logger = logger
        topicNames = entities.topicNames
        interval = Mutex(configuration.idleInterval)
        relayed = hub.relay(OutboxLog(entities: entities), channels: entities.tellsOn)
    }

    /// How the relay fares now.
    public var status: Status { state.value }

    /// Waits until the relay fares in a certain way, or the task is cancelled.
    package func wait(until isTrue: @Sendable (Status) -> Bool) async { await state.wait(until: isTrue) }

    /// Shows how the relay fares in the answer of `GET /readyz`, which fails while clients are not told what happens.
    ///
    /// - Parameter checks: The server's checks.
    public func register(at checks: ReadinessChecks) {
        checks.register(
            "relay",
            details: { [self] in
                let status = status
                return [
                    "delivered": status.delivered, "lag_ms": Int(status.lag / .milliseconds(1)),
                    "retries": status.retries, "set_aside": status.setAside.count,
                ]
            },
            check: { [self] in try await checkHealth() }
        )
    }

    /// Whether clients are told what happens, for a readiness check.
    ///
    /// - Throws: ``StoreError`` that says what is wrong, if the relay has not begun or has failed for longer than
    ///   ``Configuration/patience``.
    public func checkHealth() async throws {
        let status = status
        guard status.position != nil else {
            throw StoreError(.unavailable, "The relay has not begun. \(status.failure ?? "")")
        }
        guard let since = status.failingSince, .now - since > configuration.patience else { return }
        throw StoreError(.unavailable, "The relay is stuck: \(status.failure ?? "").")
    }
}

// MARK: - Running

extension OutboxRelay {
    /// Relays until the task is cancelled or the service is shut down gracefully.
    public func run() async {
        entities.positions.relayBegan()
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.sweep() }
                group.addTask {
                    await self.entities.followOutbox(every: { self.interval.withLock { $0 } }, clock: self.clock) {
                        await self.relay()
                        return true
                    }
                }
                await group.waitForAll()
            }
        }
        entities.positions.relayEnded()
    }

    /// Removes what is old, at intervals.
    private func sweep() async {
        while !Task.isCancelled {
            do {
                let sweep = try await entities.sweep()
                state.update { $0.swept += sweep.events + sweep.auditEntries + sweep.answers }
            } catch is CancellationError {
            } catch {
                logger.error("what is old cannot be removed; trying again", metadata: ["error": "\(error)"])
            }
            try? await clock.sleep(for: configuration.sweepInterval)
        }
    }

    /// Tells everything that there is to tell.
    private func relay() async {
        do {
            var found = 0
            var isMore = true
            while isMore, !Task.isCancelled {
                if !entities.store.dialect.stampsOnInsert { _ = try await entities.store.stampOutbox() }
                let count = try await relayBatch()
                found += count
                isMore = count >= configuration.batch
            }
            interval.withLock { interval in
                interval = found > 0 ? configuration.busyInterval : min(interval * 2, configuration.idleInterval)
            }
            state.update { ($0.failure, $0.failingSince) = (nil, nil) }
        } catch is CancellationError {
        } catch {
            failed(error)
        }
    }

    private func failed(_ error: any Error) {
        metrics.tryAgain()
        let isNew = state.update { state in
            defer {
                state.failure = "\(error)"
                state.retries += 1
                state.failingSince = state.failingSince ?? .now
            }
            return state.failure == nil
        }
        interval.withLock { $0 = configuration.idleInterval }
        if isNew { logger.error("the outbox cannot be read; trying again", metadata: ["error": "\(error)"]) }
    }

    /// Tells what comes next.
    ///
    /// - Returns: How many rows were read.
    private func relayBatch() async throws -> Int {
        let (batch, recent) = (configuration.batch, configuration.recentEvents)
        let topicNames = topicNames
        let known = state.value.position
        let (head, rows, isBeginning) = try await entities.store.read { connection in
            let head = try OutboxHead.read(on: connection)
            let reader = OutboxReader(connection: connection, topicNames: topicNames)
            if let known, known.epoch == head.epoch, known.offset >= head.purged, known.offset <= head.offset {
                return (head, try reader.rows(after: known.offset, limit: batch), false)
            }
            return (head, try reader.newest(recent, upTo: head.offset), true)
        }
        if let known, known.epoch == head.epoch, known.offset > head.offset {
            try await renewOutbox(unlike: known)
            return batch
        }
        if isBeginning {
            begin(at: head, rows)
            return 0
        }
        try await tell(rows, epoch: head.epoch)
        return rows.count
    }

    /// The database went back, to a backup or to another server that did not have everything: positions that clients know
    /// will be given to other events. So its outbox begins another life.
    private func renewOutbox(unlike known: EventPosition) async throws {
        logger.error("the outbox has lost events; all clients refetch", metadata: ["known": "\(known)"])
        try await entities.store.write { connection in
            let head = try OutboxHead.read(on: connection)
            if head.epoch == known.epoch, head.offset < known.offset { try OutboxHead.renew(on: connection) }
        }
    }

    /// The first look, or the first one at a database that has taken the place of another.
    private func begin(at head: OutboxHead, _ rows: [OutboxRow]) {
        // A row whose channels cannot be read is a hole: what is before it is not preloaded.
        let readable = rows.suffix(while: { $0.entry(epoch: head.epoch) != nil })
        relayed.begin(after: head.position, recent: readable.compactMap { $0.entry(epoch: head.epoch) })
        state.update { $0.position = head.position }
        see(rows, epoch: head.epoch)
    }

    private func tell(_ rows: [OutboxRow], epoch: String) async throws {
        var entries: [LogEntry] = []
        for row in rows {
            var row = row
            if !row.isReadable {
                // What comes before it does not wait for it.
                relayed.deliver(entries)
                entries = []
                row = try await lookAgain(at: row, epoch: epoch)
            }
            let position = EventPosition(epoch: epoch, offset: row.position)
            if !row.isReadable { setAside(position) }
            if let entry = row.entry(epoch: epoch) {
                entries.append(entry)
            } else {
                // Nobody knows on which channels: everybody refetches.
                relayed.begin(after: position)
            }
        }
        relayed.deliver(entries)
        see(rows, epoch: epoch)
        guard let last = rows.last else { return }
        let lag = last.createdAt.map { max(0, entities.configuration.now().timeIntervalSince($0)) }
        metrics.told(rows.count, lag: lag)
        state.update { state in
            state.position = EventPosition(epoch: epoch, offset: last.position)
            state.delivered += rows.count
            if let lag { state.lag = .seconds(lag) }
        }
    }

    private func see(_ rows: [OutboxRow], epoch: String) {
        guard !entities.store.dialect.stampsOnInsert else { return }
        entities.positions.saw(
            rows.compactMap { row in
                row.eventID.map { (id: $0, position: EventPosition(epoch: epoch, offset: row.position)) }
            }
        )
    }

    /// What cannot be read now may be readable in a moment: somebody may be mending it.
    private func lookAgain(at row: OutboxRow, epoch: String) async throws -> OutboxRow {
        let topicNames = topicNames
        var row = row
        for attempt in 1..<max(configuration.attempts, 1) {
            metrics.tryAgain()
            state.update { $0.retries += 1 }
            try await clock.sleep(for: configuration.busyInterval * (1 << min(attempt, 8)))
            let position = row.position
            let rows = try await entities.store.read { connection in
                try OutboxReader(connection: connection, topicNames: topicNames).rows(after: position - 1, limit: 1)
            }
            guard let found = rows.first, found.position == position else { return row }
            row = found
            if row.isReadable { return row }
        }
        return row
    }

    private func setAside(_ position: EventPosition) {
        metrics.wasSetAside()
        state.update { state in
            state.setAside.append(position)
            if state.setAside.count > 100 { state.setAside.removeFirst() }
        }
        logger.error("an event cannot be read and was set aside", metadata: ["position": "\(position)"])
    }
}

extension Array {
    /// The elements at the end that all meet a condition.
    fileprivate func suffix(while isMet: (Element) -> Bool) -> ArraySlice<Element> {
        guard let last = lastIndex(where: { !isMet($0) }) else { return self[...] }
        return self[(last + 1)...]
    }
}
