import Testing

@testable import TidingsQuery

@Suite("What holds for every entry")
struct EntryBehaviourTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    @Test("what is known stays while it is fetched again, good or bad")
    func statusStays() {
        let query = server.query(["a"])
        bench.client.setData(1, for: query)
        bench.fetch(query)
        #expect(bench.client.state(of: query)?.status == .success)
        server.failAll()
        bench.settle()
        #expect(bench.client.state(of: query)?.status == .error)
        bench.fetch(query)
        #expect(bench.client.state(of: query)?.status == .error)
        #expect(bench.client.state(of: query)?.isRefetchError == true)
        #expect(bench.client.state(of: query)?.failureCount == 0)
    }

    @Test("who awaits the first fetch gets an error when the entry is reset, and the entry none")
    func resetWhilePending() {
        let query = server.query(["a"]) { $0.retry = .times(3) }
        let fetch = bench.fetch(query)
        bench.client.reset()
        server.failAll()
        bench.advance(.seconds(60))
        #expect((fetch.error as? QueryError)?.code == .cancelled)
        let state = bench.client.state(of: query)
        #expect(state?.status == .pending)
        #expect(state?.fetchStatus == .idle)
        #expect(state?.error == nil)
        #expect(server.count == 1)
    }

    @Test("nothing comes of cancelling what has failed")
    func cancelAfterError() {
        let query = server.query(["a"])
        bench.fetch(query)
        server.failAll(TestError(name: "own"))
        bench.settle()
        bench.client.cancel()
        #expect(bench.client.state(of: query)?.error as? TestError == TestError(name: "own"))
    }

    @Test("a cancelled fetch is not tried again, however many retries were left")
    func cancelEndsRetries() {
        let fetch = bench.fetch(server.query(["a"]) { $0.retry = .times(3, delay: .fixed(.seconds(1))) })
        bench.client.cancel()
        server.failAll()
        bench.advance(.seconds(60))
        #expect(server.count == 1)
        #expect((fetch.error as? QueryError)?.code == .cancelled)
    }

    @Test("everybody who waits for retries that paused gets the result", arguments: [true, false])
    func pausedRetries(_ isFocus: Bool) {
        let query = server.query(["a"]) { $0.retry = .times(3, delay: .fixed(.seconds(1))) }
        let fetches = [bench.fetch(query), bench.fetch(query)]
        let condition = isFocus ? bench.focus : bench.online
        condition.set(false)
        server.failAll()
        bench.advance(.seconds(60))
        #expect(server.count == 1)
        condition.set(true)
        bench.settle()
        server.failAll()
        bench.advance(.seconds(1))
        server.succeedAll(3)
        bench.settle()
        #expect(server.count == 3)
        #expect(fetches.map(\.value) == [3, 3])
    }

    @Test("a fetch whose last observer leaves gives who awaits it the data there was")
    func unobservedWithData() {
        let query = server.query(["a"]) { $0.cancelsWhenUnobserved = true }
        bench.client.setData(1, for: query)
        let observer = bench.observer(query)
        let fetch = bench.fetch(query)
        observer.stop()
        bench.settle()
        #expect(server.calls[0].isCancelled)
        #expect(fetch.value == 1)
        #expect(bench.client.state(of: query)?.status == .success)
    }

    @Test("an observer that comes right after a fetch was cancelled for want of one has a fetch of its own")
    func comesBackAfterCancel() {
        let query = server.query(["a"]) { $0.cancelsWhenUnobserved = true }
        let observer = bench.observer(query)
        let fetch = bench.fetch(query)
        observer.stop()
        observer.start()
        bench.settle()
        #expect((fetch.error as? QueryError)?.code == .cancelled)
        #expect(server.count == 2)
        #expect(observer.isLoading)
        server.succeedAll(5)
        bench.settle()
        #expect(observer.data == 5)
        #expect(observer.fetchStatus == .idle)
    }

    @Test("after invalidations and a cancelled fetch the next observer finds the old data, and fetches")
    func idleAfterCancel() {
        let query = server.query(["a"]) { $0.cancelsWhenUnobserved = true }
        let observer = bench.observer(query)
        server.succeedAll(1)
        bench.settle()
        bench.client.invalidate(query)
        bench.settle()
        bench.client.invalidate(query)
        bench.settle()
        observer.stop()
        bench.settle()
        #expect(bench.client.state(of: query)?.data == 1)
        #expect(bench.client.state(of: query)?.fetchStatus == .idle)
        let next = bench.observer(query)
        #expect(next.isRefetching)
        server.succeedAll(2)
        bench.settle()
        #expect(next.data == 2)
    }

    @Test("an invalidation of what is invalidated changes nothing")
    func invalidateTwice() {
        let query = Query<Int>(key: ["a"], options: QueryOptions { $0.staleTime = .infinite })
        bench.client.setData(1, for: query)
        let recorded = bench.record(bench.observer(query))
        bench.client.invalidate(refetch: .none)
        bench.settle()
        #expect(recorded.count == 2)
        bench.client.invalidate(refetch: .none)
        bench.settle()
        #expect(recorded.count == 2)
    }

    @Test("an invalidation of everything fetches neither what nobody ever got nor what is only set")
    func invalidateUntouched() {
        let observer = bench.observer(server.query(["a"]), isEnabled: false)
        observer.stop()
        bench.client.setData(1, for: Query<Int>(key: ["b"]))
        #expect(bench.client.invalidate(refetch: .all).count == 0)
        bench.settle()
        #expect(server.count == 0)
    }

    @Test(
        "a refetch takes what the filter says, in any combination",
        arguments: [
            (QueryFilter(activity: .active), 1), (QueryFilter(activity: .inactive), 2), (.all, 3),
            (QueryFilter(activity: .active, isStale: false), 1), (QueryFilter(activity: .active, isStale: true), 0),
            (QueryFilter(activity: .inactive, isStale: true), 1), (QueryFilter(isStale: false), 2),
        ]
    )
    func refetchFilter(_ filter: QueryFilter, _ expected: Int) {
        for key in [["observed"], ["idle"], ["invalidated"]] as [QueryKey] {
            bench.client.setData(1, for: server.query(key))
        }
        bench.observer(server.query(["observed"]) { $0.staleTime = .infinite })
        bench.client.invalidate(["invalidated"])
        #expect(bench.client.refetch(filter).count == expected)
        bench.settle()
        #expect(server.count == expected)
    }

    @Test("a refetch needs one enabled observer of several")
    func refetchMixed() {
        let query = server.query(["a"]) { $0.refetchOnMount = .never }
        bench.client.setData(1, for: query)
        bench.observer(query, isEnabled: false)
        bench.client.refetch()
        bench.settle()
        #expect(server.count == 0)
        bench.observer(query)
        bench.client.refetch()
        bench.settle()
        #expect(server.count == 1)
    }

    @Test("a refetch that needs no network is made offline, and waited for")
    func refetchOffline() {
        let query = server.query(["a"]) { $0.networkMode = .always }
        bench.client.setData(1, for: query)
        bench.online.set(false)
        #expect(bench.client.refetch().count == 1)
        bench.settle()
        #expect(server.count == 1)
    }

    @Test(
        "what needs no network is not fetched for its return, unless it is asked for",
        arguments: [(nil, 1), (RefetchTrigger.ifStale, 2), (.never, 1)]
    )
    func reconnect(_ trigger: RefetchTrigger?, _ expected: Int) {
        let query = server.query(["a"]) {
            $0.networkMode = .always
            $0.refetchOnReconnect = trigger
        }
        bench.observer(query)
        server.succeedAll(1)
        bench.settle()
        bench.online.set(false)
        bench.online.set(true)
        bench.settle()
        #expect(server.count == expected)
    }

    @Test("an entry that is kept for no time still answers who fetched it")
    func noRetention() {
        bench.run()
        let query = server.query(["a"]) { $0.gcTime = .seconds(0) }
        let fetch = bench.fetch(query)
        server.succeedAll(1)
        bench.settle()
        #expect(fetch.value == 1)
        bench.advance(.milliseconds(1))
        #expect(bench.client.entries().isEmpty)
    }

    @Test("an interval ends with the entry")
    func noRetentionInterval() {
        bench.run()
        let query = server.query(["a"]) {
            $0.gcTime = .seconds(0)
            $0.refetchInterval = .every(.seconds(10))
        }
        let observer = bench.observer(query)
        server.succeedAll(1)
        bench.advance(.seconds(10))
        server.succeedAll(1)
        bench.settle()
        observer.stop()
        bench.advance(.seconds(10))
        #expect(server.count == 2)
        #expect(bench.client.entries().isEmpty)
    }

    @Test(
        "focus renews what could not be renewed before, unless it is static",
        arguments: [StaleTime.static, .seconds(1000)]
    )
    func focusAfterError(_ staleTime: StaleTime) {
        let query = server.query(["a"]) {
            $0.staleTime = staleTime
            $0.retry = .never
        }
        let observer = bench.observer(query)
        server.succeedAll(1)
        bench.settle()
        bench.begin { await observer.refetch() }
        server.failAll()
        bench.settle()
        #expect(observer.isRefetchError)
        bench.focus.set(false)
        bench.focus.set(true)
        bench.settle()
        #expect(server.count == (staleTime == .static ? 2 : 3))
    }

    @Test("data of a type is found, whatever the other entries hold")
    func dataMatching() {
        for number in 1...3 { bench.client.setData(number, for: Query<Int>(key: ["n", .integer(number)])) }
        bench.client.setData("text", for: Query<String>(key: ["n", "text"]))
        bench.observer(server.query(["n", "pending"]))
        let found = bench.client.data(matching: ["n"], as: Int.self)
        #expect(found.map(\.value) == [1, 2, 3])
        #expect(found.map(\.key) == [["n", 1], ["n", 2], ["n", 3]])
        #expect(bench.client.data(matching: .exactly(["n"]), as: Int.self).isEmpty)
        _ = bench.client.optimisticUpdate(Query<Int>(key: ["n", 1])) { $0 = 10 }
        #expect(bench.client.data(matching: .matching { $0.hasOptimisticChanges }, as: Int.self).map(\.value) == [10])
    }

    @Test("defaults of a key are not those of a shorter one")
    func longerDefaults() {
        bench.client.setDefaults(QueryOptions { $0.staleTime = .static }, for: ["a", "b"])
        bench.client.setData(1, for: server.query(["a"]))
        bench.fetch(server.query(["a"]))
        #expect(server.count == 1)
    }
}
