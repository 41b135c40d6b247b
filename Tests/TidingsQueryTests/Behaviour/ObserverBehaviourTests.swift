import Observation
import Testing

@testable import TidingsQuery

@Suite("What holds for every observer")
struct ObserverBehaviourTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    @Test("one that leaves before the data comes finds it when it comes back, without asking again")
    func comesBack() {
        let query = server.query(["a"]) { $0.staleTime = .infinite }
        let observer = bench.observer(query)
        observer.stop()
        #expect(observer.isLoading)
        server.succeedAll(1)
        bench.settle()
        observer.start()
        bench.settle()
        #expect(observer.data == 1)
        #expect(server.count == 1)
    }

    @Test("one that leaves and comes back during a fetch awaits the same one")
    func comesBackDuringFetch() {
        let observer = bench.observer(server.query(["a"]))
        observer.stop()
        observer.start()
        bench.settle()
        #expect(server.count == 1)
        server.succeedAll(1)
        bench.settle()
        #expect(observer.data == 1)
    }

    @Test("one without a function sees what others fetch")
    func watches() {
        let recorded = bench.record(bench.observer(Query<Int>(key: ["a"])))
        let fetch = bench.fetch(server.query(["a"]))
        server.succeedAll(1)
        bench.settle()
        #expect(fetch.value == 1)
        #expect(recorded.elements.map(\.fetchStatus) == [.idle, .fetching, .idle])
        #expect(recorded.last?.data == 1)
    }

    @Test("any number can read one observer, and one leaves without the others")
    func readers() {
        let query = Query<Int>(key: ["a"])
        let observer = QueryObserver(query, in: bench.client)
        let (first, second) = (bench.record(observer), bench.record(observer))
        bench.client.setData(1, for: query)
        bench.settle()
        first.stop()
        bench.settle()
        bench.client.setData(2, for: query)
        bench.settle()
        #expect(first.elements.map(\.data) == [nil, 1])
        #expect(second.elements.map(\.data) == [nil, 1, 2])
        #expect(bench.client.entries()[0].observerCount == 1)
    }

    @Test("a batch of retries is told attempt by attempt")
    func failures() {
        let recorded = bench.record(bench.observer(server.query(["a"]) { $0.retry = .times(1) }))
        server.failAll()
        bench.settle()
        bench.advance(.seconds(1))
        server.failAll()
        bench.settle()
        #expect(recorded.elements.map(\.failureCount) == [0, 1, 2])
        #expect(recorded.elements.map(\.status) == [.pending, .pending, .error])
        #expect(recorded.last?.isLoadingError == true)
    }

    @Test("another function selects from the same data, without a fetch")
    func otherSelection() {
        let query = server.query(["a"])
        bench.client.setData(3, for: query)
        let observer = QueryObserver(query, in: bench.client) { $0 * 10 }
        observer.start()
        server.succeedAll(3)
        bench.settle()
        #expect(observer.data == 30)
        observer.observe(query) { $0 * 100 }
        bench.settle()
        #expect(observer.data == 300)
        #expect(server.count == 1)
        #expect(bench.client.entries()[0].observerCount == 1)
    }

    @Test("another definition of the same query is no reason to fetch, and counts from the next one on")
    func otherDefinition() {
        let old = FakeServer<Int>()
        let observer = bench.observer(old.query(["a"]))
        old.succeedAll(1)
        bench.settle()
        observer.observe(server.query(["a"]))
        bench.settle()
        #expect(observer.data == 1)
        #expect(server.count == 0)
        bench.client.invalidate()
        bench.settle()
        #expect(old.count == 1)
        #expect(server.count == 1)
    }

    @Test("another definition of a query without data asks for it")
    func otherDefinitionWithoutData() {
        let observer = bench.observer(Query<Int>(key: ["a"]))
        observer.observe(server.query(["a"]))
        bench.settle()
        #expect(server.count == 1)
    }

    @Test("what was selected before stands in for what comes")
    func previousSelection() {
        let log = Log<Int>()
        bench.client.setData(1, for: server.query(["a"]))
        let observer = QueryObserver(
            server.query(["a"]) { $0.staleTime = .infinite },
            in: bench.client,
            placeholder: .previous
        ) { value in
            log.add(value)
            return "\(value)"
        }
        observer.start()
        #expect(observer.data == "1")
        observer.observe(server.query(["b"])) { value in
            log.add(value)
            return "\(value)"
        }
        bench.settle()
        #expect(observer.data == "1")
        #expect(observer.isPlaceholder)
        server.succeedAll(2)
        bench.settle()
        #expect(observer.data == "2")
        #expect(log.entries == [1, 2])
    }

    @Test("an error of the selection stays while the same data is fetched again")
    func selectionErrorStays() {
        let observer = QueryObserver(server.query(["a"]), in: bench.client) { _ -> Int in throw TestError() }
        observer.start()
        bench.settle()
        server.succeedAll(1)
        bench.settle()
        #expect(observer.isError)
        #expect(observer.data == nil)
        bench.begin { await observer.refetch() }
        #expect(observer.isError)
        #expect(observer.isFetching)
        server.succeedAll(1)
        bench.settle()
        #expect(observer.isError)
        #expect(!observer.isFetching)
    }

    @Test("a refetch returns what is selected")
    func selectedRefetch() {
        let observer = QueryObserver(server.query(["a"]), in: bench.client) { $0 + 1 }
        let pending = bench.begin { await observer.refetch().data }
        server.succeedAll(1)
        bench.settle()
        #expect(pending.value == 2)
    }
}

@Suite("Intervals that the state decides")
struct ComputedIntervalTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    init() { bench.run() }

    /// A job that is done at ten.
    private var job: Query<Int> {
        server.query(["job"]).refetched { ($0.data ?? 0) < 10 ? .seconds(5) : nil }
    }

    private func tick(_ answer: Int, _ seconds: Int = 5) {
        bench.advance(.seconds(seconds))
        server.succeedAll(answer)
        bench.settle()
    }

    @Test("end when the state says so, and begin again when it says otherwise")
    func ends() {
        let observer = bench.observer(job)
        server.succeedAll(1)
        bench.settle()
        tick(2)
        tick(10)
        #expect(server.count == 3)
        tick(10, 600)
        #expect(server.count == 3)
        bench.client.setData(3, for: job)
        tick(4)
        #expect(server.count == 4)
        #expect(observer.data == 4)
    }

    @Test("are as long as the state says")
    func length() {
        let query = server.query(["a"]).refetched { .seconds($0.data ?? 1) }
        bench.observer(query)
        server.succeedAll(3)
        bench.settle()
        tick(20, 2)
        #expect(server.count == 1)
        tick(20, 1)
        #expect(server.count == 2)
        tick(1, 19)
        #expect(server.count == 2)
        tick(1, 1)
        #expect(server.count == 3)
    }

    @Test("take the place of the option")
    func overOption() {
        bench.observer(job.with { $0.refetchInterval = .every(.seconds(1)) })
        server.succeedAll(10)
        bench.settle()
        tick(10, 60)
        #expect(server.count == 1)
    }

    @Test("know of errors")
    func errors() {
        let query = server.query(["a"]) { $0.retry = .never }.refetched { $0.isError ? .seconds(60) : .seconds(1) }
        bench.observer(query)
        server.failAll()
        bench.settle()
        bench.advance(.seconds(59))
        #expect(server.count == 1)
        bench.advance(.seconds(1))
        #expect(server.count == 2)
    }

    @Test("are asked for once for each state, even if the answer is never the same")
    func onceForEachState() {
        let asked = Log<Int>()
        let query = server.query(["a"]).refetched { _ in
            asked.add(1)
            return .seconds(100 + asked.entries.count)
        }
        let observer = bench.observer(query)
        server.succeedAll(1)
        bench.settle()
        let count = asked.entries.count
        #expect(count <= 3)
        for _ in 0..<10 { _ = observer.snapshot }
        #expect(asked.entries.count == count)
    }

    @Test("may use the client")
    func reentrant() {
        let client = bench.client
        let isLive = Query<Bool>(key: ["isLive"])
        client.setData(true, for: isLive)
        bench.observer(server.query(["a"]).refetched { _ in client.data(of: isLive) == true ? .seconds(5) : nil })
        server.succeedAll(1)
        bench.settle()
        tick(2)
        #expect(server.count == 2)
        client.setData(false, for: isLive)
        tick(3)
        #expect(server.count == 3, "what it uses is looked at with the next change")
        tick(3, 60)
        #expect(server.count == 3)
    }

    @Test("are not for disabled observers, and count again for those that are enabled")
    func disabled() {
        let observer = bench.observer(job, isEnabled: false)
        bench.client.setData(1, for: job)
        tick(2, 60)
        #expect(server.count == 0)
        observer.isEnabled = true
        server.succeedAll(2)
        bench.settle()
        tick(3)
        #expect(server.count >= 1)
        let before = server.count
        tick(3)
        #expect(server.count == before + 1)
    }

    @Test("go on with an observer that comes back")
    func comesBack() {
        let observer = bench.observer(job)
        server.succeedAll(1)
        bench.settle()
        observer.stop()
        tick(2, 60)
        #expect(server.count == 1)
        observer.start()
        server.succeedAll(2)
        bench.settle()
        server.succeedAll(2)
        bench.settle()
        let before = server.count
        tick(3)
        #expect(server.count == before + 1)
    }

    @Test("are those of the last state, whichever thread brought it")
    func threads() async {
        let client = QueryClient()
        let query = Query<Int>(key: ["a"]).refetched { .seconds(1000 + ($0.data ?? 0)) }
        let observer = QueryObserver(query, in: client)
        observer.start()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<500 {
                group.addTask { client.setData(number, for: query) }
            }
        }
        let interval = client.withCache { $0.entries[["a"]]?.registrations.first?.settings.interval }
        #expect(interval == .seconds(1000 + (observer.data ?? 0)))
    }

    @Test("see the source of what is selected")
    func selected() {
        let observer = QueryObserver(job, in: bench.client) { "\($0)" }
        observer.start()
        bench.settle()
        server.succeedAll(1)
        bench.settle()
        tick(10)
        #expect(observer.data == "10")
        tick(10, 60)
        #expect(server.count == 2)
    }
}

@Suite("Several queries as a sequence")
struct QueriesSequenceTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    private func queries(_ numbers: Int...) -> [Query<Int>] {
        numbers.map { server.query(["n", .integer($0)]) { $0.staleTime = .infinite } }
    }

    private func record(_ observer: QueriesObserver<Int>) -> Recorded<[Int?]> {
        let recorded = Recorded<[Int?]>()
        let updates = observer.updates
        recorded.reading = bench.begin {
            for await snapshots in updates { recorded.append(snapshots.map(\.data)) }
        }
        return recorded
    }

    @Test("tells what is there and each change, and observes while it is read")
    func updates() {
        let recorded = record(QueriesObserver(queries(1, 2), in: bench.client))
        #expect(bench.client.entries().map(\.observerCount) == [1, 1])
        server.calls[1].succeed(20)
        bench.settle()
        server.calls[0].succeed(10)
        bench.settle()
        #expect(recorded.elements == [[nil, nil], [nil, 20], [10, 20]])
        recorded.stop()
        bench.settle()
        #expect(recorded.reading?.isOver == true)
        #expect(bench.client.entries().map(\.observerCount) == [0, 0])
    }

    @Test("tells of other queries, another order, and of none, but not of the same ones")
    func replaced() {
        for (number, query) in queries(1, 2, 3).enumerated() { bench.client.setData(number + 1, for: query) }
        let observer = QueriesObserver(queries(1, 2), in: bench.client)
        let recorded = record(observer)
        for numbers in [[2, 1], [2, 1], [2], [2, 3], []] {
            observer.observe(numbers.flatMap { queries($0) })
            bench.settle()
        }
        #expect(recorded.elements == [[1, 2], [2, 1], [2], [2, 3], []])
        #expect(server.count == 0)
    }

    @Test("tells of changes in queries that came later")
    func cameLater() {
        let observer = QueriesObserver(queries(1), in: bench.client)
        let recorded = record(observer)
        observer.observe(queries(1, 2))
        bench.settle()
        bench.client.setData(5, for: queries(2)[0])
        bench.settle()
        #expect(recorded.last == [nil, 5])
        observer.observe(queries(1))
        bench.settle()
        let count = recorded.count
        bench.client.setData(6, for: queries(2)[0])
        bench.settle()
        #expect(recorded.count == count)
    }

    @Test("a slow reader finds what is there last, and several changes at once are told once")
    func batch() {
        let observer = QueriesObserver(queries(1, 2), in: bench.client)
        let recorded = record(observer)
        let (first, second) = (queries(1)[0], queries(2)[0])
        for number in 1...20 {
            bench.client.setData(number, for: first)
            bench.client.setData(-number, for: second)
        }
        bench.settle()
        #expect(recorded.elements == [[nil, nil], [20, -20]])
    }

    @Test("the same queries again are no news for Observation")
    func noNews() {
        let observer = QueriesObserver(queries(1, 2), in: bench.client)
        let log = Log<Int>()
        withObservationTracking {
            _ = observer.data
        } onChange: {
            log.add(1)
        }
        observer.observe(queries(1, 2))
        #expect(log.entries.isEmpty)
        observer.observe(queries(2, 1))
        #expect(log.entries == [1])
    }
}
