import Observation
import Testing

@testable import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("Observers")
struct QueryObserverTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    @Test("show nothing of what was forgotten, whether they observe or not", arguments: [true, false], [true, false])
    func forgotten(_ isStarted: Bool, _ isSelecting: Bool) {
        let query = Query<Int>(key: ["forgotten"])
        bench.client.setData(1, for: query)
        let observer =
            isSelecting
            ? QueryObserver(query, in: bench.client) { $0 } : QueryObserver(query, in: bench.client)
        if isStarted { observer.start() }
        #expect(observer.data == 1)
        bench.client.clear()
        #expect(observer.data == nil)
        bench.client.setData(2, for: query)
        #expect(observer.data == 2)
        observer.stop()
    }

    @Test("fetch when they come, and show what comes")
    func fetches() {
        let observer = bench.observer(server.query(["a"]))
        #expect(observer.isLoading)
        #expect(observer.data == nil)
        server.succeedAll(4)
        bench.settle()
        #expect(observer.data == 4)
        #expect(observer.isSuccess)
        #expect(observer.isFetchedAfterMount)
        #expect(!observer.isFetching)
    }

    @Test("fetch nothing before they start")
    func notStarted() {
        let observer = QueryObserver(server.query(["a"]), in: bench.client)
        bench.settle()
        #expect(server.count == 0)
        #expect(observer.isPending)
        bench.client.setData(2, for: server.query(["a"]))
        #expect(observer.data == 2)
        #expect(bench.client.entries()[0].observerCount == 0)
    }

    @Test("leave with the last stop")
    func counting() {
        let observer = bench.observer(server.query(["a"]))
        observer.start()
        observer.stop()
        #expect(bench.client.entries()[0].observerCount == 1)
        observer.stop()
        observer.stop()
        #expect(bench.client.entries()[0].observerCount == 0)
    }

    @Test("leave when nobody keeps them")
    func released() {
        var observer: QueryObserver<Int>? = QueryObserver(server.query(["a"]), in: bench.client)
        observer?.start()
        #expect(bench.client.entries()[0].observerCount == 1)
        observer = nil
        #expect(bench.client.entries()[0].observerCount == 0)
    }

    @Test("observe for as long as they run")
    func running() {
        let observer = QueryObserver(server.query(["a"]), in: bench.client)
        let run = bench.begin { await observer.run() }
        #expect(bench.client.entries()[0].observerCount == 1)
        run.cancel()
        bench.settle()
        #expect(run.isOver)
        #expect(bench.client.entries()[0].observerCount == 0)
    }

    @Test("observe for as long as they are read")
    func reading() {
        let recorded = bench.record(QueryObserver(server.query(["a"]), in: bench.client))
        #expect(bench.client.entries()[0].observerCount == 1)
        server.succeedAll(1)
        bench.settle()
        #expect(recorded.elements.map(\.data) == [nil, 1])
        recorded.stop()
        bench.settle()
        #expect(bench.client.entries()[0].observerCount == 0)
    }

    @Test("a slow reader finds what is there last")
    func slowReader() {
        let query = Query<Int>(key: ["a"])
        let recorded = bench.record(bench.observer(query))
        for number in 1...50 { bench.client.setData(number, for: query) }
        bench.settle()
        #expect(recorded.elements.map(\.data) == [nil, 50])
    }

    @Test("share a fetch")
    func share() {
        let observers = (0..<5).map { _ in bench.observer(server.query(["a"])) }
        #expect(server.count == 1)
        server.succeedAll(1)
        bench.settle()
        #expect(observers.map(\.data) == Array(repeating: 1, count: 5))
    }

    @Test(
        "that come to existing data fetch as they are told",
        arguments: [
            (RefetchTrigger.ifStale, StaleTime.zero, 1), (.ifStale, .infinite, 0), (.never, .zero, 0),
            (.always, .infinite, 1), (.always, .static, 0),
        ]
    )
    func onMount(_ trigger: RefetchTrigger, _ staleTime: StaleTime, _ expected: Int) {
        let query = server.query(["a"]) {
            $0.refetchOnMount = trigger
            $0.staleTime = staleTime
        }
        bench.client.setData(1, for: query)
        bench.observer(query)
        #expect(server.count == expected)
    }

    @Test("that come to an error fetch, unless they are told not to", arguments: [true, false])
    func onError(_ retryOnMount: Bool) {
        let query = server.query(["a"]) { $0.retryOnMount = retryOnMount }
        bench.fetch(query)
        server.failAll()
        bench.settle()
        let observer = bench.observer(query)
        #expect(server.count == (retryOnMount ? 2 : 1))
        #expect(observer.isError == !retryOnMount)
    }

    @Test("that are not enabled show what is there and fetch nothing")
    func disabled() {
        let query = server.query(["a"])
        let observer = bench.observer(query, isEnabled: false)
        #expect(server.count == 0)
        #expect(observer.fetchStatus == .idle)
        #expect(!observer.isStale)
        bench.client.setData(1, for: query)
        #expect(observer.data == 1)
        bench.client.refetch()
        bench.online.set(false)
        bench.online.set(true)
        bench.settle()
        #expect(server.count == 0)
    }

    @Test("that are not enabled fetch when they are asked to")
    func disabledRefetch() {
        let observer = bench.observer(server.query(["a"]), isEnabled: false)
        let pending = bench.begin { await observer.refetch() }
        server.succeedAll(1)
        bench.settle()
        #expect(pending.value?.data == 1)
    }

    @Test("fetch when they are enabled, if the data is stale")
    func enabling() {
        let observer = bench.observer(server.query(["a"]), isEnabled: false)
        observer.isEnabled = true
        bench.settle()
        #expect(server.count == 1)
        let query = server.query(["fresh"]) { $0.staleTime = .infinite }
        bench.client.setData(1, for: query)
        let other = bench.observer(query, isEnabled: false)
        other.isEnabled = true
        bench.settle()
        #expect(server.count == 1)
    }

    @Test("a disabled one beside an enabled one leaves the entry active")
    func mixed() {
        let query = server.query(["a"])
        bench.observer(query)
        bench.observer(query, isEnabled: false)
        #expect(bench.client.entries()[0].isActive)
        #expect(!bench.client.entries()[0].isDisabled)
    }

    @Test("refetch returns what is known at the end, also an error")
    func refetchReturns() {
        let query = server.query(["a"]) {
            $0.retry = .never
            $0.staleTime = .infinite
        }
        bench.client.setData(1, for: query)
        let observer = bench.observer(query)
        let pending = bench.begin { await observer.refetch() }
        #expect(observer.isRefetching)
        server.failAll()
        bench.settle()
        #expect(pending.value?.isRefetchError == true)
        #expect(pending.value?.data == 1)
    }

    @Test("turn stale on screen when the time has come")
    func turnStale() {
        bench.run()
        let query = server.query(["a"]) { $0.staleTime = .seconds(5) }
        bench.client.setData(1, for: query)
        let recorded = bench.record(bench.observer(query))
        bench.advance(.milliseconds(4999))
        #expect(recorded.elements.map(\.isStale) == [false])
        bench.advance(.milliseconds(1))
        #expect(recorded.elements.map(\.isStale) == [false, true])
        #expect(server.count == 0)
    }

    @Test("with different stale times see the same data differently")
    func staleTimes() {
        let query = server.query(["a"])
        bench.client.setData(1, for: query)
        let strict = bench.observer(query.with { $0.staleTime = .zero }, isEnabled: true)
        let relaxed = bench.observer(query.with { $0.staleTime = .infinite })
        #expect(strict.isStale)
        #expect(!relaxed.isStale)
    }

    @Test("tell Observation about what was read, and only that")
    func observation() {
        let query = server.query(["a"])
        let observer = bench.observer(query)
        let log = Log<String>()
        func watch() {
            withObservationTracking {
                _ = observer.data
            } onChange: {
                log.add("data")
            }
            withObservationTracking {
                _ = observer.fetchStatus
            } onChange: {
                log.add("fetchStatus")
            }
            withObservationTracking {
                _ = observer.error
            } onChange: {
                log.add("error")
            }
        }
        watch()
        server.succeedAll(1)
        bench.settle()
        #expect(Set(log.entries) == ["data", "fetchStatus"])
        watch()
        bench.begin { await observer.refetch() }
        #expect(log.entries.count == 3)
        server.succeedAll(1)
        bench.settle()
        #expect(!log.entries.contains("error"))
    }

    @Test("show another query when they are told to, and leave the first one")
    func switches() {
        let (first, second) = (server.query(["a"]), server.query(["b"]))
        bench.client.setData(1, for: first)
        let observer = bench.observer(first.with { $0.staleTime = .infinite })
        observer.observe(second)
        bench.settle()
        #expect(observer.data == nil)
        #expect(observer.isLoading)
        #expect(bench.client.entries(.exactly(["a"]))[0].observerCount == 0)
        server.succeedAll(2)
        bench.settle()
        #expect(observer.data == 2)
        bench.client.setData(10, for: first)
        #expect(observer.data == 2)
    }

    @Test("tell their readers when they show another query")
    func switchesForReaders() {
        bench.client.setData(1, for: server.query(["a"]))
        bench.client.setData(2, for: server.query(["b"]))
        let observer = bench.observer(Query<Int>(key: ["a"]))
        let recorded = bench.record(observer)
        observer.observe(Query<Int>(key: ["b"]))
        bench.settle()
        #expect(recorded.elements.map(\.data) == [1, 2])
    }

    @Test("a query of another type is an error in the log, not a crash")
    func typeMismatch() {
        bench.client.setData("text", for: Query<String>(key: ["a"]))
        let observer = bench.observer(server.query(["a"]))
        #expect(observer.data == nil)
        #expect(server.count == 0)
    }

    @Test("of a query that is only set wait for it")
    func onlySet() {
        let observer = bench.observer(Query<Int>(key: ["a"]))
        #expect(observer.isPending)
        #expect(observer.fetchStatus == .idle)
        bench.client.setData(1, for: Query<Int>(key: ["a"]))
        #expect(observer.data == 1)
    }
}

@Suite("Selecting")
struct SelectTests {
    let bench = Bench()
    let query = Query<[Int]>(key: ["a"])

    @Test("shows what the function makes of the data")
    func selects() {
        let observer = QueryObserver(query, in: bench.client) { $0.count }
        observer.start()
        #expect(observer.data == nil)
        bench.client.setData([1, 2, 3], for: query)
        #expect(observer.data == 3)
        #expect(bench.client.data(of: query) == [1, 2, 3])
    }

    @Test("calls the function once for each value")
    func memoized() {
        let log = Log<Int>()
        let observer = QueryObserver(query, in: bench.client) { value in
            log.add(value.count)
            return value.count
        }
        observer.start()
        bench.client.setData([1], for: query)
        for _ in 0..<5 { _ = observer.data }
        bench.client.invalidate()
        bench.client.setData([1], for: query)
        #expect(log.entries == [1])
    }

    @Test("tells nobody if it comes to the same")
    func equalSelection() {
        bench.client.setData([1, 2], for: query)
        let recorded = bench.record(QueryObserver(query, in: bench.client) { $0.count })
        bench.client.setData([3, 4], for: query)
        bench.settle()
        #expect(recorded.count == 1)
        bench.client.setData([3, 4, 5], for: query)
        bench.settle()
        #expect(recorded.elements.map(\.data) == [2, 3])
    }

    @Test("an error of the function shows in that observer only, with what it showed before")
    func throwing() {
        bench.client.setData([1], for: query)
        let observer = QueryObserver(query, in: bench.client) { value in
            guard let first = value.first else { throw TestError(name: "empty") }
            return first
        }
        let other = bench.observer(query)
        observer.start()
        #expect(observer.data == 1)
        bench.client.setData([], for: query)
        #expect(observer.isError)
        #expect(observer.error as? TestError == TestError(name: "empty"))
        #expect(observer.data == 1)
        #expect(other.isSuccess)
        #expect(bench.client.state(of: query)?.error == nil)
        bench.client.setData([5], for: query)
        #expect(observer.data == 5)
        #expect(observer.error == nil)
    }

    @Test("the function may use the client and the observer")
    func reentrant() {
        let client = bench.client
        let other = Query<Int>(key: ["b"])
        client.setData(10, for: other)
        let observer = QueryObserver(query, in: client) { $0.count + (client.data(of: other) ?? 0) }
        observer.start()
        client.setData([1], for: query)
        #expect(observer.data == 11)
    }

    @Test("sees optimistic changes")
    func optimistic() {
        bench.client.setData([1], for: query)
        let observer = QueryObserver(query, in: bench.client) { $0.count }
        observer.start()
        let update = bench.client.optimisticUpdate(query) { $0 = [1, 2] }
        #expect(observer.data == 2)
        update.rollback()
        #expect(observer.data == 1)
    }
}

@Suite("Placeholders and initial values")
struct PlaceholderTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    @Test("a placeholder is shown until there is data, and is the observer's own")
    func placeholder() {
        let observer = bench.observer(server.query(["a"]), placeholder: .value(7))
        #expect(observer.data == 7)
        #expect(observer.isPlaceholder)
        #expect(observer.isSuccess)
        #expect(observer.isFetching)
        #expect(bench.client.data(of: server.query(["a"])) == nil)
        server.succeedAll(1)
        bench.settle()
        #expect(observer.data == 1)
        #expect(!observer.isPlaceholder)
    }

    @Test("a placeholder does not hide an error")
    func placeholderError() {
        let observer = bench.observer(server.query(["a"]) { $0.retry = .never }, placeholder: .value(7))
        server.failAll()
        bench.settle()
        #expect(observer.data == nil)
        #expect(observer.isError)
        #expect(!observer.isPlaceholder)
    }

    @Test("what was shown before stands in for what comes")
    func previous() {
        let first = server.query(["a"])
        bench.client.setData(1, for: first)
        let observer = bench.observer(first.with { $0.staleTime = .infinite }, placeholder: .previous)
        observer.observe(server.query(["b"]))
        bench.settle()
        #expect(observer.data == 1)
        #expect(observer.isPlaceholder)
        server.succeedAll(2)
        bench.settle()
        #expect(observer.data == 2)
        #expect(!observer.isPlaceholder)
    }

    @Test("a placeholder can be made of what was shown before")
    func computed() {
        bench.client.setData(1, for: server.query(["a"]))
        let observer = bench.observer(Query<Int>(key: ["a"]), placeholder: .make { ($0 ?? 0) + 100 })
        #expect(observer.data == 1)
        observer.observe(server.query(["b"]))
        #expect(observer.data == 101)
    }

    @Test("without data before it there is nothing to stand in")
    func previousNothing() {
        let observer = bench.observer(server.query(["a"]), placeholder: .previous)
        #expect(observer.data == nil)
        #expect(observer.isPending)
    }

    @Test("an initial value is the cache's, and stale by its age")
    func initial() {
        let query = server.query(["a"]).initially(5)
        let observer = bench.observer(query)
        #expect(observer.data == 5)
        #expect(observer.isSuccess)
        #expect(bench.client.data(of: query) == 5)
        #expect(server.count == 1, "it is stale at once")
    }

    @Test("a fresh initial value is not asked for again until it is old")
    func initialFresh() {
        bench.run()
        let query = server.query(["a"]) { $0.staleTime = .seconds(10) }
        bench.observer(query.initially(5))
        #expect(server.count == 0)
        let old = Query<Int>(key: ["b"], options: query.options) { _ in try await server.request() }
        bench.observer(old.initially(5, updatedAt: Bench.start.addingTimeInterval(-10)))
        #expect(server.count == 1)
    }

    @Test("an initial value does not replace data, but fills an entry without any")
    func initialAndExisting() {
        let query = server.query(["a"]) { $0.staleTime = .infinite }
        bench.client.setData(1, for: query)
        bench.observer(query.initially(5))
        #expect(bench.client.data(of: query) == 1)
        let empty = server.query(["b"]) { $0.staleTime = .infinite }
        let observer = bench.observer(empty, isEnabled: false)
        bench.observer(empty.initially(9))
        #expect(observer.data == 9)
        #expect(server.count == 0)
    }

    @Test("a fetch takes the initial value if it is fresh")
    func initialFetch() {
        let query = server.query(["a"]) { $0.staleTime = .seconds(10) }
        #expect(bench.fetch(query.initially(5)).value == 5)
        #expect(server.count == 0)
    }
}
