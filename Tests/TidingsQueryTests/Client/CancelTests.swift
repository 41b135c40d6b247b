import Testing

@testable import TidingsQuery

@Suite("Cancelling")
struct CancelTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    @Test("the first fetch leaves an entry without data, and its awaiters an error")
    func firstFetch() {
        let query = server.query(["a"])
        let fetch = bench.fetch(query)
        bench.client.cancel(["a"])
        bench.settle()
        #expect((fetch.error as? QueryError)?.code == .cancelled)
        #expect(bench.client.state(of: query)?.status == .pending)
        #expect(bench.client.state(of: query)?.fetchStatus == .idle)
        #expect(server.calls[0].isCancelled)
    }

    @Test("a later fetch comes back to the data before it, and its awaiters get that")
    func laterFetch() {
        let query = server.query(["a"])
        bench.client.setData(1, for: query)
        let fetch = bench.fetch(query)
        bench.client.cancel()
        bench.settle()
        #expect(fetch.value == 1)
        #expect(bench.client.state(of: query)?.status == .success)
    }

    @Test("what was set during the fetch stays")
    func setDuring() {
        let query = server.query(["a"])
        let fetch = bench.fetch(query)
        bench.client.setData(2, for: query)
        bench.client.cancel()
        bench.settle()
        #expect(fetch.value == 2)
        #expect(bench.client.data(of: query) == 2)
        #expect(bench.client.state(of: query)?.status == .success)
    }

    @Test("an answer that comes late is not taken")
    func lateAnswer() {
        let query = server.query(["a"])
        bench.fetch(query)
        bench.client.cancel()
        server.succeedAll(9)
        bench.settle()
        #expect(bench.client.data(of: query) == nil)
    }

    @Test("an error before the fetch comes back")
    func revertsToError() {
        let query = server.query(["a"])
        bench.fetch(query)
        server.failAll(TestError(name: "old"))
        bench.settle()
        bench.fetch(query)
        #expect(bench.client.state(of: query)?.status == .pending)
        bench.client.cancel()
        #expect(bench.client.state(of: query)?.status == .error)
        #expect(bench.client.state(of: query)?.error as? TestError == TestError(name: "old"))
        #expect(bench.client.state(of: query)?.failureCount == 1)
    }

    @Test("an error before the fetch does not come back over data that was set during it")
    func setClearsError() {
        let query = server.query(["a"])
        bench.fetch(query)
        server.failAll()
        bench.settle()
        bench.fetch(query)
        bench.client.setData(3, for: query)
        bench.client.cancel()
        #expect(bench.client.state(of: query)?.status == .success)
        #expect(bench.client.state(of: query)?.error == nil)
    }

    @Test("an invalidation during the fetch is not forgotten")
    func keepsInvalidation() {
        let query = server.query(["a"]) { $0.staleTime = .infinite }
        bench.client.setData(1, for: query)
        bench.client.invalidate(query, refetch: .none)
        bench.fetch(query)
        bench.client.invalidate(query, refetch: .none)
        bench.client.cancel()
        #expect(bench.client.state(of: query)?.isStale == true)
    }

    @Test("a wait for the next attempt ends too")
    func duringWait() {
        let query = server.query(["a"]) { $0.retry = .forever }
        let fetch = bench.fetch(query)
        server.failAll()
        bench.settle()
        bench.client.cancel()
        bench.advance(.seconds(60))
        #expect(fetch.isOver)
        #expect(server.count == 1)
        #expect(bench.client.state(of: query)?.failureCount == 0)
    }

    @Test("only what the filter finds is cancelled")
    func filtered() {
        bench.fetch(server.query(["a"]))
        bench.fetch(server.query(["b"]))
        bench.client.cancel(["a"])
        #expect(bench.client.isFetching() == 1)
    }

    @Test("nothing to cancel is nothing done")
    func idle() {
        bench.client.setData(1, for: server.query(["a"]))
        bench.client.cancel()
        #expect(bench.client.data(of: server.query(["a"])) == 1)
    }

    @Test("a new fetch after it asks again")
    func fetchAgain() {
        let query = server.query(["a"])
        bench.fetch(query)
        bench.client.cancel()
        let fetch = bench.fetch(query)
        server.calls[0].succeed(1)
        bench.settle()
        #expect(!fetch.isOver)
        server.calls[1].succeed(2)
        bench.settle()
        #expect(fetch.value == 2)
    }

    @Test("a query that is cancelled when unobserved reverts with its last observer")
    func whenUnobserved() {
        let query = server.query(["a"]) { $0.cancelsWhenUnobserved = true }
        let first = bench.observer(query)
        let second = bench.observer(query)
        first.stop()
        #expect(bench.client.isFetching() == 1)
        second.stop()
        bench.settle()
        #expect(bench.client.isFetching() == 0)
        #expect(server.calls[0].isCancelled)
        server.succeedAll(1)
        bench.settle()
        #expect(bench.client.data(of: query) == nil)
    }

    @Test("a refetch takes the place of a fetch that runs, and its awaiters follow")
    func restart() {
        let query = server.query(["a"])
        bench.client.setData(0, for: query)
        let observer = bench.observer(query)
        let fetch = bench.fetch(query)
        #expect(server.count == 1)
        bench.client.refetch()
        bench.settle()
        #expect(server.count == 2)
        #expect(server.calls[0].isCancelled)
        server.calls[0].succeed(1)
        bench.settle()
        #expect(!fetch.isOver)
        server.calls[1].succeed(2)
        bench.settle()
        #expect(fetch.value == 2)
        #expect(observer.data == 2)
    }

    @Test("without data a refetch joins the fetch that runs")
    func noRestartWithoutData() {
        bench.observer(server.query(["a"]))
        bench.client.refetch()
        bench.settle()
        #expect(server.count == 1)
    }

    @Test("a refetch that does not restart joins")
    func joins() {
        let query = server.query(["a"])
        bench.client.setData(0, for: query)
        bench.observer(query)
        bench.client.refetch(isRestarting: false)
        bench.settle()
        #expect(server.count == 1)
    }
}
