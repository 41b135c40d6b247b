import Testing

@testable import TidingsQuery

@Suite("Nothing grows without bounds")
struct BoundsTests {
    let persister = FakePersister()

    // MARK: The client itself

    @Test("a client that nobody keeps ends, also after mutations, fetches and observers")
    func clientEnds() {
        let executor = ManualExecutor()
        weak var client: QueryClient?
        var handle: MutationHandle<Int>?
        do {
            let made = QueryClient(.init { $0.taskExecutor = executor })
            client = made
            let query = Query<Int>(key: ["a"]) { _ in 1 }
            let mutation = Mutation<Int, Int> { input, _ in input }
                .onMutate { _, context in context.optimisticUpdate(query) { $0 = 2 } }
            for _ in 0..<2 { made.start(mutation, 1) }
            let observer = QueryObserver(query, in: made)
            observer.start()
            executor.drain()
            #expect(observer.data == 1)
            observer.stop()
            handle = made.start(mutation, 1)
            executor.drain()
        }
        #expect(handle != nil)
        handle = nil
        #expect(client == nil)
    }

    @Test("who watches a client reads what is left and then the end, when the client has ended")
    func eventsEnd() {
        let executor = ManualExecutor()
        var client: QueryClient? = QueryClient(.init { $0.taskExecutor = executor })
        let events = client?.events()
        let recorded = Log<String>()
        let ends = Log<Int>()
        Task(executorPreference: executor) {
            if let events {
                for await event in events { recorded.add("\(event)") }
            }
            ends.add(1)
        }
        client?.setData(1, for: Query<Int>(key: ["a"]))
        executor.drain()
        #expect(recorded.entries.count == 2)
        client?.setData(1, for: Query<Int>(key: ["a"]))
        client = nil
        executor.drain()
        #expect(recorded.entries.count == 3)
        #expect(ends.entries == [1])
    }

    // MARK: What waits to be stored

    @Test("many changes are stored also if nobody gives the client time")
    func withoutRun() {
        let bench = Bench { [persister] in
            $0.persister = persister
            $0.bounds = CacheBounds(entries: 10)
        }
        for number in 0..<5_000 {
            bench.client.setData(number, for: Query<Int>(key: ["n", .integer(number)]))
            if number % 100 == 0 { bench.settle() }
        }
        bench.settle()
        #expect(persister.read { $0.entries.count } > 3_000)
        #expect(bench.client.withCache { $0.unsaved.count + $0.unstored.count } < 2_000)
    }

    @Test("storage that never works again is asked less and less, and what waits for it has an end")
    func brokenForGood() {
        let bench = Bench { [persister] in
            $0.persister = persister
            $0.bounds = CacheBounds(entries: 10)
        }
        persister.change { $0.isBroken = true }
        for number in 0..<30_000 {
            bench.client.setData(number, for: Query<Int>(key: ["n", .integer(number)]))
            if number % 100 == 0 { bench.settle() }
        }
        bench.settle()
        #expect(persister.read(\.attempts) < 20)
        #expect(bench.client.withCache { $0.unsaved.count + $0.unstored.count } < 25_000)
        // What is stored is not what was there last, so it has to go.
        persister.put(["n", 1], "0")
        persister.change { $0.isBroken = false }
        bench.begin { [client = bench.client] in await client.flush() }
        #expect(persister.stored(["n", 1]) == nil)
        #expect(persister.stored(["n", 29_999]) == "29999")
    }

    @Test("storage is asked for one thing after the other")
    func oneAtATime() {
        let storage = FakeServer<Int>()
        let bench = Bench { [persister] in $0.persister = persister }
        persister.change { $0.delay = { _ = try await storage.request() } }
        let restore = bench.begin { [client = bench.client] in await client.restore() }
        bench.client.setData(1, for: Query<Int>(key: ["a"]))
        let flushes = (0..<3).map { _ in bench.begin { [client = bench.client] in await client.flush() } }
        flushes[1].cancel()
        bench.settle()
        #expect(storage.count == 1)
        storage.succeedAll(0)
        bench.settle()
        #expect(restore.isOver)
        #expect(storage.count == 2)
        bench.client.setData(2, for: Query<Int>(key: ["a"]))
        storage.succeedAll(0)
        bench.settle()
        #expect(storage.count == 3)
        storage.succeedAll(0)
        bench.settle()
        #expect(flushes.allSatisfy { $0.isOver })
        #expect(storage.count == 3)
        #expect(persister.stored(["a"]) == "2")
    }

    @Test("what a flush by hand could not store is stored by who gives the client time")
    func failedFlush() {
        let bench = Bench { [persister] in $0.persister = persister }
        bench.run()
        bench.client.setData(1, for: Query<Int>(key: ["a"]))
        persister.change { $0.isBroken = true }
        bench.begin { [client = bench.client] in await client.flush() }
        persister.change { $0.isBroken = false }
        bench.advance(.seconds(2))
        #expect(persister.stored(["a"]) == "1")
    }
}
