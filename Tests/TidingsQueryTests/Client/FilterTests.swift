import Testing

@testable import TidingsQuery

@Suite("Filters")
struct FilterTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    init() {
        for key in [["a"], ["a", 1], ["a", 2], ["b", ["x": 1]], ["b", ["x": 1, "y": 2]], ["c"]] as [QueryKey] {
            bench.client.setData(0, for: query(key))
        }
    }

    private func query(_ key: QueryKey) -> Query<Int> {
        server.query(key) { $0.staleTime = .infinite }
    }

    private func keys(_ filter: QueryFilter) -> [QueryKey] { bench.client.entries(filter).map(\.key) }

    @Test("find everything, in the order in which it came")
    func all() {
        #expect(keys(.all).count == 6)
        #expect(keys(.all).first == ["a"])
        #expect(keys(.all).last == ["c"])
    }

    @Test("find what lies below a key")
    func under() {
        #expect(keys(["a"]) == [["a"], ["a", 1], ["a", 2]])
        #expect(keys(.under(["b", ["x": 1]])).count == 2)
        #expect(keys(["b", ["y": 2]]).count == 1)
        #expect(keys(["d"]).isEmpty)
    }

    @Test("find a key itself")
    func exactly() {
        #expect(keys(.exactly(["a"])) == [["a"]])
        #expect(keys(.exactly(["b"])).isEmpty)
        #expect(keys(.exactly(["b", ["x": 1]])) == [["b", ["x": 1]]])
    }

    @Test("find what is observed, and what is not")
    func activity() {
        bench.observer(query(["a", 1]))
        bench.observer(query(["a", 2]), isEnabled: false)
        #expect(keys(QueryFilter(activity: .active)) == [["a", 1]])
        #expect(keys(QueryFilter(activity: .inactive)).count == 5)
    }

    @Test("find what is stale, and what is not")
    func stale() {
        bench.client.invalidate(["a"], refetch: .none)
        #expect(keys(QueryFilter(isStale: true)).count == 3)
        #expect(keys(QueryFilter(isStale: false)).count == 3)
    }

    @Test("find what is being fetched")
    func fetchStatus() {
        bench.client.refetch(.exactly(["a"]))
        bench.online.set(false)
        bench.client.refetch(.exactly(["c"]))
        bench.settle()
        #expect(keys(QueryFilter(fetchStatus: .fetching)) == [["a"]])
        #expect(keys(QueryFilter(fetchStatus: .paused)) == [["c"]])
        #expect(keys(QueryFilter(fetchStatus: .idle)).count == 4)
    }

    @Test("find what somebody thinks of")
    func predicate() {
        let client = bench.client
        // It may use the client.
        #expect(keys(.matching { client.metadata(of: $0.key).isEmpty && $0.key.segments.count == 2 }).count == 4)
    }

    @Test("combine all conditions")
    func combined() {
        bench.observer(query(["a", 1]))
        bench.client.invalidate(["a"], refetch: .none)
        let filter = QueryFilter(key: ["a"], activity: .inactive, isStale: true) { $0.key != ["a"] }
        #expect(keys(filter) == [["a", 2]])
    }

    @Test("tell what they find")
    func info() {
        bench.observer(query(["a", 1]))
        let info = bench.client.entries(.exactly(["a", 1]))[0]
        #expect(info.observerCount == 1)
        #expect(info.isActive)
        #expect(info.hasData)
        #expect(info.status == .success)
        #expect(info.fetchStatus == .idle)
        #expect(!info.isInvalidated)
        #expect(!info.hasOptimisticChanges)
        #expect(info.dataUpdatedAt == Bench.start)
        #expect(info.fetchEpoch == nil)
    }
}

@Suite("Refetching, resetting, removing")
struct RefetchTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    @Test("refetching asks for fresh data too, observed or not")
    func refetch() {
        let query = server.query(["a"]) { $0.staleTime = .infinite }
        bench.client.setData(1, for: query)
        let pending = bench.begin { [client = bench.client] in await client.refetch().finished() }
        #expect(server.count == 1)
        server.succeedAll(2)
        bench.settle()
        #expect(pending.isOver)
        #expect(bench.client.data(of: query) == 2)
    }

    @Test("refetching leaves disabled, static and never fetched entries alone")
    func leavesAlone() {
        let disabled = server.query(["disabled"])
        bench.client.setData(1, for: disabled)
        bench.observer(disabled, isEnabled: false)
        let fixed = server.query(["static"]) { $0.staleTime = .static }
        bench.client.setData(1, for: fixed)
        bench.observer(fixed)
        _ = bench.client.optimisticUpdate(server.query(["never"])) { $0 += 1 }
        bench.client.setData(1, for: Query<Int>(key: ["only set"]))
        #expect(bench.client.refetch().count == 0)
        #expect(server.count == 0)
    }

    @Test("a refetch that has to wait for the network is not waited for")
    func paused() {
        let query = server.query(["a"])
        bench.client.setData(1, for: query)
        bench.online.set(false)
        let pending = bench.begin { [client = bench.client] in await client.refetch().finished() }
        #expect(pending.isOver)
        #expect(bench.client.state(of: query)?.isPaused == true)
    }

    @Test("resetting comes back to the beginning and fetches what is observed")
    func reset() {
        let query = server.query(["a"]).initially(7)
        let observer = bench.observer(query)
        server.succeedAll(8)
        bench.settle()
        #expect(observer.data == 8)
        let idle = server.query(["b"])
        bench.client.setData(1, for: idle)
        bench.client.reset()
        bench.settle()
        #expect(observer.data == 7)
        #expect(server.count == 2)
        #expect(bench.client.state(of: idle)?.status == .pending)
        #expect(bench.client.state(of: idle)?.fetchStatus == .idle)
    }

    @Test("resetting forgets an error")
    func resetError() {
        let observer = bench.observer(server.query(["a"]) { $0.retry = .never })
        server.failAll()
        bench.settle()
        bench.client.reset()
        bench.settle()
        #expect(observer.isLoading)
        #expect(observer.error == nil)
        #expect(observer.failureCount == 0)
    }

    @Test("resetting does not fetch what is disabled")
    func resetDisabled() {
        let query = server.query(["a"])
        bench.client.setData(1, for: query)
        let observer = bench.observer(query, isEnabled: false)
        bench.client.reset()
        bench.settle()
        #expect(server.count == 0)
        #expect(observer.data == nil)
    }

    @Test("removing forgets, and tells who waits")
    func remove() {
        let query = server.query(["a"])
        let fetch = bench.fetch(query)
        bench.client.remove(["a"])
        bench.settle()
        #expect((fetch.error as? QueryError)?.code == .cancelled)
        #expect(bench.client.entries().isEmpty)
        server.succeedAll(1)
        bench.settle()
        #expect(bench.client.entries().isEmpty)
    }

    @Test("removing what is observed empties it; the observer stays and hears what comes next")
    func removeObserved() {
        let query = server.query(["a"]) { $0.staleTime = .infinite }
        bench.client.setData(1, for: query)
        let observer = bench.observer(query)
        bench.client.remove()
        bench.settle()
        #expect(observer.data == nil)
        #expect(server.count == 0)
        bench.client.setData(2, for: query)
        #expect(observer.data == 2)
        bench.begin { await observer.refetch() }
        #expect(server.count == 1)
    }

    @Test("removing takes only what the filter finds")
    func removeFiltered() {
        bench.client.setData(1, for: server.query(["a"]))
        bench.client.setData(1, for: server.query(["b"]))
        bench.client.remove(["a"])
        #expect(bench.client.entries().map(\.key) == [["b"]])
    }

    @Test("clearing forgets everything")
    func clear() {
        bench.client.setData(1, for: server.query(["a"]))
        bench.client.clear()
        #expect(bench.client.entries().isEmpty)
    }
}
