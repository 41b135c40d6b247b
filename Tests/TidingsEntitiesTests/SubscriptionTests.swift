import Foundation
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import TidingsBroadcast
import TidingsEntities
import TidingsTesting
import TidingsWire

@Suite("A subscription on the server", .timeLimit(.patience))
struct SubscriptionTests {
    private struct Refused: Error {}

    /// Moves a clock until something is so.
    private static func advance(
        _ clock: ManualClock,
        by step: Duration = .seconds(1),
        until isTrue: @Sendable () -> Bool
    ) async throws {
        while !isTrue() {
            try Task.checkCancellation()
            clock.advance(by: step)
            await Task.yield()
        }
    }

    /// What handlers were given.
    private final class Record: Sendable {
        private let state = Mutex<[EntityEvent]>([])

        var events: [EntityEvent] { state.withLock { $0 } }
        var names: [String] { events.map { "\($0.entityType) \($0.name)" } }

        func add(_ event: EntityEvent) { state.withLock { $0.append(event) } }
    }

    /// Something that runs for as long as something else lasts, and ends gracefully after it.
    private static func whileRunning<Result: Sendable>(
        _ service: any Service,
        _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        let group = ServiceGroup(services: [service], logger: .quiet)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let result: Swift.Result<Result, any Error>
            do {
                result = .success(try await body())
            } catch {
                result = .failure(error)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return try result.get()
        }
    }

    @Test(
        "handles what happens from then on, in order, with everything that is known of it",
        arguments: StoreProvider.all
    )
    func order(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            _ = try await bench.makeOrder()
            _ = try await bench.entities.store.stampOutbox()
            let record = Record()
            let subscription = OutboxSubscription("mailer", of: bench.entities, logger: .quiet) { record.add($0) }
            try await Self.whileRunning(subscription) {
                await subscription.wait { $0.isActive }
                let context = ChangeContext(identity: .waiter("7"), origin: "m", traceID: "t")
                let id = try await bench.entities.write(as: context) { unit in
                    let order = try unit.insert(Order.self) { $0.table = "7" }
                    try unit.update(Order.self, order.id) { $0.note = "x" }
                    return order.id.text
                }
                await subscription.wait { $0.handled == 2 }
                #expect(record.names == ["order created", "order updated"])
                let event = try #require(record.events.last)
                #expect(event.entityID == id && event.entityVersion == 2 && event.origin == "m")
                #expect(event.userID == "waiter 7" && event.traceID == "t" && event.time == bench.time.now)
                #expect(event.channels.map(\.rawValue) == ["order", "order:\(id)", "table:7"])
                #expect(event.payload.entityID == id)
                await subscription.wait { $0.position == event.position }
                #expect(subscription.status.handled == 2)
            }
            #expect(!subscription.status.isActive)
        }
    }

    @Test("goes on where it was, and may begin with the oldest", arguments: StoreProvider.all)
    func cursor(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            _ = try await bench.makeOrder()
            var configuration = OutboxSubscription.Configuration()
            configuration.start = .oldest
            configuration.batch = 2
            for round in 0..<3 {
                let record = Record()
                let subscription = OutboxSubscription(
                    "index",
                    of: bench.entities,
                    configuration: configuration,
                    logger: .quiet
                ) { record.add($0) }
                // What happens while it does not run waits for it.
                for _ in 0..<3 { _ = try await bench.makeOrder() }
                let expected = round == 0 ? 5 : 3
                try await Self.whileRunning(subscription) {
                    await subscription.wait { $0.handled == expected }
                    await subscription.wait { $0.position == record.events.last?.position }
                }
                #expect(record.events.count == expected)
                let offsets = record.events.map(\.position.offset)
                #expect(offsets == offsets.sorted() && Set(offsets).count == expected)
            }
        }
    }

    @Test("handles an event again until it is handled, and the others wait", arguments: StoreProvider.all)
    func retries(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let (record, clock) = (Record(), ManualClock())
            let subscription = OutboxSubscription("mailer", of: bench.entities, clock: clock, logger: .quiet) { event in
                record.add(event)
                if record.events.count < 4 { throw Refused() }
            }
            try await Self.whileRunning(subscription) {
                await subscription.wait { $0.isActive }
                for _ in 0..<2 { _ = try await bench.makeOrder() }
                await subscription.wait { $0.retries == 1 }
                // 100, 200 and 400 milliseconds.
                for count in 2...4 {
                    #expect(record.events.count == count - 1)
                    try await Self.advance(clock, by: .milliseconds(10)) { record.events.count == count }
                }
                await subscription.wait { $0.handled == 2 }
                #expect(Set(record.events.prefix(4).map(\.entityID)).count == 1)
                #expect(record.events.last?.entityID != record.events.first?.entityID)
                #expect(subscription.status.setAside.isEmpty && subscription.status.retries == 3)
            }
        }
    }

    @Test("sets aside what cannot be handled, if that is wanted, and what cannot be read", arguments: StoreProvider.all)
    func setAside(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let record = Record()
            var configuration = OutboxSubscription.Configuration()
            configuration.attempts = 2
            configuration.firstBackoff = .milliseconds(1)
            let subscription = OutboxSubscription(
                "mailer",
                of: bench.entities,
                configuration: configuration,
                logger: .quiet
            ) { event in
                record.add(event)
                if event.name == "bell" { throw Refused() }
            }
            try await Self.whileRunning(subscription) {
                await subscription.wait { $0.isActive }
                let order = try await bench.makeOrder()
                try await bench.entities.write { try $0.tell("bell", about: order) }
                try await bench.entities.store.write { connection in
                    try connection.execute(
                        """
                        INSERT INTO sync_outbox (event_id, channels, event, entity_type, entity_id, payload, created_at)
                        VALUES (?, '["order"]', 'updated', 'order', 'x', 'broken', ?)
                        """,
                        [.uuid(UUID()), .date(Date())]
                    )
                }
                _ = try await bench.makeOrder()
                await subscription.wait { $0.handled == 2 }
                #expect(record.names == ["order created", "order bell", "order bell", "order created"])
                #expect(subscription.status.setAside.count == 2)
            }
        }
    }

    @Test("is told that events were removed before it handled them", arguments: StoreProvider.all)
    func gap(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database) { configuration in
                configuration.outboxRetention = .seconds(60)
                configuration.outboxRows = 1
                configuration.subscriptionRetention = .seconds(600)
            }
            let record = Record()
            let gaps = Mutex<[String]>([])
            let subscription = OutboxSubscription(
                "mailer",
                of: bench.entities,
                logger: .quiet,
                missed: { after, through in gaps.withLock { $0.append("\(after.offset) \(through.offset)") } }
            ) { record.add($0) }
            try await Self.whileRunning(subscription) {
                await subscription.wait { $0.isActive }
                _ = try await bench.makeOrder()
                await subscription.wait { $0.handled == 1 }
                await subscription.wait { $0.position == record.events.last?.position }
            }
            for _ in 0..<3 { _ = try await bench.makeOrder() }
            _ = try await bench.entities.store.stampOutbox()
            // It was there a short while ago: what it has not handled waits for it.
            bench.time.advance(by: .seconds(600))
            #expect(try await bench.entities.sweep().events == 2)
            bench.time.advance(by: .seconds(1))
            #expect(try await bench.entities.sweep().events == 2)
            try await Self.whileRunning(subscription) {
                await subscription.wait { $0.handled == 2 }
            }
            #expect(gaps.withLock { $0 } == ["2 4"])
            #expect(subscription.status.gaps == 1)
            #expect(record.events.last?.position.offset == 5)
        }
    }

    @Test("runs in one process at a time, and another takes over", arguments: StoreProvider.all)
    func takingOver(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database)
            let other = try await Bench(database, time: bench.time)
            let (first, second) = (Record(), Record())
            let (firstClock, secondClock) = (ManualClock(), ManualClock())
            let leader = OutboxSubscription("mailer", of: bench.entities, clock: firstClock, logger: .quiet) {
                first.add($0)
            }
            let follower = OutboxSubscription("mailer", of: other.entities, clock: secondClock, logger: .quiet) {
                second.add($0)
            }
            // The first one hangs: its clock stands still, and it does not say any more that it is there.
            try await Self.whileRunning(leader) {
                await leader.wait { $0.isActive }
                try await Self.whileRunning(follower) {
                    _ = try await bench.makeOrder()
                    await leader.wait { $0.handled == 1 }
                    await leader.wait { $0.position == first.events.last?.position && $0.isNoted }
                    for _ in 0..<100 { secondClock.advance(by: .seconds(1)) }
                    #expect(!follower.status.isActive && second.events.isEmpty)
                    bench.time.advance(by: .seconds(31))
                    try await Self.advance(secondClock) { follower.status.isActive }
                    _ = try await bench.makeOrder()
                    // What the database tells of other processes may come too early for it.
                    try await Self.advance(secondClock) { follower.status.handled == 1 }
                    // Now it looks again, and stops.
                    try await Self.advance(firstClock) { !leader.status.isActive }
                }
                // The other one has ended in an orderly way, so there is no lease to wait for.
                try await Self.advance(firstClock) { leader.status.isActive }
                _ = try await bench.makeOrder()
                await leader.wait { $0.handled >= 2 }
                #expect((first.events + second.events).map(\.position.offset).sorted() == [2, 3, 4])
            }
        }
    }
}
