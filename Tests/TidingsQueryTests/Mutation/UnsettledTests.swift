import Testing

@testable import TidingsQuery

@Suite("Optimistic changes, whatever becomes of their mutation and of their entry")
struct UnsettledTests {
    let bench = Bench()
    let server = FakeServer<Int>()
    let changes = FakeServer<Int>()
    let steps = FakeServer<Int>()
    let query = Query<Int>(key: ["a"])

    init() { bench.client.setData(1, for: query) }

    private var mutation: Mutation<Int, Int> { Mutation { [changes] _, _ in try await changes.request() } }

    @discardableResult
    private func start(_ mutation: Mutation<Int, Int>) -> MutationHandle<Int> {
        defer { bench.settle() }
        return bench.client.start(mutation, 0)
    }

    private var hasChanges: Bool { bench.client.entries().contains(where: \.hasOptimisticChanges) }

    // MARK: The mutation

    @Test("are not made any more by a first function that goes on after the mutation was given up")
    func discardedWhilePreparing() {
        let handle = start(
            mutation.onMutate { [steps, query] _, context in
                context.optimisticUpdate(query) { $0 = 2 }
                _ = try? await steps.request()
                context.optimisticUpdate(query) { $0 = 3 }
                context.optimisticUpdate(matching: ["a"], as: Int.self) { $0 = 4 }
            }
        )
        #expect(bench.client.data(of: query) == 2)
        let observer = bench.observer(query)
        let shown = bench.record(observer)
        handle.discard()
        #expect(bench.client.data(of: query) == 1)
        steps.succeedAll(0)
        bench.settle()
        #expect(shown.elements.map(\.data) == [2, 1])
        #expect(!hasChanges)
        #expect(changes.count == 0)
    }

    @Test("made by the last functions are confirmed with the mutation")
    func madeAtTheEnd() {
        start(
            mutation
                .onSuccess { [query] _, _, context in context.optimisticUpdate(query) { $0 += 10 } }
                .onSettled { [query] _, _, context in context.optimisticUpdate(query) { $0 += 100 } }
        )
        changes.succeedAll(0)
        bench.settle()
        #expect(!hasChanges)
        #expect(bench.client.baseData(of: query) == 111)
    }

    @Test("made by the last functions are taken back with the mutation")
    func madeAtTheFailedEnd() {
        start(
            mutation
                .onError { [query] _, _, context in context.optimisticUpdate(query) { $0 += 10 } }
                .onSettled { [query] _, _, context in context.optimisticUpdate(query) { $0 += 100 } }
        )
        changes.failAll()
        bench.settle()
        #expect(!hasChanges)
        #expect(bench.client.baseData(of: query) == 1)
    }

    @Test("made after the end are settled as the mutation was", arguments: [true, false])
    func madeAfterwards(_ isConfirmed: Bool) {
        let contexts = Log<MutationContext>()
        start(mutation.onMutate { _, context in contexts.add(context) })
        if isConfirmed { changes.succeedAll(0) } else { changes.failAll() }
        bench.settle()
        contexts.entries[0].optimisticUpdate(query) { $0 = 5 }
        #expect(!hasChanges)
        #expect(bench.client.data(of: query) == (isConfirmed ? 5 : 1))
    }

    // MARK: The entry

    @Test("stay when their entry is emptied, and show on what comes next", arguments: [true, false])
    func emptied(_ isReset: Bool) {
        let query = server.query(["b"])
        let observer = bench.observer(query)
        server.succeedAll(1)
        bench.settle()
        start(mutation.onMutate { _, context in context.optimisticUpdate(query) { $0 += 10 } })
        #expect(observer.data == 11)
        if isReset { bench.client.reset(["b"]) } else { bench.client.remove(["b"]) }
        #expect(observer.data == nil)
        bench.client.refetch(["b"])
        bench.settle()
        server.last?.succeed(2)
        bench.settle()
        #expect(observer.data == 12)
        changes.failAll()
        bench.settle()
        #expect(observer.data == 2)
        #expect(!hasChanges)
    }

    @Test("stay when their entry is reset to what it begins with, on top of that")
    func resetToInitial() {
        let query = server.query(["b"]) { $0.staleTime = .infinite }.initially(5)
        let observer = bench.observer(query)
        let update = bench.client.optimisticUpdate(query) { $0 += 10 }
        bench.client.setData(7, for: query)
        #expect(observer.data == 17)
        let shown = bench.record(observer)
        bench.client.reset(["b"])
        #expect(observer.data == 15)
        #expect(bench.client.baseData(of: query) == 5)
        bench.settle()
        update.rollback()
        bench.settle()
        #expect(shown.elements.map(\.data) == [17, 15, 5])
    }

    @Test("stay when an entry is removed that nobody observes, until they are settled", arguments: [true, false])
    func removedUnobserved(_ isConfirmed: Bool) {
        let update = bench.client.optimisticUpdate(query) { $0 += 10 }
        bench.client.remove(["a"])
        #expect(bench.client.data(of: query) == nil)
        bench.client.setData(2, for: query)
        #expect(bench.client.data(of: query) == 12)
        if isConfirmed { update.confirm() } else { update.rollback() }
        #expect(bench.client.data(of: query) == (isConfirmed ? 12 : 2))
        bench.client.remove(["a"])
        #expect(bench.client.entries().isEmpty)
    }
}
