import Testing

@testable import TidingsQuery

@Suite("What a layer above needs that hears events")
struct SyncSeamTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    private func detail(_ id: Int) -> Query<Int> {
        var query = server.query(["orders", "detail", .integer(id)]) { $0.staleTime = .infinite }
        query.version = { Int64($0) }
        return query
    }

    @Test("a detail whose base is at least as new as an event can be left alone, whatever is shown on top of it")
    func versions() {
        for (id, version) in [(1, 5), (2, 7), (3, 9)] { bench.client.setData(version, for: detail(id)) }
        _ = bench.client.optimisticUpdate(detail(1)) { $0 = 100 }
        bench.client.invalidate(
            QueryFilter(key: ["orders", "detail"]) { ($0.baseVersion ?? 0) < 7 },
            refetch: .none
        )
        #expect(bench.client.entries().map(\.isInvalidated) == [true, false, false])
    }

    @Test("the oldest position of some entries is known")
    func positions() {
        for (id, position) in [(1, "30"), (2, "10"), (3, "20")] {
            bench.fetch(
                Query<Int>(key: ["orders", .integer(id)]) { context in
                    context.record(position, as: "position")
                    return id
                }
            )
        }
        let oldest = bench.client.entries(["orders"]).compactMap { $0.metadata["position"].flatMap { Int($0) } }.min()
        #expect(oldest == 10)
    }

    @Test("a fetch that began before a subscription was confirmed repeats once; one that began after it does not")
    func firstLoad() {
        bench.observer(detail(1))
        let confirmed = bench.client.epoch
        bench.observer(detail(2))
        bench.client.invalidate(["orders"], asOf: confirmed)
        server.calls[0].succeed(1)
        server.calls[1].succeed(1)
        bench.settle()
        #expect(server.count == 3)
        #expect(bench.client.entries().map(\.isStale) == [true, false])
        server.calls[2].succeed(2)
        bench.settle()
        #expect(server.count == 3)
        #expect(bench.client.entries().map(\.isStale) == [false, false])
    }

    @Test("an event can mark without fetching, and what it marked is fetched later")
    func markOnly() {
        bench.client.setData(1, for: detail(1))
        let observer = bench.observer(detail(1))
        bench.client.invalidate(["orders"], refetch: .none)
        #expect(observer.isStale)
        #expect(server.count == 0)
        bench.client.refetch(QueryFilter(key: ["orders"], isStale: true))
        bench.settle()
        #expect(server.count == 1)
    }

    @Test("one pass marks many and tells each observer once")
    func onePass() {
        for id in 1...3 { bench.client.setData(id, for: detail(id)) }
        let recorded = (1...3).map { bench.record(bench.observer(detail($0))) }
        bench.client.batch {
            bench.client.invalidate(["orders", "detail", 1], refetch: .none)
            bench.client.invalidate(["orders", "detail"], refetch: .none)
        }
        bench.settle()
        #expect(recorded.map(\.count) == [2, 2, 2])
    }

    @Test("a mutation reads the version to send when it is sent, so that its user's quick changes fit together")
    func versionWhenSent() {
        let sent = Log<Int>()
        let query = detail(1)
        bench.client.setData(5, for: query)
        let mutation = Mutation<Int, Int> { [server] _, context in
            sent.add(context.client.baseData(of: query) ?? 0)
            return try await server.request()
        }
        .scoped { _ in "order 1" }
        .onSuccess { version, _, context in context.client.setData(version, for: query) }
        bench.client.start(mutation, 1)
        bench.client.start(mutation, 2)
        bench.settle()
        server.calls[0].succeed(6)
        bench.settle()
        #expect(sent.entries == [5, 6])
    }
}
