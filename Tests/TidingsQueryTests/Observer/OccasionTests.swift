import Testing

@testable import TidingsQuery

@Suite("Intervals")
struct IntervalTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    init() { bench.run() }

    private func tick(_ seconds: Int) {
        bench.advance(.seconds(seconds))
        server.succeedAll(1)
        bench.settle()
    }

    @Test("fetch again and again")
    func repeats() {
        bench.observer(server.query(["a"]) { $0.refetchInterval = .every(.seconds(5)) })
        server.succeedAll(1)
        bench.settle()
        for round in 2...5 {
            tick(5)
            #expect(server.count == round)
        }
    }

    @Test("begin anew with each update")
    func restarts() {
        let query = server.query(["a"]) { $0.refetchInterval = .every(.seconds(5)) }
        bench.observer(query)
        server.succeedAll(1)
        bench.settle()
        bench.advance(.seconds(4))
        bench.client.setData(2, for: query)
        bench.advance(.seconds(4))
        #expect(server.count == 1)
        bench.advance(.seconds(1))
        #expect(server.count == 2)
    }

    @Test("pause while the application is not in front, unless asked", arguments: [false, true])
    func background(_ isAsked: Bool) {
        bench.observer(
            server.query(["a"]) {
                $0.refetchInterval = .every(.seconds(5))
                $0.refetchesInBackground = isAsked
            }
        )
        server.succeedAll(1)
        bench.focus.set(false)
        tick(5)
        tick(5)
        #expect(server.count == (isAsked ? 3 : 1))
    }

    @Test("are not for disabled observers")
    func disabled() {
        bench.observer(server.query(["a"]) { $0.refetchInterval = .every(.seconds(5)) }, isEnabled: false)
        tick(20)
        #expect(server.count == 0)
    }

    @Test("end with the observer")
    func ends() {
        let observer = bench.observer(server.query(["a"]) { $0.refetchInterval = .every(.seconds(5)) })
        server.succeedAll(1)
        bench.settle()
        tick(5)
        #expect(server.count == 2)
        observer.stop()
        tick(20)
        #expect(server.count == 2)
    }

    @Test("join a fetch that runs")
    func joins() {
        bench.observer(server.query(["a"]) { $0.refetchInterval = .every(.seconds(5)) })
        bench.advance(.seconds(5))
        bench.advance(.seconds(5))
        #expect(server.count == 1)
    }

    @Test("after a long sleep fetch once, not once for each interval missed")
    func afterSleep() {
        bench.observer(server.query(["a"]) { $0.refetchInterval = .every(.seconds(5)) })
        server.succeedAll(1)
        bench.settle()
        bench.advance(.seconds(3600))
        #expect(server.count == 2)
    }

    @Test("of nothing are none", arguments: [Duration.zero, .seconds(-1)])
    func nothing(_ interval: Duration) {
        bench.observer(server.query(["a"]) { $0.refetchInterval = .every(interval) })
        tick(5)
        tick(5)
        #expect(server.count == 1)
    }

    @Test("the shortest of several observers counts")
    func shortest() {
        let query = server.query(["a"])
        bench.observer(query.with { $0.refetchInterval = .every(.seconds(60)) })
        bench.observer(query.with { $0.refetchInterval = .every(.seconds(5)) })
        server.succeedAll(1)
        bench.settle()
        tick(5)
        #expect(server.count == 2)
    }
}

@Suite("Network and focus")
struct NetworkTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    @Test("offline a fetch pauses, and goes on when the device is back")
    func pauses() {
        bench.online.set(false)
        let fetch = bench.fetch(server.query(["a"]))
        #expect(server.count == 0)
        let state = bench.client.state(of: server.query(["a"]))
        #expect(state?.status == .pending)
        #expect(state?.fetchStatus == .paused)
        #expect(bench.client.isFetching() == 0)
        bench.online.set(true)
        bench.settle()
        #expect(server.count == 1)
        server.succeedAll(3)
        bench.settle()
        #expect(fetch.value == 3)
    }

    @Test("offline it goes on if it needs no network")
    func always() {
        bench.online.set(false)
        bench.fetch(server.query(["a"]) { $0.networkMode = .always })
        #expect(server.count == 1)
    }

    @Test("offline first makes one attempt, and waits with the retries")
    func offlineFirst() {
        bench.online.set(false)
        let observer = bench.observer(server.query(["a"]) { $0.networkMode = .offlineFirst })
        #expect(server.count == 1)
        server.failAll()
        bench.advance(.seconds(1))
        #expect(observer.isPaused)
        #expect(observer.failureCount == 1)
        bench.advance(.seconds(100))
        #expect(server.count == 1)
        bench.online.set(true)
        bench.settle()
        #expect(server.count == 2)
        #expect(observer.isFetching)
    }

    @Test("always retries offline too")
    func alwaysRetries() {
        bench.online.set(false)
        bench.observer(server.query(["a"]) { $0.networkMode = .always })
        server.failAll()
        bench.advance(.seconds(1))
        #expect(server.count == 2)
    }

    @Test("going offline between two attempts pauses the second")
    func offlineBetween() {
        let observer = bench.observer(server.query(["a"]))
        server.failAll()
        bench.settle()
        bench.online.set(false)
        bench.advance(.seconds(1))
        #expect(observer.isPaused)
        #expect(server.count == 1)
        bench.online.set(true)
        bench.settle()
        #expect(server.count == 2)
    }

    @Test("in the background a retry waits for focus")
    func unfocusedRetry() {
        let observer = bench.observer(server.query(["a"]))
        server.failAll()
        bench.focus.set(false)
        bench.advance(.seconds(1))
        #expect(observer.isPaused)
        bench.focus.set(true)
        bench.settle()
        #expect(server.count == 2)
    }

    @Test("in the background a first attempt is made")
    func unfocusedFirst() {
        bench.focus.set(false)
        bench.fetch(server.query(["a"]))
        #expect(server.count == 1)
    }

    @Test("a paused fetch can be cancelled")
    func cancelPaused() {
        bench.online.set(false)
        let fetch = bench.fetch(server.query(["a"]))
        bench.client.cancel()
        bench.settle()
        #expect((fetch.error as? QueryError)?.code == .cancelled)
        bench.online.set(true)
        bench.settle()
        #expect(server.count == 0)
    }

    @Test("a paused retry that nobody observes any more fails when the device is back")
    func pausedUnobserved() {
        let query = server.query(["a"])
        let observer = bench.observer(query)
        server.failAll(TestError(name: "x"))
        bench.settle()
        bench.online.set(false)
        bench.advance(.seconds(1))
        observer.stop()
        bench.online.set(true)
        bench.settle()
        #expect(server.count == 1)
        #expect(bench.client.state(of: query)?.error as? TestError == TestError(name: "x"))
    }

    @Test(
        "coming back fetches what is observed and stale, once for each entry",
        arguments: [true, false]
    )
    func comesBack(_ isFocus: Bool) {
        let stale = server.query(["stale"])
        bench.client.setData(1, for: stale, updatedAt: Bench.start)
        bench.observer(stale)
        bench.observer(stale)
        let fresh = server.query(["fresh"]) { $0.staleTime = .infinite }
        bench.client.setData(1, for: fresh)
        bench.observer(fresh)
        bench.client.setData(1, for: server.query(["idle"]))
        server.succeedAll(1)
        bench.settle()
        #expect(server.count == 1)
        let condition = isFocus ? bench.focus : bench.online
        condition.set(false)
        condition.set(true)
        bench.settle()
        #expect(server.count == 2)
    }

    @Test(
        "coming back fetches as it is told",
        arguments: [
            (RefetchTrigger.never, StaleTime.zero, 0), (.always, .infinite, 1), (.always, .static, 0),
            (.ifStale, .infinite, 0),
        ]
    )
    func triggers(_ trigger: RefetchTrigger, _ staleTime: StaleTime, _ expected: Int) {
        let query = server.query(["a"]) {
            $0.staleTime = staleTime
            $0.refetchOnMount = .never
            $0.refetchOnFocus = trigger
            $0.refetchOnReconnect = trigger
        }
        bench.client.setData(1, for: query)
        bench.observer(query)
        bench.focus.set(false)
        bench.focus.set(true)
        bench.settle()
        #expect(server.count == expected)
        server.succeedAll(1)
        bench.settle()
        bench.online.set(false)
        bench.online.set(true)
        bench.settle()
        #expect(server.count == expected * 2)
    }

    @Test("being told twice what is known is no occasion")
    func noNews() {
        let query = server.query(["a"])
        bench.observer(query)
        server.succeedAll(1)
        bench.settle()
        bench.online.set(true)
        bench.focus.set(true)
        bench.settle()
        #expect(server.count == 1)
    }

    @Test("mutations that waited go before what is observed is fetched")
    func mutationsFirst() {
        let changes = FakeServer<Int>()
        let query = server.query(["a"])
        bench.observer(query)
        server.succeedAll(1)
        bench.settle()
        bench.online.set(false)
        let mutation = Mutation<Int, Int> { _, _ in try await changes.request() }
        bench.client.start(mutation, 1)
        bench.settle()
        #expect(changes.count == 0)
        bench.online.set(true)
        bench.settle()
        #expect(changes.count == 1)
        #expect(server.count == 1)
        changes.succeedAll(1)
        bench.settle()
        #expect(server.count == 2)
    }

    @Test("a mutation that fails keeps nothing from being fetched")
    func failingMutationFirst() {
        let changes = FakeServer<Int>()
        let query = server.query(["a"])
        bench.observer(query)
        server.succeedAll(1)
        bench.settle()
        bench.online.set(false)
        bench.client.start(Mutation<Int, Int> { _, _ in try await changes.request() }, 1)
        bench.settle()
        bench.online.set(true)
        bench.settle()
        changes.failAll()
        bench.settle()
        #expect(server.count == 2)
    }

    @Test("a monitor tells its handlers for as long as they are kept")
    func monitor() {
        let monitor = ManualMonitor(false)
        let log = Log<Bool>()
        var observation: MonitorObservation? = monitor.onChange { log.add($0) }
        monitor.set(false)
        monitor.set(true)
        monitor.set(false)
        #expect(log.entries == [true, false])
        _ = observation
        observation = nil
        monitor.set(true)
        #expect(log.entries == [true, false])
        #expect(monitor.isActive)
    }
}
