import Testing

@testable import TidingsQuery

@Suite("Invalidating")
struct InvalidateTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    private func fresh(_ key: QueryKey, _ value: Int = 0) -> Query<Int> {
        let query = server.query(key) { $0.staleTime = .infinite }
        bench.client.setData(value, for: query)
        return query
    }

    @Test("marks every match, and fetches what is observed")
    func marksAndFetches() {
        let observed = fresh(["a", 1])
        let other = fresh(["a", 2])
        let apart = fresh(["b"])
        let observer = bench.observer(observed)
        #expect(server.count == 0)
        bench.client.invalidate(["a"])
        bench.settle()
        #expect(server.count == 1)
        #expect(bench.client.state(of: other)?.isStale == true)
        #expect(bench.client.state(of: apart)?.isStale == false)
        server.succeedAll(5)
        bench.settle()
        #expect(observer.data == 5)
        #expect(!observer.isStale)
        #expect(bench.client.state(of: observed)?.isStale == false)
    }

    @Test("marks disabled entries without fetching them")
    func disabled() {
        let query = fresh(["a"])
        bench.observer(query, isEnabled: false)
        bench.client.invalidate()
        bench.settle()
        #expect(server.count == 0)
        #expect(bench.client.entries()[0].isInvalidated)
    }

    @Test("does not fetch static entries")
    func staticEntry() {
        let query = server.query(["a"]) { $0.staleTime = .static }
        bench.client.setData(1, for: query)
        bench.observer(query)
        bench.client.invalidate()
        bench.settle()
        #expect(server.count == 0)
        #expect(bench.client.entries()[0].isInvalidated)
    }

    @Test(
        "fetches what is asked for",
        arguments: [(RefetchScope.active, 1), (.inactive, 1), (.all, 2), (.none, 0)]
    )
    func scope(_ scope: RefetchScope, _ expected: Int) {
        let observed = fresh(["a", 1])
        _ = fresh(["a", 2])
        bench.observer(observed)
        bench.client.invalidate(["a"], refetch: scope)
        bench.settle()
        #expect(server.count == expected)
        #expect(bench.client.entries().filter { !$0.isInvalidated }.isEmpty)
    }

    @Test("can be waited for")
    func finished() {
        let query = fresh(["a"])
        bench.observer(query)
        let pending = bench.begin { [client = bench.client] in await client.invalidate(["a"]).finished() }
        #expect(!pending.isOver)
        server.succeedAll(1)
        bench.settle()
        #expect(pending.isOver)
    }

    @Test("waiting ends with the waiting task, not with the fetch")
    func waitCancelled() {
        let query = fresh(["a"])
        bench.observer(query)
        let pending = bench.begin { [client = bench.client] in await client.invalidate(["a"]).finished() }
        pending.cancel()
        bench.settle()
        #expect(pending.isOver)
        #expect(!server.calls[0].isCancelled)
    }

    @Test("counts nothing where nothing is fetched")
    func batchCount() {
        _ = fresh(["a"])
        #expect(bench.client.invalidate().count == 0)
    }

    @Test("a fetch that fails is over too")
    func finishedFailure() {
        let query = fresh(["a"]).with { $0.retry = .never }
        bench.observer(query)
        let pending = bench.begin { [client = bench.client] in await client.invalidate(["a"]).finished() }
        server.failAll()
        bench.settle()
        #expect(pending.isOver)
    }

    // MARK: The epoch

    @Test("during a fetch: its result is stored but stale, and one more fetch follows")
    func overtakes() {
        let query = fresh(["a"], 1)
        let observer = bench.observer(query)
        bench.client.invalidate()
        bench.settle()
        bench.client.invalidate()
        bench.client.invalidate()
        bench.settle()
        #expect(server.count == 1)
        server.calls[0].succeed(2)
        bench.settle()
        #expect(observer.data == 2)
        #expect(observer.isStale)
        #expect(server.count == 2)
        server.calls[1].succeed(3)
        bench.settle()
        #expect(observer.data == 3)
        #expect(!observer.isStale)
        #expect(server.count == 2)
    }

    @Test("during the first load it is not lost")
    func firstLoad() {
        let observer = bench.observer(server.query(["a"]) { $0.staleTime = .infinite })
        #expect(server.count == 1)
        bench.client.invalidate()
        bench.settle()
        server.calls[0].succeed(1)
        bench.settle()
        #expect(observer.data == 1)
        #expect(observer.isStale)
        #expect(server.count == 2)
        server.calls[1].succeed(2)
        bench.settle()
        #expect(observer.data == 2)
        #expect(server.count == 2)
    }

    @Test("who waits for it waits for the fetch that follows")
    func finishedFollowUp() {
        bench.observer(server.query(["a"]))
        let pending = bench.begin { [client = bench.client] in await client.invalidate().finished() }
        server.calls[0].succeed(1)
        bench.settle()
        #expect(!pending.isOver)
        server.calls[1].succeed(2)
        bench.settle()
        #expect(pending.isOver)
    }

    @Test("an event from before the fetch is known to it")
    func knownToRunningFetch() {
        let before = bench.client.epoch
        let observer = bench.observer(server.query(["a"]) { $0.staleTime = .infinite })
        bench.client.invalidate(asOf: before)
        server.succeedAll(1)
        bench.settle()
        #expect(server.count == 1)
        #expect(!observer.isStale)
    }

    @Test("an event from before the data was asked for is known to the data")
    func knownToData() {
        let before = bench.client.epoch
        let query = server.query(["a"]) { $0.staleTime = .infinite }
        let observer = bench.observer(query)
        server.succeedAll(1)
        bench.settle()
        bench.client.invalidate(asOf: before)
        bench.settle()
        #expect(!observer.isStale)
        #expect(server.count == 1)
        bench.client.invalidate(asOf: bench.client.epoch)
        bench.settle()
        #expect(server.count == 2)
    }

    @Test("an event from during the fetch, told after it, still counts")
    func toldLate() {
        let query = server.query(["a"]) { $0.staleTime = .infinite }
        bench.observer(query)
        let during = bench.client.epoch
        server.succeedAll(1)
        bench.settle()
        bench.client.invalidate(asOf: during)
        bench.settle()
        #expect(server.count == 2)
    }

    @Test("before a retry: the retry knows it")
    func retryKnows() {
        let query = server.query(["a"]) { $0.staleTime = .infinite }
        let observer = bench.observer(query)
        server.failAll()
        bench.settle()
        bench.client.invalidate()
        bench.advance(.seconds(1))
        server.succeedAll(1)
        bench.settle()
        #expect(server.count == 2)
        #expect(!observer.isStale)
    }

    @Test("during a fetch that fails: one more fetch follows, and if that fails too, the data is stale")
    func failedFetch() {
        let query = fresh(["a"], 1).with { $0.retry = .never }
        let observer = bench.observer(query)
        bench.client.invalidate()
        bench.settle()
        bench.client.invalidate()
        server.failAll()
        bench.settle()
        #expect(server.count == 2)
        server.failAll()
        bench.settle()
        #expect(server.count == 2)
        #expect(observer.isStale)
        #expect(observer.data == 1)
    }

    @Test("during a first load that fails: who asks after the event gets what was asked for after it")
    func failedFirstLoad() {
        let query = server.query(["a"])
        let early = bench.fetch(query)
        bench.client.invalidate(query)
        let late = bench.fetch(query)
        server.calls[0].fail()
        bench.settle()
        #expect(early.error is TestError)
        #expect(!late.isOver)
        #expect(server.count == 2)
        server.calls[1].succeed(2)
        bench.settle()
        #expect(late.value == 2)
    }

    @Test("during a fetch that nobody observes: no further fetch, but the data is stale")
    func unobserved() {
        let query = server.query(["a"]) { $0.staleTime = .infinite }
        bench.fetch(query)
        bench.client.invalidate()
        server.succeedAll(1)
        bench.settle()
        #expect(server.count == 1)
        #expect(bench.client.state(of: query)?.isStale == true)
    }

    @Test("an observer that comes to a fetch that was overtaken asks for one more")
    func joinOvertaken() {
        let query = server.query(["a"]) { $0.staleTime = .infinite }
        let fetch = bench.fetch(query)
        bench.client.invalidate()
        let observer = bench.observer(query)
        bench.observer(query)
        #expect(server.count == 1)
        server.calls[0].succeed(1)
        bench.settle()
        #expect(fetch.value == 1)
        #expect(observer.data == 1)
        #expect(server.count == 2)
        server.calls[1].succeed(2)
        bench.settle()
        #expect(observer.data == 2)
        #expect(!observer.isStale)
        #expect(server.count == 2)
    }

    @Test("who asks after an event gets what was asked for after it")
    func fetchAfterEvent() {
        let query = server.query(["a"])
        let early = bench.fetch(query)
        bench.client.invalidate(query)
        let late = bench.fetch(query)
        server.calls[0].succeed(1)
        bench.settle()
        #expect(early.value == 1)
        #expect(!late.isOver)
        #expect(server.count == 2)
        server.calls[1].fail()
        bench.settle()
        // Nobody observes it, so what follows is not repeated either.
        #expect(late.error is TestError)
        #expect(server.count == 2)
    }

    @Test("who joins a fetch that was overtaken awaits its retry, which knows the event")
    func joinBeforeRetry() {
        let query = server.query(["a"]) { $0.retry = .times(1, delay: .fixed(.seconds(1))) }
        bench.fetch(query)
        bench.client.invalidate(query)
        let late = bench.fetch(query)
        server.calls[0].fail()
        bench.advance(.seconds(1))
        server.calls[1].succeed(2)
        bench.settle()
        #expect(late.value == 2)
        #expect(server.count == 2)
    }

    @Test("an observer of static data is content with a fetch that was overtaken")
    func joinStatic() {
        let query = server.query(["a"]) { $0.staleTime = .static }
        bench.fetch(query)
        bench.client.invalidate()
        bench.observer(query)
        server.calls[0].succeed(1)
        bench.settle()
        #expect(server.count == 1)
    }

    @Test("data that is set later is not stale")
    func setLater() {
        let query = fresh(["a"])
        bench.client.invalidate()
        bench.client.setData(2, for: query)
        #expect(bench.client.state(of: query)?.isStale == false)
    }

    @Test("tells the observer once")
    func notifies() {
        let query = fresh(["a"])
        let observer = bench.observer(query, isEnabled: true)
        let recorded = bench.record(observer)
        bench.client.invalidate(refetch: .none)
        bench.client.invalidate(refetch: .none)
        bench.settle()
        #expect(recorded.elements.map(\.isStale) == [false, true])
    }
}
