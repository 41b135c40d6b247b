import Observation
import Testing

@testable import TidingsQuery

@Suite("Trying a mutation once more")
struct RetryFailedTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    private var mutation: Mutation<Int, Int> { Mutation { [server] _, _ in try await server.request() } }

    /// One that has failed.
    private func failed(_ mutation: Mutation<Int, Int>, _ input: Int = 0) -> MutationHandle<Int> {
        let handle = bench.client.start(mutation, input)
        bench.settle()
        server.failAll()
        bench.settle()
        return handle
    }

    private func retry(_ handle: MutationHandle<Int>) {
        bench.client.retry(handle.identifier)
        bench.settle()
    }

    @Test("is seen by whoever asked for it")
    func handle() throws {
        let handle = failed(mutation)
        #expect(throws: TestError.self) { try handle.result?.get() }
        retry(handle)
        #expect(handle.result == nil)
        let pending = bench.begin { try await handle.value() }
        #expect(!pending.isOver)
        server.succeedAll(5)
        bench.settle()
        #expect(pending.value == 5)
        #expect(try handle.result?.get() == 5)
    }

    @Test("is seen by who observes it")
    func observer() {
        let observer = MutationObserver(mutation, in: bench.client)
        observer.start(1)
        bench.settle()
        server.failAll()
        bench.settle()
        let told = Log<MutationStatus>()
        @Sendable func track() {
            withObservationTracking {
                _ = observer.status
            } onChange: {
                told.add(observer.status)
                track()
            }
        }
        track()
        observer.retry()
        bench.settle()
        #expect(observer.status == .sending)
        #expect(observer.error == nil)
        #expect(observer.input == 1)
        server.succeedAll(5)
        bench.settle()
        #expect(observer.output == 5)
        #expect(!told.entries.isEmpty)
    }

    @Test("waits for those of its scope that were asked for meanwhile")
    func scope() {
        let scoped = mutation.scoped { _ in "a" }
        let first = failed(scoped, 1)
        bench.client.start(scoped, 2)
        bench.client.start(scoped, 3)
        bench.settle()
        #expect(server.count == 2)
        retry(first)
        #expect(server.count == 2)
        for _ in 0..<2 {
            server.last?.succeed(0)
            bench.settle()
        }
        #expect(server.count == 4)
        #expect(bench.client.mutation(first.identifier)?.status == .sending)
        #expect(bench.client.mutations().last?.identifier == first.identifier)
    }

    @Test("makes its optimistic changes anew, and settles them")
    func optimistic() {
        let query = Query<Int>(key: ["a"])
        bench.client.setData(1, for: query)
        let handle = failed(mutation.onMutate { _, context in context.optimisticUpdate(query) { $0 = 2 } })
        #expect(bench.client.data(of: query) == 1)
        retry(handle)
        #expect(bench.client.data(of: query) == 2)
        server.succeedAll(0)
        bench.settle()
        #expect(bench.client.baseData(of: query) == 2)
    }

    @Test("a mutation that is given up while it is being stored does not stay in storage")
    func discardedWhileStored() {
        let storage = FakeServer<Int>()
        let persister = FakePersister()
        let bench = Bench { $0.persister = persister }
        bench.run()
        persister.change { $0.mutationDelay = { _ = try await storage.request() } }
        let handle = bench.client.start(Mutation<Int, Int>("a") { input, _ in input }, 1)
        bench.settle()
        #expect(storage.count == 1)
        handle.discard()
        bench.advance(.seconds(1))
        storage.succeedAll(0)
        bench.advance(.seconds(1))
        #expect(persister.read { $0.mutations.isEmpty })
    }
}
