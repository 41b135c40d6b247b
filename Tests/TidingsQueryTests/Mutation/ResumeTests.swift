import Testing

@testable import TidingsQuery

@Suite("Coming back with mutations that waited")
struct ResumeTests {
    let bench = Bench()
    let server = FakeServer<Int>()
    let changes = FakeServer<Int>()

    private func mutation(
        _ configure: (inout MutationOptions) -> Void = { _ in }
    ) -> Mutation<Int, Int> {
        Mutation(options: MutationOptions(configure)) { [changes] _, _ in try await changes.request() }
    }

    private func start(_ mutation: Mutation<Int, Int>, _ input: Int = 0) {
        bench.client.start(mutation, input)
        bench.settle()
    }

    /// Observes a query that has data.
    private func observe(_ query: Query<Int>) {
        bench.observer(query)
        server.succeedAll(1)
        bench.settle()
    }

    private func set(_ condition: ManualMonitor, _ value: Bool) {
        condition.set(value)
        bench.settle()
    }

    @Test("a mutation may fetch what waits for it")
    func fetchInCallback() {
        bench.online.set(false)
        let query = server.query(["a"])
        bench.observer(query)
        let log = Log<Int>()
        start(mutation().onSuccess { _, _, context in log.add(try await context.client.fetch(query)) })
        set(bench.online, true)
        changes.succeedAll(1)
        bench.settle()
        #expect(server.count == 1)
        server.succeedAll(5)
        bench.settle()
        #expect(log.entries == [5])
        #expect(bench.client.isMutating() == 0)
    }

    @Test("one that fetches at its end keeps none of its scope waiting")
    func fetchWithScope() {
        bench.online.set(false)
        let query = server.query(["a"])
        bench.observer(query)
        let mutation = mutation().scoped { _ in "a" }.onSettled { _, _, context in
            _ = try? await context.client.fetch(query)
        }
        start(mutation, 1)
        start(mutation, 2)
        set(bench.online, true)
        for _ in 0..<3 {
            changes.succeedAll(1)
            bench.settle()
            server.succeedAll(5)
            bench.settle()
        }
        #expect(changes.count == 2)
        #expect(bench.client.isMutating() == 0)
        #expect(bench.client.isFetching() == 0)
    }

    @Test("only the first of a scope is waited for")
    func scope() {
        observe(server.query(["a"]))
        bench.online.set(false)
        for input in 1...2 { start(mutation().scoped { _ in "a" }, input) }
        set(bench.online, true)
        #expect(changes.count == 1)
        changes.calls[0].succeed(1)
        bench.settle()
        #expect(server.count == 2)
        #expect(changes.count == 2)
    }

    @Test("one that waits for a retry is not waited for", arguments: [true, false])
    func retry(_ isFocus: Bool) {
        observe(server.query(["a"]))
        bench.online.set(false)
        start(mutation { $0.retry = .forever })
        set(bench.online, true)
        #expect(server.count == 1)
        changes.failAll()
        bench.settle()
        #expect(server.count == 2)
        server.succeedAll(1)
        let condition = isFocus ? bench.focus : bench.online
        set(condition, false)
        set(condition, true)
        #expect(server.count == 3)
    }

    @Test("what comes while one is on its way does not wait for it")
    func later() {
        observe(server.query(["a"]) { $0.refetchOnReconnect = .never })
        bench.online.set(false)
        start(mutation())
        set(bench.online, true)
        set(bench.focus, false)
        set(bench.focus, true)
        #expect(server.count == 2)
        server.succeedAll(1)
        changes.succeedAll(1)
        bench.settle()
        #expect(server.count == 2)
    }

    @Test("what waits for one is fetched when that has come to something, whatever came meanwhile")
    func earlier() {
        observe(server.query(["a"]) { $0.refetchOnFocus = .never })
        bench.online.set(false)
        start(mutation())
        set(bench.online, true)
        set(bench.focus, false)
        set(bench.focus, true)
        #expect(server.count == 1)
        changes.succeedAll(1)
        bench.settle()
        #expect(server.count == 2)
    }

    @Test("a retry that needs no network goes on with focus, also offline")
    func focusOffline() {
        start(
            mutation {
                $0.networkMode = .always
                $0.retry = .forever
            }
        )
        bench.online.set(false)
        set(bench.focus, false)
        changes.failAll()
        bench.advance(.seconds(1))
        #expect(changes.count == 1)
        set(bench.focus, true)
        #expect(changes.count == 2)
    }

    @Test("a retry that tried without the network at first waits for it and for focus")
    func offlineFirst() {
        bench.online.set(false)
        start(
            mutation {
                $0.networkMode = .offlineFirst
                $0.retry = .forever
            }
        )
        #expect(changes.count == 1)
        set(bench.focus, false)
        changes.failAll()
        bench.advance(.seconds(1))
        set(bench.focus, true)
        #expect(changes.count == 1)
        set(bench.online, true)
        #expect(changes.count == 2)
    }

    @Test("a second time offline forgets none of the first")
    func twice() {
        observe(server.query(["a"]) { $0.refetchOnFocus = .never })
        for _ in 0..<2 {
            bench.online.set(false)
            start(mutation())
            set(bench.online, true)
        }
        for (number, call) in changes.calls.enumerated() {
            #expect(server.count == number + 1)
            call.succeed(1)
            bench.settle()
            server.succeedAll(1)
            bench.settle()
        }
        #expect(server.count == 3)
    }

    @Test("what is observed is fetched also if the one that was waited for has to wait again")
    func waitsAgain() {
        observe(server.query(["a"]) { $0.networkMode = .always })
        bench.online.set(false)
        start(mutation())
        // It was told to go on, and is offline again before it does.
        bench.online.set(true)
        bench.online.set(false)
        set(bench.focus, false)
        set(bench.focus, true)
        #expect(server.count == 2)
    }

    @Test("what is fetched afterwards need not be fetched again for a change that was confirmed")
    func confirmedBefore() {
        let query = server.query(["a"])
        observe(query)
        bench.online.set(false)
        start(mutation().onMutate { _, context in context.optimisticUpdate(query) { $0 = 7 } })
        set(bench.online, true)
        changes.succeedAll(1)
        bench.settle()
        server.succeedAll(7)
        bench.settle()
        #expect(server.count == 2)
        #expect(bench.client.data(of: query) == 7)
    }
}
