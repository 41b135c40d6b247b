import Foundation
import Observation
import Synchronization
import TidingsQuery
import TidingsQuerySQLite

struct Order: Codable, Equatable, Sendable {
    var id: Int
    var table: String
    var status: String
    var total: Int
    var note: String
    var isPaid: Bool

    static func numbered(_ number: Int) -> Order {
        Order(
            id: number,
            table: "Table number \(number % 40) at the window",
            status: "open",
            total: number * 100,
            note: "A note of some length for order \(number)",
            isPaid: false
        )
    }
}

/// Counts who was told, from any thread.
final class Counter: Sendable {
    private let value = Mutex(0)
    var now: Int { value.withLock { $0 } }
    func add() { value.withLock { $0 += 1 } }
    func reset() { value.withLock { $0 = 0 } }
}

/// One item in a list of 1,000 is changed optimistically, until the observer was told and has read the new list.
func optimisticUpdate() -> Line {
    let client = QueryClient()
    let query = Query<[Order]>(key: ["orders"])
    client.setData((0..<1000).map(Order.numbered), for: query)
    let observer = QueryObserver(query, in: client)
    observer.start()
    let told = Counter()
    var number = 0
    var updates: [OptimisticUpdate<[Order]>] = []
    let timing = Timing.measure(rounds: 5000) {
        for update in updates { update.rollback() }
        updates = []
        number += 1
        withObservationTracking {
            _ = observer.data
        } onChange: {
            told.add()
        }
        return number
    } _: { number in
        updates.append(client.optimisticUpdate(query) { $0[number % 1000].total = -number })
        precondition(observer.data?[number % 1000].total == -number)
    }
    precondition(told.now >= 5500)
    return Line(
        job: "optimistic update of one of 1,000 items, until notified",
        reference: 229,
        aim: 50,
        unit: "µs",
        median: timing.median.microseconds,
        worst: timing.worst.microseconds
    )
}

/// A prefix that matches 1,000 of 10,000 entries is invalidated, every time anew.
func invalidatePrefix() -> Line {
    let client = QueryClient()
    let queries = (0..<10_000).map { Query<Int>(key: ["app", .integer($0 % 10), "item", .integer($0)]) }
    let timing = Timing.measure(rounds: 200) {
        for (number, query) in queries.enumerated() where number % 10 == 3 { client.setData(number, for: query) }
        if client.data(of: queries[0]) == nil {
            for (number, query) in queries.enumerated() { client.setData(number, for: query) }
        }
    } _: {
        client.invalidate(["app", 3])
    }
    precondition(client.entries(QueryFilter(isStale: true)).count == 1000)
    return Line(
        job: "invalidate a prefix that matches 1,000 of 10,000 entries",
        reference: 4.5,
        aim: 1,
        unit: "ms",
        median: timing.median.microseconds / 1000,
        worst: timing.worst.microseconds / 1000
    )
}

/// A key with 1,000 observers is written, until each of them was told.
func manyObservers() -> Line {
    let client = QueryClient()
    let query = Query<Int>(key: ["count"])
    client.setData(0, for: query)
    let observers = (0..<1000).map { _ in QueryObserver(query, in: client) }
    for observer in observers { observer.start() }
    let told = Counter()
    var number = 0
    let timing = Timing.measure(rounds: 500) {
        told.reset()
        for observer in observers {
            withObservationTracking {
                _ = observer.data
            } onChange: {
                told.add()
            }
        }
        number += 1
        return number
    } _: { number in
        client.setData(number, for: query)
        precondition(told.now == 1000)
    }
    return Line(
        job: "one write to a key with 1,000 observers, all notified",
        reference: 8.3,
        aim: 1,
        unit: "ms",
        median: timing.median.microseconds / 1000,
        worst: timing.worst.microseconds / 1000
    )
}

/// The memory of the process that is in use, in bytes; nil where the system does not say it in a file.
private func residentBytes() -> Int? {
    let statistics = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    return statistics?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 4096 }
}

/// The bytes that an entry with a small value takes, its key included: what a process grows by with 200,000 of them.
func memory() -> Line? {
    struct Small: Codable, Equatable, Sendable {
        var id: Int
        var isDone: Bool
    }
    let count = 200_000
    let client = QueryClient(.init { $0.bounds = CacheBounds(entries: nil) })
    guard let before = residentBytes() else { return nil }
    for number in 0..<count {
        client.setData(Small(id: number, isDone: false), for: Query(key: ["todos", .integer(number)]))
    }
    guard let after = residentBytes() else { return nil }
    precondition(client.entries(.exactly(["todos", 1])).count == 1)
    return Line(
        job: "memory of an entry with a small value",
        reference: 843,
        aim: 843,
        unit: "bytes",
        median: Double(after - before) / Double(count),
        worst: nil
    )
}

/// 5,000 stored entries come back, from the call to the first read of one of them.
func restore() async throws -> Line {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).sqlite").path
    defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
    let queries = (0..<5000).map { Query<Order>(key: ["orders", "detail", .integer($0)]) }
    let persister = try SQLiteQueryPersister(path: path)
    let writer = QueryClient(.init { $0.persister = persister })
    await writer.restore()
    for (number, query) in queries.enumerated() { writer.setData(.numbered(number), for: query) }
    await writer.flush()

    let clock = ContinuousClock()
    var durations: [Duration] = []
    for _ in 0..<20 {
        let persister = try SQLiteQueryPersister(path: path)
        let client = QueryClient(.init { $0.persister = persister })
        durations.append(
            await clock.measure {
                await client.restore()
                precondition(client.data(of: queries[4321])?.id == 4321)
            }
        )
        precondition(client.entries().count == 5000)
    }
    let timing = Timing(durations: durations.sorted())
    return Line(
        job: "restore 5,000 persisted entries",
        reference: nil,
        aim: 100,
        unit: "ms",
        median: timing.median.microseconds / 1000,
        worst: timing.worst.microseconds / 1000
    )
}
