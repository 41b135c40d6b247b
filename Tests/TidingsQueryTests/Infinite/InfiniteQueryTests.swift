import Synchronization
import Testing

@testable import TidingsQuery

/// Numbers in pages of ten; each page's cursor is its first number.
private final class Feed: Sendable {
    struct Page: Hashable, Codable, Sendable {
        var first: Int
        var next: Int?
    }

    private let state = Mutex((end: 50, asked: [Int](), failing: Set<Int>()))

    var asked: [Int] { state.withLock(\.asked) }
    func setEnd(_ end: Int) { state.withLock { $0.end = end } }
    func setFailing(_ cursors: Set<Int>) { state.withLock { $0.failing = cursors } }
    func forget() { state.withLock { $0.asked = [] } }

    func page(_ cursor: Int) throws -> Page {
        try state.withLock { state in
            state.asked.append(cursor)
            if state.failing.contains(cursor) { throw TestError() }
            return Page(first: cursor, next: cursor + 10 < state.end ? cursor + 10 : nil)
        }
    }

    func query(
        mostPages: Int? = nil,
        initialPages: Int = 1,
        first: Int = 0,
        _ configure: (inout QueryOptions) -> Void = { _ in }
    ) -> InfiniteQuery<Page, Int> {
        InfiniteQuery(
            key: ["feed"],
            options: QueryOptions(configure),
            first: first,
            initialPages: initialPages,
            mostPages: mostPages
        ) { [self] cursor, _ in
            try page(#require(cursor))
        } next: { page, _ in
            page.next
        } previous: { page, _ in
            page.first > 0 ? page.first - 10 : nil
        }
    }
}

@Suite("Infinite queries")
struct InfiniteQueryTests {
    let bench = Bench()
    private let feed = Feed()

    private func observer(_ query: InfiniteQuery<Feed.Page, Int>) -> InfiniteQueryObserver<Feed.Page, Int> {
        let observer = InfiniteQueryObserver(query, in: bench.client)
        observer.start()
        bench.settle()
        return observer
    }

    private func next(_ observer: InfiniteQueryObserver<Feed.Page, Int>, times: Int = 1) {
        for _ in 0..<times { bench.begin { await observer.fetchNextPage() } }
    }

    @Test("begin with the first page")
    func first() {
        let observer = observer(feed.query())
        #expect(observer.pages.map(\.first) == [0])
        #expect(observer.data?.cursors == [0])
        #expect(observer.hasNextPage)
        #expect(!observer.hasPreviousPage)
    }

    @Test("go on with the next page")
    func goOn() {
        let observer = observer(feed.query())
        next(observer, times: 2)
        #expect(observer.pages.map(\.first) == [0, 10, 20])
        #expect(feed.asked == [0, 10, 20])
    }

    @Test("end where there is no next page")
    func end() {
        feed.setEnd(20)
        let observer = observer(feed.query())
        next(observer, times: 5)
        #expect(observer.pages.map(\.first) == [0, 10])
        #expect(!observer.hasNextPage)
        #expect(feed.asked == [0, 10])
        #expect(observer.isSuccess)
    }

    @Test("go back with the previous page")
    func goBack() {
        let observer = observer(feed.query(first: 20))
        #expect(observer.hasPreviousPage)
        bench.begin { await observer.fetchPreviousPage() }
        #expect(observer.pages.map(\.first) == [10, 20])
        #expect(observer.data?.cursors == [10, 20])
    }

    @Test("keep the most pages, and drop one at the other end")
    func mostPages() {
        let observer = observer(feed.query(mostPages: 2, first: 10))
        next(observer, times: 2)
        #expect(observer.pages.map(\.first) == [20, 30])
        bench.begin { await observer.fetchPreviousPage() }
        #expect(observer.pages.map(\.first) == [10, 20])
    }

    @Test("fetch several pages at first, if asked")
    func initialPages() {
        let observer = observer(feed.query(initialPages: 3))
        #expect(observer.pages.map(\.first) == [0, 10, 20])
    }

    @Test("fetch as many pages at first as there are")
    func initialPagesShort() {
        feed.setEnd(20)
        #expect(observer(feed.query(initialPages: 5)).pages.count == 2)
    }

    @Test("are refetched from the first page on, one after the other")
    func refetch() {
        let observer = observer(feed.query())
        next(observer, times: 2)
        feed.forget()
        bench.client.invalidate(["feed"])
        bench.settle()
        #expect(feed.asked == [0, 10, 20])
        #expect(observer.pages.count == 3)
    }

    @Test("become shorter when the list has")
    func shrinks() {
        let observer = observer(feed.query())
        next(observer, times: 3)
        feed.setEnd(20)
        bench.client.refetch()
        bench.settle()
        #expect(observer.pages.map(\.first) == [0, 10])
        #expect(observer.data?.cursors == [0, 10])
        #expect(!observer.hasNextPage)
    }

    @Test("are refetched from the first page that is kept")
    func refetchFromKept() {
        let observer = observer(feed.query(mostPages: 2))
        next(observer, times: 2)
        feed.forget()
        bench.client.refetch()
        bench.settle()
        #expect(feed.asked == [10, 20])
    }

    @Test("retry the page that failed, not those before it")
    func retryPage() {
        let observer = observer(feed.query { $0.retry = .times(3, delay: .fixed(.seconds(1))) })
        next(observer, times: 2)
        feed.forget()
        feed.setFailing([10])
        bench.client.refetch()
        bench.settle()
        #expect(feed.asked == [0, 10])
        feed.setFailing([])
        bench.advance(.seconds(1))
        #expect(feed.asked == [0, 10, 10, 20])
        #expect(observer.isSuccess)
    }

    @Test("keep what they have when the next page fails")
    func failingNext() {
        let observer = observer(feed.query { $0.retry = .never })
        feed.setFailing([10])
        next(observer)
        #expect(observer.isError)
        #expect(observer.pages.map(\.first) == [0])
        feed.setFailing([])
        next(observer)
        #expect(observer.pages.map(\.first) == [0, 10])
        #expect(observer.isSuccess)
    }

    @Test("an invalidation between the pages of a retry is not taken for known")
    func retryEpoch() {
        let observer = observer(feed.query { $0.staleTime = .infinite })
        next(observer)
        feed.setFailing([10])
        bench.client.refetch()
        bench.settle()
        bench.client.invalidate()
        feed.setFailing([])
        feed.forget()
        bench.advance(.seconds(1))
        #expect(feed.asked == [10, 0, 10])
        #expect(!observer.isStale)
    }

    @Test("say in which direction they fetch")
    func direction() {
        let server = FakeServer<Int>()
        let query = InfiniteQuery<Int, Int>(key: ["n"], first: 0) { _, _ in
            try await server.request()
        } next: {
            $0 + 1
        } previous: {
            $0 - 1
        }
        let observer = InfiniteQueryObserver(query, in: bench.client)
        observer.start()
        bench.settle()
        #expect(!observer.isFetchingNextPage)
        server.succeedAll(0)
        bench.settle()
        next(observer)
        #expect(observer.isFetchingNextPage)
        #expect(!observer.isFetchingPreviousPage)
        server.succeedAll(1)
        bench.settle()
        #expect(!observer.isFetchingNextPage)
        bench.begin { await observer.fetchPreviousPage() }
        #expect(observer.isFetchingPreviousPage)
    }

    // MARK: A page and the age of the list

    /// Each page is its cursor, and comes when the test says so.
    private func slow(_ server: FakeServer<Int>, _ configure: (inout QueryOptions) -> Void) -> InfiniteQuery<Int, Int> {
        var query = InfiniteQuery<Int, Int>(key: ["n"], first: 0) { _, context in
            context.record("\(server.count)", as: "position")
            return try await server.request()
        } next: {
            $0 + 1
        } previous: {
            $0 - 1
        }
        configure(&query.query.options)
        return query
    }

    private func answer(_ server: FakeServer<Int>, _ value: Int) {
        server.last?.succeed(value)
        bench.settle()
    }

    @Test("a further page does not make a list fresh that is out of date")
    func pageKeepsInvalidation() {
        let observer = observer(feed.query { $0.staleTime = .infinite })
        bench.client.invalidate(["feed"], refetch: .none)
        next(observer)
        #expect(observer.pages.map(\.first) == [0, 10])
        #expect(observer.isStale)
        #expect(bench.client.entries().first?.isInvalidated == true)
    }

    @Test("a further page leaves the list as old as it was, and what was kept beside it")
    func pageKeepsAge() {
        let server = FakeServer<Int>()
        let observer = InfiniteQueryObserver(slow(server) { $0.staleTime = .seconds(60) }, in: bench.client)
        observer.start()
        bench.settle()
        let event = bench.client.epoch
        answer(server, 0)
        bench.advance(.seconds(40))
        next(observer)
        #expect(bench.client.entries().first?.fetchEpoch == event)
        answer(server, 1)
        #expect(observer.data?.pages == [0, 1])
        #expect(observer.dataUpdatedAt == Bench.start)
        #expect(bench.client.metadata(of: ["n"])["position"] == "0")
        bench.client.invalidate(refetch: .none, asOf: event)
        #expect(observer.isStale)
    }

    @Test("a page that fails says nothing about the others")
    func failingPage() {
        let observer = observer(
            feed.query {
                $0.retry = .never
                $0.staleTime = .infinite
            }
        )
        feed.setFailing([10])
        next(observer)
        #expect(observer.isError)
        #expect(!observer.isStale)
    }

    @Test("a refetch that makes way for a page follows it, once, and ends the wait of those who await it")
    func pageDisplacesRefetch() {
        let server = FakeServer<Int>()
        let observer = InfiniteQueryObserver(slow(server) { $0.staleTime = .infinite }, in: bench.client)
        observer.start()
        bench.settle()
        answer(server, 0)
        let refetch = bench.begin { [client = bench.client] in await client.invalidate().finished() }
        #expect(server.count == 2)
        let page = bench.begin { await observer.fetchNextPage() }
        bench.settle()
        #expect(server.count == 3)
        #expect(server.calls[1].isCancelled)
        answer(server, 1)
        #expect(page.isOver)
        #expect(observer.data?.pages == [0, 1])
        #expect(observer.isStale)
        #expect(!refetch.isOver)
        #expect(server.count == 4)
        answer(server, 10)
        answer(server, 11)
        #expect(refetch.isOver)
        #expect(observer.data?.pages == [10, 11])
        #expect(!observer.isStale)
        #expect(server.count == 5)
    }

    @Test("an event during a page makes one refetch follow")
    func eventDuringPage() {
        let server = FakeServer<Int>()
        let observer = InfiniteQueryObserver(slow(server) { $0.staleTime = .infinite }, in: bench.client)
        observer.start()
        bench.settle()
        answer(server, 0)
        next(observer)
        bench.client.invalidate()
        bench.client.invalidate()
        answer(server, 1)
        #expect(observer.isStale)
        #expect(server.count == 3)
        answer(server, 10)
        answer(server, 11)
        #expect(!observer.isStale)
        #expect(server.count == 4)
    }

    @Test("data that is set during a page comes back with the refetch that follows", arguments: [true, false])
    func setDuringPage(_ isRestored: Bool) {
        let server = FakeServer<Int>()
        let query = slow(server) { $0.staleTime = .infinite }
        let observer = InfiniteQueryObserver(query, in: bench.client)
        observer.start()
        bench.settle()
        answer(server, 0)
        next(observer)
        if isRestored {
            let other = Bench()
            other.advance(.seconds(1))
            other.client.setData(InfiniteData(pages: [7], cursors: [0]), for: query.query)
            bench.client.hydrate(other.client.dehydrate())
        } else {
            bench.client.updateData(of: query.query) { $0.pages[0] = 7 }
        }
        #expect(observer.data?.pages == [7])
        answer(server, 1)
        #expect(observer.isStale)
        #expect(server.count == 3)
        answer(server, 7)
        answer(server, 8)
        #expect(observer.data?.pages == [7, 8])
        #expect(!observer.isStale)
        #expect(server.count == 4)
    }

    @Test("whoever wants the list during a page gets it after the page", arguments: ["focus", "fetch", "poll"])
    func listDuringPage(_ occasion: String) {
        let server = FakeServer<Int>()
        let query = slow(server) { $0.refetchInterval = occasion == "poll" ? .every(.seconds(10)) : nil }
        let observer = InfiniteQueryObserver(query, in: bench.client)
        observer.start()
        bench.settle()
        answer(server, 0)
        let page = bench.begin { await observer.fetchNextPage() }
        var list: Pending<InfiniteData<Int, Int>>?
        switch occasion {
        case "focus":
            bench.focus.set(false)
            bench.focus.set(true)
        case "fetch": list = bench.fetch(query.query)
        default:
            bench.advance(.seconds(10))
            _ = bench.client.epoch
        }
        #expect(server.count == 2)
        answer(server, 1)
        #expect(page.isOver)
        #expect(list?.isOver != true)
        #expect(server.count == 3)
        answer(server, 10)
        answer(server, 11)
        #expect(observer.data?.pages == [10, 11])
        #expect(list == nil || list?.value?.pages == [10, 11])
        #expect(server.count == 4)
    }

    @Test("a page that fails is followed by the refetch that waits for it", arguments: [true, false])
    func failingPageWithRefetch(_ isDisplaced: Bool) {
        let server = FakeServer<Int>()
        let query = slow(server) {
            $0.staleTime = .infinite
            $0.retry = .never
        }
        let observer = InfiniteQueryObserver(query, in: bench.client)
        observer.start()
        bench.settle()
        answer(server, 0)
        if !isDisplaced { next(observer) }
        let refetch = bench.begin { [client = bench.client] in await client.invalidate().finished() }
        if isDisplaced { next(observer) }
        let count = server.count
        server.last?.fail()
        bench.settle()
        #expect(!refetch.isOver)
        #expect(server.count == count + 1)
        answer(server, 5)
        #expect(refetch.isOver)
        #expect(observer.data?.pages == [5])
        #expect(!observer.isStale)
        #expect(server.count == count + 1)
    }

    private func next(_ observer: InfiniteQueryObserver<Int, Int>) {
        bench.begin { await observer.fetchNextPage() }
    }

    @Test("can be fetched without an observer")
    func imperative() {
        let (client, query) = (bench.client, feed.query(initialPages: 2))
        let pending = bench.begin { try await client.fetch(query) }
        #expect(pending.value?.pages.count == 2)
    }

    @Test("can be changed like any other data")
    func setData() {
        let observer = observer(feed.query { $0.staleTime = .infinite })
        next(observer)
        bench.client.updateData(of: feed.query().query) { $0.pages[0].first = -1 }
        #expect(observer.pages.map(\.first) == [-1, 10])
    }

    @Test("without data the next page is the first one")
    func nextWithoutData() {
        let observer = InfiniteQueryObserver(feed.query(), in: bench.client, isEnabled: false)
        observer.start()
        next(observer)
        #expect(observer.pages.map(\.first) == [0])
    }
}

extension InfiniteQuery {
    fileprivate init(
        key: QueryKey,
        first: Cursor,
        fetch: @escaping @Sendable (Cursor?, FetchContext) async throws -> Page,
        next: @escaping @Sendable (Page) -> Cursor?,
        previous: @escaping @Sendable (Page) -> Cursor?
    ) {
        self.init(
            key: key,
            first: first,
            fetch: fetch,
            next: { page, _ in next(page) },
            previous: { page, _ in previous(page) }
        )
    }
}
