import Synchronization
import TestSupport
import Testing

@testable import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("A random walk")
struct RandomWalkTests {
    /// `WALK_SEED=7` walks the way that a failure told of; `WALK_COUNT=10000` walks more often.
    private static let seed =
        ProcessInfo.processInfo.environment["WALK_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0...999_999_999)
    private static let count = ProcessInfo.processInfo.environment["WALK_COUNT"].flatMap(Int.init) ?? 100

    @Test(
        "through all that can happen: no confirmed change disappears, and what is watched comes to the truth by itself"
    )
    func walk() {
        print("Random walk: \(Self.count) walks from seed \(Self.seed)")
        for offset in 0..<UInt64(Self.count) {
            let seed = Self.seed + offset
            let world = WalkWorld(seed: seed)
            world.walk(steps: 200)
            world.settle()
            #expect(world.complaints.isEmpty, "WALK_SEED=\(seed) WALK_COUNT=1")
        }
    }
}

@Suite("Many threads at once")
struct ConcurrencyTests {
    @Test("no change is lost")
    func updates() async {
        let client = QueryClient()
        let query = Query<Int>(key: ["count"])
        client.setData(0, for: query)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<500 { client.updateData(of: query) { $0 += 1 } }
                }
            }
        }
        #expect(client.data(of: query) == 4000)
    }

    @Test("everything may be used from everywhere")
    func everything() async throws {
        let client = QueryClient()
        let gauge = Gauge()
        @Sendable func query(_ number: Int) -> Query<Int> {
            Query(key: ["n", .integer(number)]) { _ in
                gauge.enter()
                await Task.yield()
                gauge.leave()
                return number
            }
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await withTaskGroup(of: Void.self) { inner in
                    inner.addTask { await client.run() }
                    for _ in 0..<2000 { await Task.yield() }
                    inner.cancelAll()
                }
            }
            for worker in 0..<6 {
                group.addTask {
                    var random = SeededGenerator(seed: UInt64(worker))
                    for _ in 0..<200 {
                        let query = query(random.number(in: 0...3))
                        switch random.number(in: 0...8) {
                        case 0: client.invalidate(["n"])
                        case 1: client.setData(random.number(in: 0...9), for: query)
                        case 2: client.cancel(["n"])
                        case 3: client.remove(.exactly(query.key))
                        case 4:
                            let update = client.optimisticUpdate(query) { $0 = 1 }
                            await Task.yield()
                            if random.once(in: 2) { update.confirm() } else { update.rollback() }
                        case 5:
                            let observer = QueryObserver(query, in: client)
                            observer.start()
                            await Task.yield()
                            _ = observer.snapshot
                        case 6:
                            _ = try? await client.mutate(Mutation<Int, Int> { input, _ in input }, 1)
                        default: _ = try? await client.fetch(query)
                        }
                    }
                }
            }
        }
        await client.refetch().finished()
        for number in 0...3 {
            let value = try await client.fetch(query(number).with { $0.staleTime = .zero })
            #expect(value == number)
        }
        #expect(client.entries().filter { $0.hasOptimisticChanges }.isEmpty)
        #expect(gauge.now == 0)
    }

    @Test("readers see every last value")
    func readers() async {
        let client = QueryClient()
        let query = Query<Int>(key: ["count"])
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var last = 0
                    for await snapshot in client.snapshots(of: query) {
                        last = snapshot.data ?? 0
                        if last == 1000 { break }
                    }
                    return last
                }
            }
            group.addTask {
                for number in 1...1000 {
                    client.setData(number, for: query)
                    if number % 50 == 0 { await Task.yield() }
                }
                return 1000
            }
            for await last in group { #expect(last == 1000) }
        }
    }
}

private final class Gauge: Sendable {
    private let value = Mutex(0)

    var now: Int { value.withLock { $0 } }
    func enter() { value.withLock { $0 += 1 } }
    func leave() { value.withLock { $0 -= 1 } }
}
