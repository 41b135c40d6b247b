import Synchronization
import Testing

@testable import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("What holds for every mutation")
struct MutationBehaviourTests {
    let bench = Bench()

    /// Sends say their name when they begin, and wait for an answer.
    private struct Post: Sendable {
        let server = FakeServer<Int>()
        let log = Log<String>()

        var mutation: Mutation<String, Int> {
            Mutation { [server, log] input, _ in
                log.add(input)
                return try await server.request()
            }
        }
    }

    @Test("an error of onSettled is an error of the mutation, which onSettled is told of again")
    func onSettledThrows() {
        let log = Log<String>()
        let mutation = Mutation<Int, Int> { input, _ in input }
            .onSuccess { _, _, _ in log.add("onSuccess") }
            .onError { _, _, _ in log.add("onError") }
            .onSettled { result, _, _ in
                log.add((try? result.get()) == nil ? "settled badly" : "settled well")
                throw TestError(name: "settled")
            }
        let pending = bench.begin { [client = bench.client] in try await client.mutate(mutation, 1) }
        #expect(pending.error as? TestError == TestError(name: "settled"))
        #expect(log.entries == ["onSuccess", "settled well", "onError", "settled badly"])
        #expect(bench.client.mutations()[0].status == .needsAttention)
    }

    @Test("whatever else throws, the first error is the mutation's")
    func firstError() {
        let log = Log<String>()
        let mutation = Mutation<Int, Int> { input, _ in input }
            .onMutate { _, _ in throw TestError(name: "first") }
            .onError { _, _, _ in
                log.add("onError")
                throw TestError(name: "second")
            }
            .onSettled { _, _, _ in
                log.add("onSettled")
                throw TestError(name: "third")
            }
        let pending = bench.begin { [client = bench.client] in try await client.mutate(mutation, 1) }
        #expect(pending.error as? TestError == TestError(name: "first"))
        #expect(log.entries == ["onError", "onSettled"])
    }

    @Test(
        "without a scope they are sent side by side, also those that waited for the network",
        arguments: [true, false]
    )
    func sideBySide(_ isOnline: Bool) {
        let post = Post()
        bench.online.set(isOnline)
        for input in ["a", "b"] { bench.client.start(post.mutation, input) }
        bench.settle()
        bench.online.set(true)
        bench.settle()
        #expect(post.log.entries == ["a", "b"])
        post.server.calls[1].succeed(2)
        post.server.calls[0].succeed(1)
        bench.settle()
        #expect(bench.client.isMutating() == 0)
    }

    @Test("scopes do not wait for each other")
    func scopes() {
        let post = Post()
        let mutation = post.mutation.scoped { String($0.prefix(1)) }
        for input in ["a1", "a2", "b1", "b2"] { bench.client.start(mutation, input) }
        bench.settle()
        #expect(post.log.entries == ["a1", "b1"])
        post.server.calls[1].succeed(1)
        bench.settle()
        #expect(post.log.entries == ["a1", "b1", "b2"])
        post.server.calls[0].fail()
        bench.settle()
        #expect(post.log.entries == ["a1", "b1", "b2", "a2"])
    }

    @Test("offline again, they wait for the next time")
    func offlineAgain() {
        let post = Post()
        bench.online.set(false)
        bench.client.start(post.mutation, "a")
        bench.settle()
        bench.focus.set(false)
        bench.focus.set(true)
        bench.settle()
        #expect(post.log.entries.isEmpty)
        bench.online.set(true)
        bench.settle()
        #expect(post.log.entries == ["a"])
    }

    @Test("kept for no time, they come to their end all the same, and are gone then")
    func noRetention() {
        bench.run()
        let (server, log) = (FakeServer<Int>(), Log<Int>())
        let mutation = Mutation<Int, Int>(options: MutationOptions { $0.gcTime = .seconds(0) }) { _, _ in
            try await server.request()
        }
        .onSuccess { output, _, _ in log.add(output) }
        bench.client.start(mutation, 1)
        bench.advance(.seconds(60))
        #expect(bench.client.mutations().count == 1)
        server.succeedAll(7)
        bench.advance(.milliseconds(1))
        #expect(log.entries == [7])
        #expect(bench.client.mutations().isEmpty)
    }

    @Test("an input may be nothing")
    func noInput() {
        let log = Log<Int?>()
        bench.client.start(Mutation<Int?, Void> { input, _ in log.add(input) }, nil)
        bench.client.start(Mutation<Void, Void> { _, _ in log.add(1) }, ())
        bench.settle()
        #expect(log.entries == [nil, 1])
    }

    @Test("several observers of one mutation each show their own latest")
    func observers() {
        let post = Post()
        let (first, second) = (
            MutationObserver(post.mutation, in: bench.client), MutationObserver(post.mutation, in: bench.client)
        )
        first.start("a")
        second.start("b")
        bench.settle()
        post.server.calls[0].succeed(1)
        bench.settle()
        #expect(first.output == 1)
        #expect(second.status == .sending)
        first.reset()
        #expect(first.status == .idle)
        #expect(bench.client.mutations().count == 2)
    }
}

@Suite("What holds for every list in pages")
struct PagesBehaviourTests {
    let bench = Bench()
    private let server = FakeServer<Int>()
    private let asked = Log<Int>()

    /// A list whose pages are the numbers of their cursors.
    private func list(_ key: QueryKey = ["list"], end: Int = 100) -> InfiniteQuery<Int, Int> {
        InfiniteQuery(key: key, options: QueryOptions { $0.staleTime = .infinite }, first: 1) { [asked] cursor, _ in
            let number = try #require(cursor)
            asked.add(number)
            return number
        } next: { page, _ in
            page < end ? page + 1 : nil
        } previous: { page, _ in
            page > -100 ? page - 1 : nil
        }
    }

    @Test("the first page needs no cursor")
    func emptyCursor() {
        let query = InfiniteQuery<String, Int>(key: ["a"]) { cursor, _ in
            cursor.map { "page \($0)" } ?? "the first"
        } next: { page, _ in
            page == "the first" ? 2 : nil
        }
        let observer = InfiniteQueryObserver(query, in: bench.client)
        observer.start()
        bench.settle()
        #expect(observer.pages == ["the first"])
        #expect(observer.hasNextPage)
        bench.begin { await observer.fetchNextPage() }
        #expect(observer.pages == ["the first", "page 2"])
        #expect(observer.data?.cursors == [nil, 2])
        #expect(!observer.hasNextPage)
        bench.begin { await observer.observer.refetch() }
        #expect(observer.pages == ["the first", "page 2"])
    }

    @Test("functions of cursors see all pages and cursors, and are not called without any")
    func functions() {
        let seen = Log<[Int?]>()
        let query = InfiniteQuery<Int, Int>(key: ["a"], first: 5) { cursor, _ in
            try #require(cursor)
        } next: { page, data in
            seen.add(data.cursors)
            return page + 1
        }
        bench.client.setData(InfiniteData(), for: query.query)
        let observer = InfiniteQueryObserver(query, in: bench.client, isEnabled: false)
        observer.start()
        #expect(!observer.hasNextPage)
        #expect(!observer.hasPreviousPage)
        #expect(seen.entries.isEmpty)
        bench.begin { await observer.fetchNextPage() }
        bench.begin { await observer.fetchNextPage() }
        #expect(observer.pages == [5, 6])
        #expect(seen.entries == [[5]])
    }

    @Test("a refetch in the middle of which the entry is cancelled asks for no further pages and keeps those it had")
    func cancelled() {
        let pages = FakeServer<Int>()
        let query = InfiniteQuery<Int, Int>(key: ["a"], first: 1) { _, _ in
            try await pages.request()
        } next: { page, _ in
            page + 1
        }
        bench.client.setData(InfiniteData(pages: [1, 2, 3], cursors: [1, 2, 3]), for: query.query)
        bench.begin { [client = bench.client] in try await client.fetch(query) }
        #expect(pages.count == 1)
        bench.client.cancel()
        pages.succeedAll(100)
        bench.settle()
        #expect(pages.count == 1)
        #expect(bench.client.data(of: query.query)?.pages == [1, 2, 3])
        #expect(bench.client.state(of: query.query)?.status == .success)
    }

    @Test("both ends grow, and a refetch walks from the one to the other")
    func bothEnds() {
        let observer = InfiniteQueryObserver(list(), in: bench.client)
        observer.start()
        bench.settle()
        bench.begin { await observer.fetchPreviousPage() }
        bench.begin { await observer.fetchNextPage() }
        #expect(observer.pages == [0, 1, 2])
        bench.begin { await observer.observer.refetch() }
        #expect(asked.entries == [1, 0, 2, 0, 1, 2])
        #expect(observer.pages == [0, 1, 2])
    }

    @Test("can be selected from")
    func selected() {
        let observer = QueryObserver(list().query, in: bench.client) { $0.pages.map { "\($0)" } }
        observer.start()
        bench.settle()
        #expect(observer.data == ["1"])
    }

    @Test("move to another client with all their pages, and are refetched there")
    func moved() throws {
        let observer = InfiniteQueryObserver(list(), in: bench.client)
        observer.start()
        bench.settle()
        bench.begin { await observer.fetchNextPage() }
        let other = Bench()
        other.client.hydrate(bench.client.dehydrate())
        let moved = InfiniteQueryObserver(list(), in: other.client)
        moved.start()
        other.settle()
        #expect(moved.pages == [1, 2])
        #expect(asked.entries == [1, 2])
        other.begin { await moved.observer.refetch() }
        #expect(moved.pages == [1, 2])
        #expect(asked.entries == [1, 2, 1, 2])
    }
}

@Suite("What holds for everything that moves to another client")
struct MovingBehaviourTests {
    let from = Bench()
    let to = Bench()
    let server = FakeServer<Int>()

    private func move() { to.client.hydrate(from.client.dehydrate()) }

    @Test("it is as fresh as it was, so it is not asked for again before its time")
    func fresh() {
        let query = server.query(["a", ["deep": ["list": 1]]]) { $0.staleTime = .seconds(10) }
        from.client.setData(1, for: query)
        move()
        #expect(to.fetch(query).value == 1)
        to.observer(query)
        #expect(server.count == 0)
        to.advance(.seconds(10))
        to.fetch(query)
        #expect(server.count == 1)
    }

    @Test("it is idle there, though it was being fetched here")
    func idle() {
        let query = server.query(["a"])
        from.client.setData(1, for: query)
        from.fetch(query)
        move()
        #expect(to.client.entries().map(\.fetchStatus) == [.idle])
        #expect(to.client.state(of: query)?.data == 1)
    }

    @Test("a reset takes it back to nothing, whether somebody has asked for it or not", arguments: [true, false])
    func reset(_ isAskedFor: Bool) {
        let query = server.query(["a"])
        from.client.setData(1, for: query)
        move()
        if isAskedFor { #expect(to.client.data(of: query) == 1) }
        to.client.reset()
        #expect(to.client.data(of: query) == nil)
    }

    @Test("of two that came one after the other the newer one stays", arguments: [-10, 10])
    func twice(_ seconds: Int) {
        let query = server.query(["a"])
        from.client.setData(1, for: query)
        move()
        from.client.setData(2, for: query, updatedAt: Bench.start.addingTimeInterval(Double(seconds)))
        move()
        #expect(to.client.entries().count == 1)
        #expect(to.client.data(of: query) == (seconds > 0 ? 2 : 1))
    }

    @Test("a change by type takes nothing for what it is not")
    func byType() {
        from.client.setData([String](), for: Query<[String]>(key: ["list", "a"]))
        from.client.setData(5, for: Query<Int>(key: ["list", "b"]))
        move()
        to.client.updateData(matching: ["list"], as: [Int].self) { $0.append(1) }
        #expect(to.client.data(matching: ["list"], as: [Int].self).isEmpty)
        #expect(to.client.data(of: Query<[String]>(key: ["list", "a"])) == [])
        #expect(to.client.data(of: Query<Int>(key: ["list", "b"])) == 5)
    }

    @Test("nothing at all changes nothing")
    func nothing() {
        to.client.hydrate(DehydratedState())
        #expect(to.client.entries().isEmpty)
        #expect(to.client.mutations().isEmpty)
    }
}
