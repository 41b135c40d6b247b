import Foundation
import Synchronization
import TestSupport
import Testing
import TidingsBroadcast
import TidingsEntities
import TidingsWire

/// Many write at once, some of it is rolled back, and those who listen hear every committed change of an entity once and
/// in its order. `FAULTS=full` goes on for longer.
@Suite("Writers and listeners", .timeLimit(.patience), .serialized)
struct FaultTests {
    private static let isFull = ProcessInfo.processInfo.environment["FAULTS"] == "full"
    private static let transactionsOfEach = isFull ? 1000 : 20

    private struct Abandoned: Error {}

    /// How much was committed, as soon as that is known.
    private final class Goal: Sendable {
        private let state = Mutex<Int?>(nil)

        func set(_ count: Int) { state.withLock { $0 = count } }
        func isReached(by count: Int) -> Bool { state.withLock { $0.map { count >= $0 } ?? false } }
    }

    /// A change that was committed.
    private struct Change: Hashable {
        let id: String
        let version: Int
    }

    @Test("no event is lost, doubled or reordered", arguments: StoreProvider.all)
    func load(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            // Two nodes on one database, as two processes would be.
            let bench = try await Bench(database)
            let other = try await Bench(database, time: bench.time)
            let orders = try await (0..<4).asyncMap { _ in try await bench.makeOrder() }
            try await Node(bench).run { first in
                try await Node(other).run { second in
                    try await first.settle()
                    try await second.settle()
                    let goal = Goal()
                    let (arrivals, arrive) = AsyncStream<Void>.makeStream()
                    let arrived: @Sendable () -> Void = { arrive.yield() }
                    async let here = Self.listen(on: first, arrived, until: goal)
                    async let there = Self.listen(on: second, arrived, until: goal)
                    // This one is cut off again and again, and comes back with its position.
                    async let cut = Self.listen(on: first, dropping: 20, arrived, until: goal)
                    for await _ in arrivals.prefix(3) {}
                    let committed = try await Self.write(orders, on: [bench, other])
                    goal.set(committed.count)
                    for heard in try await [here, there, cut] {
                        #expect(Set(heard).count == heard.count, "twice")
                        #expect(Set(heard) == Set(committed), "lost")
                        for order in orders {
                            let versions = heard.filter { $0.id == order.id.text }.map(\.version)
                            #expect(versions == versions.sorted(), "reordered")
                        }
                    }
                    #expect(!committed.isEmpty)
                }
            }
        }
    }

    /// Six writers change the same few orders, now and then two in one transaction. Gives what they committed.
    private static func write(_ orders: [Order], on benches: [Bench]) async throws -> [Change] {
        try await withThrowingTaskGroup(of: [Change].self) { group in
            for writer in 0..<6 {
                group.addTask {
                    var random = SeededGenerator(seed: UInt64(writer))
                    var committed: [Change] = []
                    for _ in 0..<transactionsOfEach {
                        let bench = benches[writer % benches.count]
                        // In one order, so that two transactions do not wait for each other.
                        let places = Set((0..<random.number(in: 1...2)).map { _ in random.number(in: 0...3) }).sorted()
                        let (isAbandoned, number) = (random.once(in: 10), random.number(in: 0...1_000_000_000))
                        let delay = random.number(in: 0...3)
                        do {
                            committed += try await bench.entities.write { unit in
                                let changes = try places.map { place in
                                    let order = try unit.update(Order.self, orders[place].id) { $0.note = "\(number)" }
                                    return Change(id: order.id.text, version: order.version)
                                }
                                // As an application that takes its time, with the transaction open.
                                Thread.sleep(forTimeInterval: Double(delay) / 1000)
                                if isAbandoned { throw Abandoned() }
                                return changes
                            }
                        } catch is Abandoned {}
                    }
                    return committed
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    /// Hears everything on the channel of all orders, until as much was heard as was committed.
    ///
    /// - Parameters:
    ///   - count: After how many events the connection is lost.
    ///   - arrived: Called when it listens.
    private static func listen(
        on node: Node,
        dropping count: Int = .max,
        _ arrived: @Sendable () -> Void,
        until goal: Goal
    ) async throws -> [Change] {
        var heard: [Change] = []
        var listener = try await Listener(node.hub)
        var position = try await listener.subscribe("order").subscribed.first?.position
        arrived()
        while !goal.isReached(by: heard.count) {
            guard let event = try await listener.eventOrNothing() else { continue }
            #expect(event.name == .updated)
            let payload = try JSONNode(parsing: event.payload.json, maximumDepth: 2)
            let version = try #require(payload["version"].flatMap { Int($0.text) })
            heard.append(Change(id: event.payload.entityID ?? "", version: version))
            position = event.position
            if heard.count % count == 0 {
                try await listener.drop()
                listener = try await Listener(node.hub)
                let since = try #require(position)
                let reply = try await listener.subscribe("order", since: ["order": since])
                #expect(reply.subscribed.map(\.recovered) == [true])
            }
        }
        return heard
    }
}

extension Sequence {
    fileprivate func asyncMap<Value>(_ body: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await body(element)) }
        return values
    }
}
