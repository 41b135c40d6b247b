import TestSupport
import Testing

@testable import TidingsQuery

@Suite("Forgetting")
struct GarbageTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    private func isThere(_ key: QueryKey) -> Bool { !bench.client.entries(.exactly(key)).isEmpty }

    @Test("an unobserved entry goes after five minutes")
    func standard() {
        bench.run()
        bench.client.setData(1, for: server.query(["a"]))
        bench.advance(.seconds(299))
        #expect(isThere(["a"]))
        bench.advance(.seconds(1))
        #expect(!isThere(["a"]))
    }

    @Test("without anybody running the client it goes at the next occasion")
    func lazily() {
        bench.client.setData(1, for: server.query(["a"]))
        bench.advance(.seconds(400))
        bench.client.setData(1, for: server.query(["b"]))
        #expect(!isThere(["a"]))
        #expect(isThere(["b"]))
    }

    @Test("an observed entry stays; its time begins when the last observer has left")
    func observed() {
        bench.run()
        let query = server.query(["a"]) { $0.gcTime = .seconds(10) }
        let first = bench.observer(query)
        server.succeedAll(1)
        let second = bench.observer(query)
        bench.advance(.seconds(1000))
        first.stop()
        bench.advance(.seconds(1000))
        #expect(isThere(["a"]))
        second.stop()
        bench.advance(.seconds(9))
        #expect(isThere(["a"]))
        bench.advance(.seconds(1))
        #expect(!isThere(["a"]))
    }

    @Test("an observer that comes back in time saves it")
    func saved() {
        bench.run()
        let query = server.query(["a"]) { $0.gcTime = .seconds(10) }
        let first = bench.observer(query)
        server.succeedAll(1)
        first.stop()
        bench.advance(.seconds(9))
        bench.observer(query)
        bench.advance(.seconds(100))
        #expect(isThere(["a"]))
    }

    @Test("the longest time ever asked for counts", arguments: [true, false])
    func longest(_ isLongFirst: Bool) {
        bench.run()
        let long = server.query(["a"]) { $0.gcTime = .seconds(60) }
        let short = server.query(["a"]) { $0.gcTime = .seconds(5) }
        for query in isLongFirst ? [long, short] : [short, long] {
            bench.observer(query).stop()
        }
        server.succeedAll(1)
        bench.settle()
        bench.advance(.seconds(59))
        #expect(isThere(["a"]))
        bench.advance(.seconds(1))
        #expect(!isThere(["a"]))
    }

    @Test("forever is forever")
    func forever() {
        bench.run()
        bench.client.setData(1, for: server.query(["a"]) { $0.gcTime = .infinite })
        bench.advance(.seconds(100_000_000))
        #expect(isThere(["a"]))
    }

    @Test("no time at all is at once")
    func zero() {
        bench.run()
        let query = server.query(["a"]) { $0.gcTime = .after(.zero) }
        let fetch = bench.fetch(query)
        #expect(isThere(["a"]))
        server.succeedAll(1)
        bench.settle()
        #expect(fetch.value == 1)
        #expect(!isThere(["a"]))
    }

    @Test("a fetch keeps an entry; its time begins when the fetch ends")
    func fetching() {
        bench.run()
        let query = server.query(["a"]) { $0.gcTime = .seconds(10) }
        bench.fetch(query)
        bench.advance(.seconds(100))
        #expect(isThere(["a"]))
        server.succeedAll(1)
        bench.settle()
        bench.advance(.seconds(9))
        #expect(isThere(["a"]))
        bench.advance(.seconds(1))
        #expect(!isThere(["a"]))
    }

    @Test("a paused fetch keeps it too")
    func paused() {
        bench.run()
        bench.online.set(false)
        bench.fetch(server.query(["a"]))
        bench.advance(.seconds(1000))
        #expect(isThere(["a"]))
    }

    @Test("an optimistic change keeps it too")
    func optimistic() {
        bench.run()
        let query = server.query(["a"])
        bench.client.setData(1, for: query)
        let update = bench.client.optimisticUpdate(query) { $0 = 2 }
        bench.advance(.seconds(1000))
        #expect(isThere(["a"]))
        update.confirm()
        bench.advance(.seconds(299))
        #expect(isThere(["a"]))
        bench.advance(.seconds(1))
        #expect(!isThere(["a"]))
    }

    @Test("an error is forgotten like data")
    func error() {
        bench.run()
        bench.fetch(server.query(["a"]))
        server.failAll()
        bench.settle()
        bench.advance(.seconds(300))
        #expect(!isThere(["a"]))
    }

    // MARK: Bounds

    @Test("past the most entries, the least recently used goes")
    func count() {
        let bench = Bench { $0.bounds = CacheBounds(entries: 3) }
        for name in ["a", "b", "c"] as [QueryKey.Segment] { bench.client.setData(1, for: server.query([name])) }
        _ = bench.client.data(of: server.query(["a"]))
        bench.client.setData(1, for: server.query(["d"]))
        #expect(bench.client.entries().map(\.key) == [["a"], ["c"], ["d"]])
    }

    @Test("observed, fetching and changed entries do not count as the ones to go")
    func countSpares() {
        let bench = Bench { $0.bounds = CacheBounds(entries: 1) }
        let observed = server.query(["observed"])
        bench.observer(observed)
        bench.fetch(server.query(["fetching"]))
        bench.client.setData(1, for: server.query(["changed"]))
        _ = bench.client.optimisticUpdate(server.query(["changed"])) { $0 = 2 }
        bench.client.setData(1, for: server.query(["x"]))
        bench.client.setData(1, for: server.query(["y"]))
        let keys = Set(bench.client.entries().map(\.key))
        #expect(keys.isSuperset(of: [["observed"], ["fetching"], ["changed"]]))
        #expect(!keys.contains(["x"]))
    }

    @Test("past the most bytes, the least recently used go")
    func bytes() {
        let bench = Bench { $0.bounds = CacheBounds(entries: nil, bytes: 100) }
        func query(_ name: String) -> Query<[Int]> {
            var query = Query<[Int]>(key: [.string(name)])
            query.cost = { $0.count }
            return query
        }
        bench.client.setData(Array(repeating: 0, count: 40), for: query("a"))
        bench.client.setData(Array(repeating: 0, count: 40), for: query("b"))
        bench.client.setData(Array(repeating: 0, count: 20), for: query("c"))
        #expect(bench.client.entries().count == 3)
        bench.client.updateData(of: query("c")) { $0.append(0) }
        #expect(bench.client.entries().map(\.key) == [["b"], ["c"]])
        bench.client.setData(Array(repeating: 0, count: 1000), for: query("b"))
        #expect(bench.client.entries().isEmpty)
    }

    @Test("an entry that is evicted comes back when it is asked for")
    func evictedAndBack() {
        let bench = Bench { $0.bounds = CacheBounds(entries: 1) }
        bench.client.setData(1, for: server.query(["a"]))
        bench.client.setData(1, for: server.query(["b"]))
        #expect(bench.client.data(of: server.query(["a"])) == nil)
        let fetch = bench.fetch(server.query(["a"]))
        server.succeedAll(5)
        bench.settle()
        #expect(fetch.value == 5)
    }

    @Test("the order of use survives any sequence of uses")
    func recency() {
        var recency = Recency()
        let entries = (0..<20).map {
            AnyEntry(key: [.integer($0)], identifier: UInt64($0), at: Timestamp(nanoseconds: 0))
        }
        var model: [Int] = []
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let index = Int.random(in: 0..<20, using: &random)
            model.removeAll { $0 == index }
            if Bool.random(using: &random) {
                recency.touch(entries[index])
                model.append(index)
            } else {
                recency.remove(entries[index])
            }
            #expect(recency.count == model.count)
            #expect(recency.leastRecent { _ in true }?.identifier == model.first.map(UInt64.init))
        }
    }

    @Test("the agenda gives the earliest first, and lets everybody leave")
    func agenda() {
        var random = SeededGenerator(seed: 7)
        var agenda = Agenda()
        let entries = (0..<200).map { AnyEntry(key: [], identifier: $0, at: Timestamp(nanoseconds: 0)) }
        for entry in entries { agenda.schedule(entry, at: Timestamp(nanoseconds: Int64(random.number(in: 100...999)))) }
        // One that is to be looked at earlier moves; for later, it does not.
        for entry in entries where random.once(in: 3) {
            let moment = Timestamp(nanoseconds: Int64(random.number(in: 0...999)))
            let before = entry.scheduled ?? moment
            agenda.schedule(entry, at: moment)
            #expect(entry.scheduled == min(before, moment))
        }
        let leavers = entries.filter { _ in random.once(in: 4) }
        for entry in leavers { agenda.remove(entry) }
        #expect(leavers.allSatisfy { $0.scheduled == nil })
        var due = entries.filter { $0.scheduled != nil }.compactMap(\.scheduled).sorted()[...]
        #expect(agenda.count == due.count)
        for now in stride(from: Int64(0), through: 1000, by: 10) {
            #expect(agenda.next == due.first)
            var found: [Timestamp] = []
            while let entry = agenda.popDue(at: Timestamp(nanoseconds: now)) {
                #expect(entry.scheduled == nil)
                found.append(due.removeFirst())
            }
            #expect(found.allSatisfy { $0.nanoseconds <= now })
            #expect(due.first.map { $0.nanoseconds > now } ?? true)
        }
        #expect(agenda.count == 0)
    }
}
