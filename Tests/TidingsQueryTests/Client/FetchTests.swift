import Testing

@testable import TidingsQuery

@Suite("Fetching")
struct FetchTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    @Test("stores what comes and returns it")
    func stores() {
        let fetch = bench.fetch(server.query(["a"]))
        #expect(bench.client.state(of: server.query(["a"]))?.isLoading == true)
        server.succeedAll(1)
        bench.settle()
        #expect(fetch.value == 1)
        #expect(bench.client.data(of: server.query(["a"])) == 1)
        #expect(bench.client.state(of: server.query(["a"]))?.status == .success)
        #expect(bench.client.state(of: server.query(["a"]))?.fetchStatus == .idle)
    }

    @Test("asks once for all who ask at the same time")
    func dedupes() {
        let fetches = (0..<10).map { _ in bench.fetch(server.query(["a"])) }
        #expect(server.count == 1)
        server.succeedAll(7)
        bench.settle()
        #expect(fetches.allSatisfy { $0.value == 7 })
    }

    @Test("asks separately for different keys")
    func keys() {
        bench.fetch(server.query(["a"]))
        bench.fetch(server.query(["b"]))
        #expect(server.count == 2)
    }

    @Test("a cancelled awaiter cancels only itself")
    func cancelledAwaiter() {
        let first = bench.fetch(server.query(["a"]))
        let second = bench.fetch(server.query(["a"]))
        first.cancel()
        bench.settle()
        #expect(first.error is CancellationError)
        #expect(!second.isOver)
        server.succeedAll(3)
        bench.settle()
        #expect(second.value == 3)
        #expect(server.calls[0].isCancelled == false)
    }

    @Test("goes on when the only awaiter is cancelled")
    func onlyAwaiterCancelled() {
        let fetch = bench.fetch(server.query(["a"]))
        fetch.cancel()
        bench.settle()
        server.succeedAll(3)
        bench.settle()
        #expect(bench.client.data(of: server.query(["a"])) == 3)
    }

    @Test("throws what the fetch throws, and keeps it")
    func fails() {
        let fetch = bench.fetch(server.query(["a"]))
        server.failAll(TestError(name: "x"))
        bench.settle()
        #expect(fetch.error as? TestError == TestError(name: "x"))
        let state = bench.client.state(of: server.query(["a"]))
        #expect(state?.status == .error)
        #expect(state?.error as? TestError == TestError(name: "x"))
        #expect(state?.failureCount == 1)
        #expect(state?.isLoadingError == true)
    }

    @Test("does not retry by itself")
    func noRetry() {
        bench.fetch(server.query(["a"]))
        server.failAll()
        bench.advance(.seconds(100))
        #expect(server.count == 1)
    }

    @Test("answers from the cache as long as the data is fresh", arguments: [0, 4_999])
    func fresh(_ milliseconds: Int) {
        let query = server.query(["a"]) { $0.staleTime = .seconds(5) }
        bench.fetch(query)
        server.succeedAll(1)
        bench.settle()
        bench.advance(.milliseconds(milliseconds))
        #expect(bench.fetch(query).value == 1)
        #expect(server.count == 1)
    }

    @Test("asks again from the moment the data is as old as its stale time")
    func stale() {
        let query = server.query(["a"]) { $0.staleTime = .seconds(5) }
        bench.fetch(query)
        server.succeedAll(1)
        bench.advance(.seconds(5))
        bench.fetch(query)
        #expect(server.count == 2)
    }

    @Test("asks each time without a stale time")
    func alwaysStale() {
        for round in 1...3 {
            bench.fetch(server.query(["a"]))
            server.succeedAll(round)
            bench.settle()
        }
        #expect(server.count == 3)
    }

    @Test("answers static data however old and however invalidated")
    func staticData() {
        let query = server.query(["a"]) { $0.staleTime = .static }
        bench.client.setData(1, for: query)
        bench.client.invalidate(query)
        bench.advance(.seconds(100_000))
        #expect(bench.fetch(query).value == 1)
        #expect(server.count == 0)
    }

    @Test("asks again for infinitely fresh data only if it was invalidated")
    func infiniteData() {
        let query = server.query(["a"]) {
            $0.staleTime = .infinite
            $0.gcTime = .infinite
        }
        bench.client.setData(1, for: query)
        bench.advance(.seconds(100_000))
        #expect(bench.fetch(query).value == 1)
        bench.client.invalidate(query)
        bench.fetch(query)
        #expect(server.count == 1)
    }

    @Test("has no fetch to make for a query that is only set")
    func noFetch() {
        let fetch = bench.fetch(Query<Int>(key: ["set"]))
        #expect((fetch.error as? QueryError)?.code == .noFetch)
        #expect(bench.client.state(of: Query<Int>(key: ["set"]))?.isPending == true)
    }

    @Test("a key belongs to one type")
    func typeMismatch() {
        bench.client.setData("text", for: Query<String>(key: ["a"]))
        let fetch = bench.fetch(server.query(["a"]))
        #expect((fetch.error as? QueryError)?.code == .typeMismatch)
        #expect(bench.client.data(of: server.query(["a"])) == nil)
        bench.client.setData(3, for: server.query(["a"]))
        #expect(bench.client.data(of: Query<String>(key: ["a"])) == "text")
    }

    @Test("prefetching swallows the error")
    func prefetch() {
        let query = server.query(["a"])
        let pending = bench.begin { [client = bench.client] in await client.prefetch(query) }
        server.failAll()
        bench.settle()
        #expect(pending.isOver)
        #expect(bench.client.state(of: query)?.isError == true)
    }

    @Test("ensuring data takes what is there, however old")
    func ensureCached() {
        let query = server.query(["a"])
        bench.client.setData(1, for: query)
        let pending = bench.begin { [client = bench.client] in try await client.ensureData(of: query) }
        #expect(pending.value == 1)
        #expect(server.count == 0)
    }

    @Test("ensuring data fetches what is not there")
    func ensureMissing() {
        let query = server.query(["a"])
        let pending = bench.begin { [client = bench.client] in try await client.ensureData(of: query) }
        server.succeedAll(2)
        bench.settle()
        #expect(pending.value == 2)
    }

    @Test("ensuring data can renew it behind the back")
    func ensureRevalidating() {
        let query = server.query(["a"])
        bench.client.setData(1, for: query)
        let pending = bench.begin { [client = bench.client] in
            try await client.ensureData(of: query, isRevalidating: true)
        }
        #expect(pending.value == 1)
        #expect(server.count == 1)
        server.succeedAll(2)
        bench.settle()
        #expect(bench.client.data(of: query) == 2)
    }

    @Test("ensuring data does not renew fresh data")
    func ensureFresh() {
        let query = server.query(["a"]) { $0.staleTime = .infinite }
        bench.client.setData(1, for: query)
        bench.begin { [client = bench.client] in try await client.ensureData(of: query, isRevalidating: true) }
        #expect(server.count == 0)
    }

    @Test("an error goes away when data comes")
    func recovers() {
        let query = server.query(["a"])
        bench.fetch(query)
        server.failAll()
        bench.settle()
        bench.fetch(query)
        #expect(bench.client.state(of: query)?.status == .pending)
        server.succeedAll(1)
        bench.settle()
        #expect(bench.client.state(of: query)?.error == nil)
        #expect(bench.client.state(of: query)?.failureCount == 0)
    }

    @Test("a failed background fetch keeps the data and marks it")
    func backgroundFailure() {
        let query = server.query(["a"]) { $0.staleTime = .infinite }
        bench.client.setData(1, for: query)
        let observer = bench.observer(query)
        bench.begin { await observer.refetch() }
        server.failAll()
        bench.advance(.seconds(1))
        server.failAll()
        bench.advance(.seconds(2))
        server.failAll()
        bench.advance(.seconds(4))
        server.failAll()
        bench.settle()
        #expect(server.count == 4)
        let snapshot = observer.snapshot
        #expect(snapshot.data == 1)
        #expect(snapshot.status == .error)
        #expect(snapshot.isRefetchError)
        #expect(snapshot.isStale)
        #expect(bench.client.entries()[0].isInvalidated)
    }

    @Test("tells what the server said beside the value")
    func metadata() {
        let query = Query<Int>(key: ["a"]) { context in
            context.record("12-7", as: "position")
            return 1
        }
        bench.fetch(query)
        #expect(bench.client.metadata(of: ["a"])["position"] == "12-7")
        #expect(bench.client.state(of: query)?.metadata["position"] == "12-7")
        bench.client.record("13-1", as: "position", for: ["a"])
        #expect(bench.client.entries()[0].metadata["position"] == "13-1")
    }

    @Test("what a failed fetch said is not kept")
    func metadataOfFailure() {
        let query = Query<Int>(key: ["a"]) { context in
            context.record("12-7", as: "position")
            throw TestError()
        }
        bench.fetch(query)
        #expect(bench.client.metadata(of: ["a"]).isEmpty)
    }

    @Test("tells the fetch its key")
    func context() {
        let query = Query<String>(key: ["a", 1]) { $0.key.description }
        #expect(bench.fetch(query).value == #"["a",1]"#)
    }

    @Test("counts what is being fetched")
    func isFetching() {
        bench.fetch(server.query(["a", 1]))
        bench.fetch(server.query(["a", 2]))
        bench.fetch(server.query(["b"]))
        #expect(bench.client.isFetching() == 3)
        #expect(bench.client.isFetching(["a"]) == 2)
        server.succeedAll(1)
        bench.settle()
        #expect(bench.client.isFetching() == 0)
    }
}
