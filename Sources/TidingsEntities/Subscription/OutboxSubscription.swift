import FoundationEssentials
public import Logging
public import ServiceLifecycle
public import TidingsBroadcast
import TidingsWire

/// Does something on the server whenever something happens to an entity: sends a mail, calls a webhook, keeps a search
/// index.
///
/// ```swift
/// let mailer = OutboxSubscription("mailer", of: entities) { event in
///     guard event.entityType == "order", event.name == "created" else { return }
///     try await mail.send(about: event.entityID)
/// }
/// ```
///
/// How far it has come is kept in the database under its name. Events are handled in the order of their positions, one
/// after the other, each at least once: after a crash the last one may be handled again, so a handler has to bear that.
/// A handler that throws is called again, after a while that grows; the events behind wait.
///
/// Of several processes with a subscription of the same name one handles events at a time. When it ends another one takes
/// over: within a third of ``Configuration/lease`` if it ended in an orderly way, otherwise when that is over too. A
/// process that hangs for longer and then goes on stops as soon as it looks, so an event may then be handled by two.
public final class OutboxSubscription: Service {
    /// Handles an event. When it throws, the event is handled again later.
    public typealias Handler = @Sendable (EntityEvent) async throws -> Void

    /// Hears that events were removed before they were handled.
    ///
    /// - Parameters:
    ///   - after: The last event that was handled.
    ///   - through: The last one that was removed.
    public typealias GapHandler = @Sendable (_ after: EventPosition, _ through: EventPosition) async -> Void

    /// How a subscription works.
    public struct Configuration: Sendable {
        /// Where a subscription begins that has not run before.
        public enum Start: Sendable {
            /// With what happens from now on.
            case newest
            /// With the oldest event that is kept.
            case oldest
        }

        /// Where it begins if it has not run before.
        public var start = Start.newest
        /// Events that are read at once.
        public var batch = 100
        /// How long it waits at most until it looks by itself. Changes of this process, and what the database tells, make
        /// it look at once.
        public var interval: Duration = .seconds(1)
        /// How long it waits after a handler threw; twice as long each time.
        public var firstBackoff: Duration = .milliseconds(100)
        /// How long it waits at most after a handler threw.
        public var maximumBackoff: Duration = .seconds(60)
        /// How often an event is handled before it is set aside and the next one comes; nil: until it is handled.
        public var attempts: Int?
        /// How long another process waits before it takes over from one that is not heard of any more. Processes whose
        /// clocks differ by more get in each other's way.
        public var lease: Duration = .seconds(30)

        /// Starts with what most subscriptions want.
        public init() {}
    }

    /// How a subscription fares.
    public struct Status: Sendable {
        /// Whether this process is the one that handles events.
        public internal(set) var isActive = false
        /// The last event that was handled; nil before this process handled events.
        public internal(set) var position: EventPosition?
        /// Whether the database knows how far it has come.
        package internal(set) var isNoted = true
        /// Events that were handled here.
        public internal(set) var handled = 0
        /// Times that a handler threw or the database failed here.
        public internal(set) var retries = 0
        /// Events that were set aside here, newest last; at most a hundred.
        public internal(set) var setAside: [EventPosition] = []
        /// Times that events were removed before they were handled.
        public internal(set) var gaps = 0
        /// What failed last; nil while nothing fails.
        public internal(set) var failure: String?
    }

    /// The subscription's name in the database.
    public let name: String
    private let entities: Entities
    private let configuration: Configuration
    private let cursor: OutboxCursor
    private let clock: any Clock<Duration>
    private let logger: Logger
    private let missed: GapHandler?
    private let handler: Handler
    private let state = Observed(Status())

    /// Describes a subscription.
    ///
    /// - Parameters:
    ///   - name: Its name in the database: one that stays.
    ///   - entities: Whose events it handles.
    ///   - configuration: How it works.
    ///   - clock: Measures intervals and backoffs.
    ///   - logger: Hears about failures, never about payloads.
    ///   - missed: Hears that events were removed before they were handled; it goes on with the oldest that is kept.
    ///   - handler: Handles an event. It is called by one task at a time, which is cancelled when the service ends or
    ///     another process has taken over.
    public init(
        _ name: String,
        of entities: Entities,
        configuration: Configuration = Configuration(),
        clock: any Clock<Duration> = ContinuousClock(),
        logger: Logger = Logger(label: "tidings.subscription"),
        missed: GapHandler? = nil,
        handler: @escaping Handler
    ) {
        self.name = name
        self.entities = entities
        self.configuration = configuration
        self.clock = clock
        var logger = logger
        logger[metadataKey: "subscription"] = "\(name)"
        self.logger = logger
        self.missed = missed
        self.handler = handler
        cursor = OutboxCursor(
            name: name,
            store: entities.store,
            lease: configuration.lease,
            now: entities.configuration.now
        )
    }

    /// How the subscription fares now.
    public var status: Status { state.value }

    /// Waits until the subscription fares in a certain way, or the task is cancelled.
    package func wait(until isTrue: @Sendable (Status) -> Bool) async { await state.wait(until: isTrue) }
}

// MARK: - Running

extension OutboxSubscription {
    /// Handles events until the task is cancelled or the service is shut down gracefully.
    public func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.handleWhileHolding()
                try? await self.clock.sleep(for: self.configuration.lease / 3)
            }
        }
        // In a task that was cancelled this fails: the last event is handled again, when the lease is over.
        _ = try? await note()
        try? await cursor.release()
    }

    /// Handles events for as long as no other process does.
    private func handleWhileHolding() async {
        do {
            // What was committed before is before it.
            while !entities.store.dialect.stampsOnInsert, try await entities.store.stampOutbox() {}
            guard let offset = try await cursor.take(isFromOldest: configuration.start == .oldest) else { return }
            let epoch = try await entities.store.read { try OutboxHead.epoch(on: $0) }
            state.update { state in
                (state.isActive, state.position) = (true, EventPosition(epoch: epoch, offset: offset))
                state.isNoted = true
            }
        } catch {
            return failed(error)
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.renew() }
            group.addTask {
                await self.entities.followOutbox(every: { self.configuration.interval }, clock: self.clock) {
                    await self.handleAll()
                }
            }
            await group.next()
            group.cancelAll()
        }
        state.update { $0.isActive = false }
    }

    /// Says again and again that this process is there, until it is not its turn any more.
    private func renew() async {
        while !Task.isCancelled {
            try? await clock.sleep(for: configuration.lease / 3)
            do {
                guard try await cursor.renew() else { return }
            } catch {
                failed(error)
            }
        }
    }

    /// Handles everything that there is.
    ///
    /// - Returns: Whether it goes on: false if another process has taken over.
    private func handleAll() async -> Bool {
        do {
            while !Task.isCancelled {
                if !entities.store.dialect.stampsOnInsert { _ = try await entities.store.stampOutbox() }
                guard try await note(), let position = status.position else { return false }
                let (rows, head) = try await rows(after: position)
                // The database went back or was replaced: what is known of it is looked up again.
                guard position.epoch == head.epoch, position.offset <= head.offset else { return false }
                if position.offset < head.purged {
                    guard try await skip(from: position, to: head) else { return false }
                    continue
                }
                // Before it handles what another process may have handled already.
                if !rows.isEmpty, !(try await cursor.renew()) { return false }
                for row in rows {
                    guard await handle(row, epoch: head.epoch) else { return !Task.isCancelled }
                    arrived(at: EventPosition(epoch: head.epoch, offset: row.position))
                    guard try await note() else { return false }
                }
                state.update { $0.failure = nil }
                if rows.count < configuration.batch { return true }
            }
        } catch {
            failed(error)
        }
        return true
    }

    private func rows(after position: EventPosition) async throws -> ([OutboxRow], OutboxHead) {
        let batch = configuration.batch
        return try await entities.store.read { connection in
            let reader = OutboxReader(connection: connection, topicNames: [:])
            return (try reader.rows(after: position.offset, limit: batch), try OutboxHead.read(on: connection))
        }
    }

    /// Handles an event, again and again if it has to be.
    ///
    /// - Returns: Whether the next one can come: false if the task was cancelled.
    private func handle(_ row: OutboxRow, epoch: String) async -> Bool {
        guard let event = row.entityEvent(epoch: epoch) else {
            setAside(EventPosition(epoch: epoch, offset: row.position), "it cannot be read")
            return true
        }
        var attempts = 0
        while !Task.isCancelled {
            do {
                try await handler(event)
                state.update { $0.handled += 1 }
                return true
            } catch {
                guard !Task.isCancelled else { return false }
                attempts += 1
                failed(error)
                if let most = configuration.attempts, attempts >= most {
                    setAside(event.position, "\(error)")
                    return true
                }
                try? await clock.sleep(for: backoff(after: attempts))
            }
        }
        return false
    }

    private func backoff(after attempts: Int) -> Duration {
        min(configuration.firstBackoff * (1 << min(attempts - 1, 20)), configuration.maximumBackoff)
    }

    private func arrived(at position: EventPosition) {
        state.update { ($0.position, $0.isNoted) = (position, false) }
    }

    /// Makes sure that the database knows how far it has come.
    ///
    /// - Returns: Whether no other process has taken over.
    private func note() async throws -> Bool {
        let status = status
        guard !status.isNoted, let position = status.position else { return true }
        guard try await cursor.advance(to: position.offset) else { return false }
        state.update { $0.isNoted = true }
        return true
    }

    private func skip(from position: EventPosition, to head: OutboxHead) async throws -> Bool {
        let end = EventPosition(epoch: head.epoch, offset: head.purged)
        logger.error("events were removed before they were handled", metadata: ["after": "\(position)"])
        state.update { $0.gaps += 1 }
        await missed?(position, end)
        arrived(at: end)
        return try await note()
    }

    private func setAside(_ position: EventPosition, _ reason: String) {
        state.update { state in
            state.setAside.append(position)
            if state.setAside.count > 100 { state.setAside.removeFirst() }
        }
        logger.error("an event was set aside", metadata: ["position": "\(position)", "reason": "\(reason)"])
    }

    private func failed(_ error: any Error) {
        guard !(error is CancellationError) else { return }
        let isNew = state.update { state in
            defer { (state.failure, state.retries) = ("\(error)", state.retries + 1) }
            return state.failure == nil
        }
        if isNew { logger.error("an event cannot be handled; trying again", metadata: ["error": "\(error)"]) }
    }
}
