import Testing

@testable import TidingsQuery

@Suite("Optimistic changes")
struct OptimisticTests {
    let bench = Bench()
    let server = FakeServer<[Int]>()

    private var query: Query<[Int]> { server.query(["list"]) { $0.staleTime = .infinite } }

    private func put(_ number: Int) -> @Sendable (inout [Int]) -> Void {
        { if !$0.contains(number) { $0.append(number) } }
    }

    @Test("are shown at once, and known as such")
    func shown() {
        bench.client.setData([1], for: query)
        let observer = bench.observer(query)
        let update = bench.client.optimisticUpdate(query, put(2))
        #expect(observer.data == [1, 2])
        #expect(observer.hasOptimisticChanges)
        update.confirm()
        #expect(observer.data == [1, 2])
        #expect(!observer.hasOptimisticChanges)
    }

    @Test("wait for data to be done to")
    func withoutData() {
        let update = bench.client.optimisticUpdate(query, put(2))
        #expect(bench.client.data(of: query) == nil)
        #expect(bench.client.state(of: query)?.status == .pending)
        bench.client.setData([1], for: query)
        #expect(bench.client.data(of: query) == [1, 2])
        update.rollback()
        #expect(bench.client.data(of: query) == [1])
    }

    @Test("are done again to whatever the server answers")
    func replayed() {
        bench.client.setData([1], for: query)
        let update = bench.client.optimisticUpdate(query, put(2))
        bench.client.refetch()
        bench.settle()
        server.succeedAll([10, 20])
        bench.settle()
        #expect(bench.client.data(of: query) == [10, 20, 2])
        #expect(bench.client.baseData(of: query) == [10, 20])
        update.rollback()
        #expect(bench.client.data(of: query) == [10, 20])
    }

    @Test("stay on top of what is set")
    func onTopOfSet() {
        bench.client.setData([1], for: query)
        let update = bench.client.optimisticUpdate(query, put(2))
        bench.client.setData([5], for: query)
        #expect(bench.client.data(of: query) == [5, 2])
        bench.client.updateData(of: query) { $0.append(6) }
        #expect(bench.client.data(of: query) == [5, 6, 2])
        update.rollback()
        #expect(bench.client.data(of: query) == [5, 6])
    }

    @Test("one that fails leaves its neighbours", arguments: [0, 1, 2])
    func neighbours(_ failing: Int) {
        bench.client.setData([], for: query)
        let updates = (0..<3).map { bench.client.optimisticUpdate(query, put($0)) }
        updates[failing].rollback()
        #expect(bench.client.data(of: query) == [0, 1, 2].filter { $0 != failing })
        for update in updates { update.confirm() }
        #expect(bench.client.baseData(of: query) == [0, 1, 2].filter { $0 != failing })
    }

    @Test("may be confirmed in another order than they were made in")
    func order() {
        bench.client.setData([], for: query)
        let first = bench.client.optimisticUpdate(query, put(1))
        let second = bench.client.optimisticUpdate(query, put(2))
        second.confirm()
        #expect(bench.client.baseData(of: query) == [2])
        first.rollback()
        #expect(bench.client.data(of: query) == [2])
    }

    @Test("are settled once")
    func once() {
        bench.client.setData([1], for: query)
        let update = bench.client.optimisticUpdate(query, put(2))
        update.confirm()
        update.rollback()
        update.confirm()
        #expect(bench.client.data(of: query) == [1, 2])
    }

    @Test("may be confirmed as what the server made of them")
    func truth() {
        bench.client.setData([1], for: query)
        let update = bench.client.optimisticUpdate(query, put(0))
        update.confirm { $0.append(42) }
        #expect(bench.client.data(of: query) == [1, 42])
    }

    @Test("confirmed while a fetch runs do not disappear with its older answer, which is asked for anew")
    func confirmedDuringFetch() {
        bench.client.setData([1], for: query)
        let recorded = bench.record(bench.observer(query))
        let update = bench.client.optimisticUpdate(query, put(2))
        bench.client.refetch()
        bench.settle()
        update.confirm()
        // The server had read its answer before the change reached it.
        server.calls[0].succeed([1])
        bench.settle()
        #expect(bench.client.data(of: query) == [1, 2])
        #expect(server.count == 2)
        server.calls[1].succeed([1, 2, 3])
        bench.settle()
        #expect(bench.client.data(of: query) == [1, 2, 3])
        #expect(server.count == 2)
        let shown = recorded.elements.compactMap(\.data)
        #expect(shown.drop { !$0.contains(2) }.filter { !$0.contains(2) }.isEmpty)
    }

    @Test("confirmed before a fetch are known to it")
    func confirmedBeforeFetch() {
        bench.client.setData([1], for: query)
        bench.client.optimisticUpdate(query, put(2)).confirm()
        bench.observer(query)
        bench.client.refetch()
        bench.settle()
        server.succeedAll([7])
        bench.settle()
        #expect(bench.client.data(of: query) == [7])
        #expect(server.count == 1)
    }

    @Test("survive a fetch that is cancelled, and one that fails", arguments: [true, false])
    func survives(_ isCancelled: Bool) {
        bench.client.setData([1], for: query)
        let update = bench.client.optimisticUpdate(query, put(2))
        bench.fetch(query.with { $0.staleTime = .zero })
        let other = bench.client.optimisticUpdate(query, put(3))
        update.confirm()
        if isCancelled { bench.client.cancel() } else { server.failAll() }
        bench.settle()
        #expect(bench.client.data(of: query) == [1, 2, 3])
        #expect(bench.client.baseData(of: query) == [1, 2])
        other.rollback()
        #expect(bench.client.data(of: query) == [1, 2])
    }

    @Test("for an entry that was removed are nothing")
    func removed() {
        bench.client.setData([1], for: query)
        let update = bench.client.optimisticUpdate(query, put(2))
        bench.client.remove()
        update.confirm()
        #expect(bench.client.entries().isEmpty)
    }

    @Test("that are confirmed as they were shown tell nobody of new data")
    func invisible() {
        bench.client.setData([1], for: query)
        let update = bench.client.optimisticUpdate(query, put(2))
        let recorded = bench.record(bench.observer(query))
        update.confirm()
        bench.settle()
        #expect(recorded.elements.map(\.hasOptimisticChanges) == [true, false])
        #expect(Set(recorded.elements.map(\.dataStamp)).count == 1)
    }

    @Test("do not make data younger")
    func timestamps() {
        bench.client.setData([1], for: query)
        bench.advance(.seconds(10))
        bench.client.optimisticUpdate(query, put(2)).confirm()
        #expect(bench.client.state(of: query)?.dataUpdatedAt == Bench.start)
    }

    @Test("may use the client while they are done")
    func reentrant() {
        let client = bench.client
        let other = Query<Int>(key: ["other"])
        client.setData(5, for: other)
        client.setData([1], for: query)
        _ = client.optimisticUpdate(query) { $0.append(client.data(of: other) ?? 0) }
        #expect(client.data(of: query) == [1, 5])
    }
}
