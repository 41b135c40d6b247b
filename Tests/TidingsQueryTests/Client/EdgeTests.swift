import Testing

@testable import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("Where nothing can be fetched")
struct EdgeTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    // MARK: Nobody to ask

    @Test("what is only set is left as it is by who tries to fetch it")
    func onlySet() {
        let query = Query<Int>(key: ["a"])
        let observer = bench.observer(query)
        let missing = bench.fetch(query)
        #expect((missing.error as? QueryError)?.code == .noFetch)
        #expect(observer.isPending)
        #expect(observer.error == nil)
        bench.client.setData(1, for: query)
        #expect(bench.fetch(query).value == 1)
        bench.begin { await observer.refetch() }
        #expect(observer.isSuccess)
        #expect(observer.data == 1)
        bench.client.invalidate(query)
        #expect(bench.fetch(query).value == 1)
        #expect(observer.error == nil)
    }

    // MARK: Offline

    @Test("who fetches again offline is not kept waiting")
    func refetchOffline() {
        let query = server.query(["a"])
        let observer = bench.observer(query)
        server.succeedAll(1)
        bench.settle()
        bench.online.set(false)
        let refetch = bench.begin { await observer.refetch() }
        #expect(refetch.isOver)
        #expect(refetch.value?.isPaused == true)
        let pages = InfiniteQueryObserver(
            InfiniteQuery<Int, Int>(key: ["b"]) { _, _ in
                1
            } next: { _, _ in
                nil
            },
            in: bench.client
        )
        #expect(bench.begin { await pages.fetchNextPage() }.isOver)
        bench.online.set(true)
        bench.settle()
        #expect(server.count == 2)
    }

    @Test("who waits for a fetch that has to wait for the network waits no longer; who wants its value does")
    func offlineMeanwhile() {
        let query = server.query(["a"]) { $0.retry = .forever }
        let observer = bench.observer(query)
        let refetch = bench.begin { await observer.refetch() }
        let batch = bench.begin { [client = bench.client] in await client.refetch().finished() }
        let fetch = bench.fetch(query)
        server.failAll()
        bench.settle()
        #expect(!refetch.isOver)
        #expect(!batch.isOver)
        bench.online.set(false)
        bench.advance(.seconds(1))
        #expect(refetch.isOver)
        #expect(batch.isOver)
        #expect(!fetch.isOver)
        bench.online.set(true)
        bench.settle()
        let again = bench.begin { await observer.refetch(isRestarting: false) }
        #expect(!again.isOver)
        server.succeedAll(2)
        bench.settle()
        #expect(again.isOver)
        #expect(fetch.value == 2)
    }

    // MARK: The calendar

    @Test("a client's time begins when it is made, not when its configuration is")
    func startDate() throws {
        let configuration = QueryClient.Configuration()
        var before = Date()
        while before.timeIntervalSince(Date()) > -0.000_01 { continue }
        before = Date()
        let client = QueryClient(configuration)
        client.setData(1, for: Query<Int>(key: ["a"]))
        let updatedAt = try #require(client.entries().first?.dataUpdatedAt)
        // A date is a rounded number of seconds.
        #expect(updatedAt.timeIntervalSince(before) > -0.000_001)
    }
}
