import Testing

@testable import TidingsQuery

@Suite("Retrying")
struct RetryTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    @Test("an observed query retries three times, after one, two and four seconds")
    func observed() {
        let observer = bench.observer(server.query(["a"]))
        for (attempt, seconds) in [1, 2, 4].enumerated() {
            server.failAll()
            bench.settle()
            #expect(observer.failureCount == attempt + 1)
            #expect(observer.status == .pending)
            #expect(observer.fetchStatus == .fetching)
            bench.advance(.milliseconds(seconds * 1000 - 1))
            #expect(server.count == attempt + 1)
            bench.advance(.milliseconds(1))
            #expect(server.count == attempt + 2)
        }
        server.failAll()
        bench.advance(.seconds(60))
        #expect(server.count == 4)
        #expect(observer.status == .error)
        #expect(observer.failureCount == 4)
    }

    @Test("a retry that succeeds leaves no trace")
    func succeeds() {
        let observer = bench.observer(server.query(["a"]))
        server.failAll()
        bench.advance(.seconds(1))
        server.succeedAll(5)
        bench.settle()
        #expect(observer.data == 5)
        #expect(observer.failureCount == 0)
        #expect(observer.error == nil)
        #expect(observer.failureReason == nil)
    }

    @Test("the query says how often", arguments: [0, 1, 2, 5])
    func count(_ retries: Int) {
        let query = server.query(["a"]) { $0.retry = .times(retries, delay: .fixed(.seconds(1))) }
        let fetch = bench.fetch(query)
        for _ in 0..<10 {
            server.failAll()
            bench.advance(.seconds(1))
        }
        #expect(server.count == retries + 1)
        #expect(fetch.error is TestError)
    }

    @Test("forever is forever")
    func forever() {
        let observer = bench.observer(server.query(["a"]) { $0.retry = .forever })
        for _ in 0..<40 {
            server.failAll()
            bench.advance(.seconds(30))
        }
        #expect(server.count == 41)
        #expect(observer.isLoading)
    }

    @Test("a permanent error is final")
    func permanent() {
        let observer = bench.observer(server.query(["a"]))
        server.failAll(PermanentError())
        bench.advance(.seconds(60))
        #expect(server.count == 1)
        #expect(observer.error is PermanentError)
    }

    @Test("a cancellation that the fetch throws by itself is final")
    func cancellation() {
        let observer = bench.observer(server.query(["a"]))
        server.failAll(CancellationError())
        bench.advance(.seconds(60))
        #expect(server.count == 1)
        #expect(observer.isError)
    }

    @Test("the server's own delay counts")
    func busy() {
        bench.observer(server.query(["a"]))
        server.failAll(BusyError(after: .seconds(17)))
        bench.advance(.milliseconds(16_999))
        #expect(server.count == 1)
        bench.advance(.milliseconds(1))
        #expect(server.count == 2)
    }

    @Test("the policy decides what is permanent")
    func classify() {
        let policy = RetryPolicy(retries: 3) { ($0 as? TestError)?.name == "no" ? .permanent : .transient() }
        bench.observer(server.query(["a"]) { $0.retry = policy })
        server.failAll(TestError(name: "maybe"))
        bench.advance(.seconds(1))
        #expect(server.count == 2)
        server.failAll(TestError(name: "no"))
        bench.advance(.seconds(60))
        #expect(server.count == 2)
    }

    @Test(
        "waits double up to thirty seconds",
        arguments: [(0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 30), (6, 30), (1000, 30), (-1, 1)]
    )
    func delays(_ retry: Int, _ seconds: Int) {
        #expect(RetryDelay.exponential().duration(before: retry, random: 0.5) == .seconds(seconds))
    }

    @Test("jitter takes a part of the wait away")
    func jitter() {
        let delay = RetryDelay.exponential(first: .seconds(4), longest: .seconds(60), jitter: 0.5)
        #expect(delay.duration(before: 0, random: 0) == .seconds(4))
        #expect(delay.duration(before: 0, random: 1) == .seconds(2))
        #expect(RetryDelay.fixed(.seconds(3)).duration(before: 9, random: 1) == .seconds(3))
        #expect(RetryDelay.fixed(.seconds(-3)).duration(before: 9, random: 1) == .zero)
    }

    @Test("the last observer leaving ends the retries, not the attempt")
    func lastObserverLeaves() {
        let query = server.query(["a"])
        let observer = bench.observer(query)
        server.failAll()
        bench.settle()
        observer.stop()
        bench.advance(.seconds(60))
        #expect(server.count == 1)
        #expect(bench.client.state(of: query)?.isError == true)
    }

    @Test("an attempt that runs when the last observer leaves may finish")
    func attemptFinishes() {
        let query = server.query(["a"])
        let observer = bench.observer(query)
        observer.stop()
        bench.settle()
        server.succeedAll(8)
        bench.settle()
        #expect(bench.client.data(of: query) == 8)
    }

    @Test("an observer that comes back in time brings the retries back")
    func comesBack() {
        let query = server.query(["a"])
        let observer = bench.observer(query)
        server.failAll()
        bench.settle()
        observer.stop()
        let other = bench.observer(query)
        bench.advance(.seconds(1))
        #expect(server.count == 2)
        server.succeedAll(1)
        bench.settle()
        #expect(other.data == 1)
    }

    @Test("failures are told from the first on")
    func failureReason() {
        let observer = bench.observer(server.query(["a"]))
        server.failAll(TestError(name: "first"))
        bench.settle()
        #expect(observer.failureReason as? TestError == TestError(name: "first"))
        #expect(observer.error == nil)
    }
}
