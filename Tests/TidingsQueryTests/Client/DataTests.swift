import Testing

@testable import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("Setting and reading data")
struct DataTests {
    let bench = Bench()
    let server = FakeServer<Int>()
    let query = Query<Int>(key: ["a"])

    @Test("there is none at first")
    func nothing() {
        #expect(bench.client.data(of: query) == nil)
        #expect(bench.client.state(of: query) == nil)
        #expect(bench.client.baseData(of: query) == nil)
    }

    @Test("makes the entry")
    func creates() {
        bench.client.setData(1, for: query)
        #expect(bench.client.data(of: query) == 1)
        #expect(bench.client.state(of: query)?.status == .success)
        #expect(bench.client.state(of: query)?.isFetched == true)
    }

    @Test("is as old as now, or as somebody says")
    func timestamps() {
        bench.client.setData(1, for: query)
        #expect(bench.client.state(of: query)?.dataUpdatedAt == Bench.start)
        bench.advance(.seconds(10))
        bench.client.setData(2, for: query)
        #expect(bench.client.state(of: query)?.dataUpdatedAt == Bench.start.addingTimeInterval(10))
        bench.client.setData(3, for: query, updatedAt: Bench.start.addingTimeInterval(-60))
        #expect(bench.client.state(of: query)?.dataUpdatedAt == Bench.start.addingTimeInterval(-60))
    }

    @Test("old data is stale by its age")
    func oldData() {
        let query = query.with { $0.staleTime = .seconds(60) }
        bench.client.setData(1, for: query, updatedAt: Bench.start.addingTimeInterval(-60))
        #expect(bench.client.state(of: query)?.isStale == true)
        bench.client.setData(1, for: query, updatedAt: Bench.start.addingTimeInterval(-59))
        #expect(bench.client.state(of: query)?.isStale == false)
    }

    @Test("is computed from what is there")
    func computed() {
        bench.client.setData(for: query) { old in
            #expect(old == nil)
            return 1
        }
        bench.client.setData(for: query) { ($0 ?? 0) + 10 }
        #expect(bench.client.data(of: query) == 11)
    }

    @Test("nothing computed is nothing done, and makes no entry")
    func computedNothing() {
        bench.client.setData(for: query) { _ in nil }
        #expect(bench.client.entries().isEmpty)
        bench.client.setData(5, for: query)
        bench.advance(.seconds(5))
        bench.client.setData(for: query) { _ in nil }
        #expect(bench.client.data(of: query) == 5)
        #expect(bench.client.state(of: query)?.dataUpdatedAt == Bench.start)
    }

    @Test("computing may use the client")
    func computingUsesClient() {
        let other = Query<Int>(key: ["b"])
        bench.client.setData(4, for: other)
        let client = bench.client
        client.setData(for: query) { _ in client.data(of: other).map { $0 * 2 } }
        #expect(client.data(of: query) == 8)
    }

    @Test("computing is done anew if somebody else was faster")
    func computingAgain() {
        bench.client.setData(1, for: query)
        let client = bench.client
        var seen: [Int?] = []
        client.setData(for: query) { old in
            seen.append(old)
            if seen.count == 1 { client.setData(100, for: query) }
            return (old ?? 0) + 1
        }
        #expect(seen == [1, 100])
        #expect(client.data(of: query) == 101)
    }

    @Test("is changed in place, if it is there")
    func updates() {
        #expect(!bench.client.updateData(of: query) { $0 += 1 })
        bench.client.setData(1, for: query)
        #expect(bench.client.updateData(of: query) { $0 += 1 })
        #expect(bench.client.data(of: query) == 2)
    }

    @Test("many are changed at once")
    func updatesMatching() {
        for number in 1...3 { bench.client.setData(number, for: Query<Int>(key: ["list", .integer(number)])) }
        bench.client.setData("text", for: Query<String>(key: ["list", "other"]))
        bench.client.updateData(matching: ["list"], as: Int.self) { $0 *= 10 }
        #expect((1...3).map { bench.client.data(of: Query<Int>(key: ["list", .integer($0)])) } == [10, 20, 30])
        #expect(bench.client.data(of: Query<String>(key: ["list", "other"])) == "text")
    }

    @Test("clears an error and an invalidation")
    func clears() {
        let query = server.query(["a"]) { $0.staleTime = .infinite }
        bench.fetch(query)
        server.failAll()
        bench.settle()
        bench.client.setData(1, for: query)
        let state = bench.client.state(of: query)
        #expect(state?.error == nil)
        #expect(state?.status == .success)
        #expect(state?.isStale == false)
    }

    @Test("leaves a fetch running, whose result comes on top")
    func duringFetch() {
        let query = server.query(["a"])
        let fetch = bench.fetch(query)
        bench.client.setData(1, for: query)
        #expect(bench.client.state(of: query)?.isFetching == true)
        #expect(bench.client.data(of: query) == 1)
        server.succeedAll(2)
        bench.settle()
        #expect(fetch.value == 2)
        #expect(bench.client.data(of: query) == 2)
    }

    @Test("tells observers")
    func notifies() {
        let observer = bench.observer(query)
        let recorded = bench.record(observer)
        bench.client.setData(1, for: query)
        bench.settle()
        bench.client.setData(2, for: query)
        bench.settle()
        #expect(recorded.elements.map(\.data) == [nil, 1, 2])
    }

    @Test("an equal value tells nobody, and counts as new all the same")
    func equalValue() {
        let query = Query<[Int]>(key: ["a"]).with { $0.staleTime = .infinite }
        bench.client.setData([1, 2], for: query)
        let observer = bench.observer(query)
        let recorded = bench.record(observer)
        bench.advance(.seconds(5))
        bench.client.setData([1, 2], for: query)
        bench.settle()
        #expect(recorded.count == 1)
        #expect(observer.dataUpdatedAt == Bench.start.addingTimeInterval(5))
    }

    @Test("a value that cannot be compared is always new")
    func incomparable() {
        struct Opaque: Sendable { var number: Int }
        let query = Query<Opaque>(key: ["a"])
        bench.client.setData(Opaque(number: 1), for: query)
        let recorded = bench.record(bench.observer(query))
        bench.client.setData(Opaque(number: 1), for: query)
        bench.settle()
        #expect(recorded.count == 2)
    }

    @Test("the query may compare as it likes")
    func customComparison() {
        var query = Query<Int>(key: ["a"])
        query.isEqual = { $0 / 10 == $1 / 10 }
        bench.client.setData(1, for: query)
        let recorded = bench.record(bench.observer(query))
        bench.client.setData(5, for: query)
        bench.settle()
        bench.client.setData(15, for: query)
        bench.settle()
        #expect(recorded.count == 2)
    }

    @Test("the version of a value is known")
    func version() {
        var query = Query<Int>(key: ["a"])
        query.version = { Int64($0) * 100 }
        bench.client.setData(3, for: query)
        #expect(bench.client.entries()[0].baseVersion == 300)
        let update = bench.client.optimisticUpdate(query) { $0 = 9 }
        #expect(bench.client.entries()[0].baseVersion == 300)
        update.confirm()
        #expect(bench.client.entries()[0].baseVersion == 900)
    }
}
