import Observation
import Testing

@testable import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("Mutations")
struct MutationTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    private func mutation(
        _ name: String? = nil,
        _ configure: (inout MutationOptions) -> Void = { _ in }
    ) -> Mutation<Int, Int> {
        Mutation(name, options: MutationOptions(configure)) { [server] _, _ in try await server.request() }
    }

    @discardableResult
    private func mutate(_ mutation: Mutation<Int, Int>, _ input: Int = 0) -> Pending<Int> {
        bench.begin { [client = bench.client] in try await client.mutate(mutation, input) }
    }

    private var status: MutationStatus? { bench.client.mutations().last?.status }

    @Test("return what the server answered")
    func succeeds() {
        let pending = mutate(mutation())
        #expect(status == .sending)
        #expect(bench.client.isMutating() == 1)
        server.succeedAll(4)
        bench.settle()
        #expect(pending.value == 4)
        #expect(status == .confirmed)
        #expect(bench.client.isMutating() == 0)
    }

    @Test("throw what the server answered, and do not retry by themselves")
    func fails() {
        let pending = mutate(mutation())
        server.failAll(TestError(name: "x"))
        bench.advance(.seconds(100))
        #expect(pending.error as? TestError == TestError(name: "x"))
        #expect(status == .needsAttention)
        #expect(server.count == 1)
        #expect(bench.client.mutations()[0].failureCount == 1)
    }

    @Test("show what they will do before the call returns, in the order of the calls, and again when tried once more")
    func showing() {
        let client = bench.client
        client.setData(0, for: Query<Int>(key: ["number"]))
        let shown = Log<Int>()
        let adding = mutation().showing { input, context in
            shown.add(input)
            context.optimisticUpdate(Query<Int>(key: ["number"])) { $0 = $0 * 10 + input }
        }
        let first = client.start(adding, 1)
        #expect(client.data(of: Query<Int>(key: ["number"])) == 1)
        client.start(adding, 2)
        #expect(client.data(of: Query<Int>(key: ["number"])) == 12)
        bench.settle()
        server.calls[0].fail()
        bench.settle()
        #expect(client.data(of: Query<Int>(key: ["number"])) == 2)
        client.retry(first.identifier)
        #expect(client.data(of: Query<Int>(key: ["number"])) == 21)
        #expect(shown.entries == [1, 2, 1])
    }

    @Test("that are given up before they have begun never begin", arguments: [true, false])
    func givenUpAtOnce(_ isCleared: Bool) {
        let log = Log<Int>()
        let client = bench.client
        let mutation = mutation().onMutate { input, _ in log.add(input) }
        let handle = client.start(
            mutation,
            1,
            onChange: {
                if isCleared { return client.clear() }
                for mutation in client.mutations() { client.discard(mutation.identifier) }
            }
        )
        bench.settle()
        #expect(log.entries.isEmpty)
        #expect(server.count == 0)
        #expect(throws: QueryError.self) { _ = try handle.result?.get() }
    }

    @Test("call their functions in order, one after the other")
    func order() {
        let log = Log<String>()
        let mutation = Mutation<Int, Int> { input, _ in
            log.add("function \(input)")
            return input * 2
        }
        .onMutate { input, _ in
            log.add("onMutate \(input)")
            await Task.yield()
            log.add("after onMutate")
        }
        .onSuccess { output, input, _ in
            log.add("onSuccess \(output) \(input)")
            await Task.yield()
            log.add("after onSuccess")
        }
        .onError { _, _, _ in log.add("onError") }
        .onSettled { result, _, _ in log.add("onSettled \((try? result.get()) ?? -1)") }
        #expect(mutate(mutation, 3).value == 6)
        #expect(
            log.entries == [
                "onMutate 3", "after onMutate", "function 3", "onSuccess 6 3", "after onSuccess", "onSettled 6",
            ]
        )
    }

    @Test("call their functions in order when they fail")
    func orderOfFailure() {
        let log = Log<String>()
        let mutation = Mutation<Int, Int> { _, _ in throw TestError(name: "x") }
            .onMutate { _, _ in log.add("onMutate") }
            .onSuccess { _, _, _ in log.add("onSuccess") }
            .onError { error, _, _ in log.add("onError \((error as? TestError)?.name ?? "")") }
            .onSettled { result, _, _ in log.add("onSettled \((try? result.get()) == nil)") }
        mutate(mutation)
        #expect(log.entries == ["onMutate", "onError x", "onSettled true"])
    }

    @Test("an error of the first function goes straight to the end")
    func onMutateThrows() {
        let log = Log<String>()
        let mutation = mutation()
            .onMutate { _, _ in throw TestError(name: "early") }
            .onError { _, _, _ in log.add("onError") }
            .onSettled { _, _, _ in log.add("onSettled") }
        let pending = mutate(mutation)
        #expect(pending.error as? TestError == TestError(name: "early"))
        #expect(server.count == 0)
        #expect(log.entries == ["onError", "onSettled"])
    }

    @Test("an error of onSuccess is an error of the mutation")
    func onSuccessThrows() {
        let log = Log<String>()
        let mutation = mutation()
            .onSuccess { _, _, _ in throw TestError(name: "late") }
            .onError { _, _, _ in log.add("onError") }
        let pending = mutate(mutation)
        server.succeedAll(1)
        bench.settle()
        #expect(pending.error as? TestError == TestError(name: "late"))
        #expect(log.entries == ["onError"])
        #expect(status == .needsAttention)
    }

    @Test("an error of onError does not hide the mutation's own, and onSettled still follows")
    func onErrorThrows() {
        let log = Log<String>()
        let mutation = mutation()
            .onError { _, _, _ in throw TestError(name: "other") }
            .onSettled { _, _, _ in log.add("onSettled") }
        let pending = mutate(mutation)
        server.failAll(TestError(name: "own"))
        bench.settle()
        #expect(pending.error as? TestError == TestError(name: "own"))
        #expect(log.entries == ["onSettled"])
    }

    @Test("retry as they are told, and say until when they wait")
    func retries() {
        let pending = mutate(mutation { $0.retry = .times(2) })
        server.failAll()
        bench.settle()
        #expect(status == .waitingForRetry(until: Bench.start.addingTimeInterval(1)))
        bench.advance(.seconds(1))
        #expect(status == .sending)
        #expect(server.count == 2)
        server.failAll()
        bench.advance(.seconds(2))
        server.succeedAll(1)
        bench.settle()
        #expect(pending.value == 1)
        #expect(bench.client.mutations()[0].failureCount == 0)
    }

    @Test("do not retry what is permanent")
    func permanent() {
        let pending = mutate(mutation { $0.retry = .forever })
        server.failAll(PermanentError())
        bench.settle()
        #expect(pending.error is PermanentError)
    }

    @Test("a cancelled awaiter leaves the mutation alone")
    func cancelledAwaiter() {
        let pending = mutate(mutation())
        pending.cancel()
        bench.settle()
        #expect(pending.error is CancellationError)
        #expect(status == .sending)
        server.succeedAll(1)
        bench.settle()
        #expect(status == .confirmed)
    }

    // MARK: Offline

    @Test("wait offline, with their first function done")
    func offline() {
        bench.online.set(false)
        let log = Log<String>()
        let pending = mutate(mutation().onMutate { _, _ in log.add("onMutate") })
        #expect(log.entries == ["onMutate"])
        #expect(status == .queued)
        #expect(server.count == 0)
        bench.online.set(true)
        bench.settle()
        #expect(status == .sending)
        server.succeedAll(1)
        bench.settle()
        #expect(pending.value == 1)
        #expect(log.entries.count == 1)
    }

    @Test("are sent offline if they need no network")
    func always() {
        bench.online.set(false)
        mutate(mutation { $0.networkMode = .always })
        #expect(server.count == 1)
    }

    @Test("that wait go in the order in which they were asked for")
    func offlineOrder() {
        bench.online.set(false)
        let log = Log<Int>()
        let mutation = Mutation<Int, Int> { input, _ in
            log.add(input)
            return input
        }
        for number in 1...5 { mutate(mutation, number) }
        bench.online.set(true)
        bench.settle()
        #expect(log.entries == [1, 2, 3, 4, 5])
    }

    @Test("wait with a retry offline, and in the background")
    func retryOffline() {
        mutate(mutation { $0.retry = .forever })
        server.failAll()
        bench.settle()
        bench.online.set(false)
        bench.advance(.seconds(1))
        #expect(status == .queued)
        bench.focus.set(false)
        bench.online.set(true)
        bench.settle()
        #expect(server.count == 1)
        bench.focus.set(true)
        bench.settle()
        #expect(server.count == 2)
    }

    // MARK: Scopes

    private func scoped() -> Mutation<Int, Int> { mutation().scoped { _ in "orders" } }

    @Test("of one scope are sent one after the other")
    func scope() {
        mutate(scoped(), 1)
        mutate(scoped(), 2)
        let apart = mutate(mutation(), 3)
        #expect(server.count == 2)
        #expect(bench.client.mutations().map(\.status) == [.sending, .queued, .sending])
        server.calls[0].succeed(1)
        bench.settle()
        #expect(server.count == 3)
        server.succeedAll(9)
        bench.settle()
        #expect(apart.value == 9)
        #expect(bench.client.isMutating() == 0)
    }

    @Test("of one scope go on after a failure")
    func scopeFailure() {
        mutate(scoped(), 1)
        let second = mutate(scoped(), 2)
        server.failAll()
        bench.settle()
        server.calls[1].succeed(2)
        bench.settle()
        #expect(second.value == 2)
    }

    @Test("of one scope keep their order offline")
    func scopeOffline() {
        bench.online.set(false)
        let first = mutate(scoped(), 1)
        let second = mutate(scoped(), 2)
        bench.online.set(true)
        bench.settle()
        #expect(server.count == 1)
        server.calls[0].succeed(1)
        bench.settle()
        server.calls[1].succeed(2)
        bench.settle()
        #expect(first.value == 1)
        #expect(second.value == 2)
    }

    @Test("of one scope wait for a retry of the one before")
    func scopeRetry() {
        mutate(mutation { $0.retry = .forever }.scoped { _ in "orders" })
        mutate(scoped())
        server.failAll()
        bench.settle()
        #expect(server.count == 1)
        bench.advance(.seconds(1))
        #expect(server.count == 2)
    }

    @Test("have the scope that their input says")
    func scopeOfInput() {
        let mutation = mutation().scoped { "order \($0)" }
        mutate(mutation, 1)
        mutate(mutation, 2)
        mutate(mutation, 1)
        #expect(server.count == 2)
        #expect(bench.client.mutations().map(\.scope) == ["order 1", "order 2", "order 1"])
    }

    @Test("of one scope go on when one is discarded")
    func scopeDiscard() {
        mutate(scoped(), 1)
        mutate(scoped(), 2)
        bench.client.discard(bench.client.mutations()[0].identifier)
        bench.settle()
        #expect(server.count == 2)
    }

    // MARK: Afterwards

    @Test("can be discarded")
    func discard() {
        let handle = bench.client.start(mutation(), 1)
        let pending = bench.begin { try await handle.value() }
        handle.discard()
        bench.settle()
        #expect((pending.error as? QueryError)?.code == .discarded)
        #expect(bench.client.mutations().isEmpty)
        server.succeedAll(1)
        bench.settle()
        #expect(bench.client.mutations().isEmpty)
    }

    @Test("that failed can be tried once more, with the same key")
    func retryFailed() {
        let keys = Log<String>()
        let mutation = Mutation<Int, Int> { [server] _, context in
            keys.add(context.idempotencyKey)
            return try await server.request()
        }
        mutate(mutation)
        server.failAll()
        bench.settle()
        bench.client.retry(bench.client.mutations()[0].identifier)
        bench.settle()
        #expect(status == .sending)
        server.succeedAll(1)
        bench.settle()
        #expect(status == .confirmed)
        #expect(keys.entries.count == 2)
        #expect(Set(keys.entries).count == 1)
    }

    @Test("that are under way or confirmed are not tried once more")
    func retryOthers() {
        mutate(mutation())
        bench.client.retry(bench.client.mutations()[0].identifier)
        server.succeedAll(1)
        bench.settle()
        bench.client.retry(bench.client.mutations()[0].identifier)
        bench.settle()
        #expect(server.count == 1)
    }

    @Test("are forgotten after a while; those under way never")
    func collected() {
        bench.run()
        mutate(mutation { $0.gcTime = .seconds(10) })
        mutate(mutation())
        server.calls[0].succeed(1)
        bench.settle()
        bench.advance(.seconds(9))
        #expect(bench.client.mutations().count == 2)
        bench.advance(.seconds(1))
        #expect(bench.client.mutations().count == 1)
        bench.advance(.seconds(100_000))
        #expect(bench.client.mutations().count == 1)
    }

    @Test("have keys of their own")
    func keys() {
        for _ in 0..<20 { mutate(mutation()) }
        let mutations = bench.client.mutations()
        #expect(Set(mutations.map(\.identifier)).count == 20)
        #expect(Set(mutations.map(\.idempotencyKey)).count == 20)
    }

    @Test("are found by their name")
    func names() {
        mutate(mutation("a"))
        mutate(mutation("b"))
        mutate(mutation())
        #expect(bench.client.mutations(named: "a").count == 1)
        #expect(bench.client.isMutating(named: "b") == 1)
        #expect(bench.client.isMutating() == 3)
    }

    @Test("are cleared, and given up if they are under way")
    func clear() {
        let over = mutate(mutation())
        server.succeedAll(1)
        bench.settle()
        let pending = mutate(mutation())
        bench.client.clear()
        bench.settle()
        #expect(bench.client.mutations().isEmpty)
        #expect(over.value == 1)
        #expect((pending.error as? QueryError)?.code == .discarded)
    }

    // MARK: Optimistic changes

    @Test("show their changes at once, and confirm them")
    func optimistic() {
        let query = Query<[Int]>(key: ["list"])
        bench.client.setData([1, 2], for: query)
        let mutation = mutation().onMutate { input, context in
            context.optimisticUpdate(query) { if !$0.contains(input) { $0.append(input) } }
        }
        mutate(mutation, 3)
        #expect(bench.client.data(of: query) == [1, 2, 3])
        #expect(bench.client.baseData(of: query) == [1, 2])
        server.succeedAll(0)
        bench.settle()
        #expect(bench.client.data(of: query) == [1, 2, 3])
        #expect(bench.client.baseData(of: query) == [1, 2, 3])
    }

    @Test("take their changes back when they fail, and only theirs")
    func optimisticFailure() {
        let query = Query<[Int]>(key: ["list"])
        bench.client.setData([], for: query)
        let mutation = mutation().onMutate { input, context in
            context.optimisticUpdate(query) { if !$0.contains(input) { $0.append(input) } }
        }
        for input in 1...3 { mutate(mutation, input) }
        #expect(bench.client.data(of: query) == [1, 2, 3])
        server.calls[1].fail()
        bench.settle()
        #expect(bench.client.data(of: query) == [1, 3])
        server.succeedAll(0)
        bench.settle()
        #expect(bench.client.data(of: query) == [1, 3])
        #expect(bench.client.baseData(of: query) == [1, 3])
    }

    @Test("keep their changes while they wait for a retry, and for the network")
    func optimisticRetry() {
        let query = Query<Int>(key: ["a"])
        bench.client.setData(1, for: query)
        mutate(
            mutation { $0.retry = .forever }.onMutate { _, context in context.optimisticUpdate(query) { $0 = 2 } }
        )
        server.failAll()
        bench.settle()
        bench.online.set(false)
        bench.advance(.seconds(1))
        #expect(bench.client.data(of: query) == 2)
        bench.client.discard(bench.client.mutations()[0].identifier)
        #expect(bench.client.data(of: query) == 1)
    }

    @Test("change many entries at once, and take all of it back")
    func optimisticMatching() {
        for number in 1...3 { bench.client.setData([1, 2, 3], for: Query<[Int]>(key: ["list", .integer(number)])) }
        bench.client.setData(0, for: Query<Int>(key: ["list", "count"]))
        let mutation = mutation().onMutate { input, context in
            context.optimisticUpdate(matching: ["list"], as: [Int].self) { $0.removeAll { $0 == input } }
        }
        mutate(mutation, 2)
        let lists = { (1...3).map { bench.client.data(of: Query<[Int]>(key: ["list", .integer($0)])) } }
        #expect(lists() == Array(repeating: [1, 3], count: 3))
        server.failAll()
        bench.settle()
        #expect(lists() == Array(repeating: [1, 2, 3], count: 3))
    }

    // MARK: Observing

    @Test("show how the latest one goes")
    func observer() {
        let observer = MutationObserver(mutation(), in: bench.client)
        #expect(observer.status == .idle)
        #expect(observer.info == nil)
        observer.start(7)
        bench.settle()
        #expect(observer.status == .sending)
        #expect(observer.input == 7)
        server.succeedAll(8)
        bench.settle()
        #expect(observer.status == .confirmed)
        #expect(observer.output == 8)
        #expect(observer.error == nil)
        observer.start(9)
        bench.settle()
        #expect(observer.output == nil)
        server.failAll()
        bench.settle()
        #expect(observer.error is TestError)
        observer.reset()
        #expect(observer.status == .idle)
        #expect(observer.error == nil)
    }

    @Test("tell Observation")
    func observation() {
        let observer = MutationObserver(mutation(), in: bench.client)
        observer.start(1)
        bench.settle()
        let log = Log<Int>()
        withObservationTracking {
            _ = observer.output
        } onChange: {
            log.add(1)
        }
        server.succeedAll(8)
        bench.settle()
        #expect(log.entries == [1])
        #expect(observer.output == 8)
    }

    @Test("stay visible when the client has forgotten them")
    func observerOutlives() {
        bench.run()
        let observer = MutationObserver(mutation(), in: bench.client)
        observer.start(1)
        bench.settle()
        server.succeedAll(8)
        bench.settle()
        #expect(observer.status == .confirmed)
        bench.advance(.seconds(1000))
        #expect(bench.client.mutations().isEmpty)
        #expect(observer.status == .confirmed)
        #expect(observer.output == 8)
    }

    @Test("return to who asks through an observer")
    func observerMutate() {
        let observer = MutationObserver(mutation(), in: bench.client)
        let pending = bench.begin { try await observer.mutate(1) }
        server.succeedAll(8)
        bench.settle()
        #expect(pending.value == 8)
    }
}
