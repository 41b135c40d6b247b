import Testing

@testable import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Something happens whenever one is decoded.
private struct Meddler: Codable, Sendable {
    @TaskLocal static var change: (@Sendable () -> Void)?
    let value: Int

    init(from decoder: any Decoder) throws {
        value = try decoder.singleValueContainer().decode(Int.self)
        Self.change?()
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

@Suite("Keeping entries")
struct PersistenceTests {
    let persister = FakePersister()
    let server = FakeServer<Int>()
    let bench: Bench

    init() { bench = Bench { [persister] in $0.persister = persister } }

    private func query(_ key: QueryKey) -> Query<Int> { server.query(key) { $0.staleTime = .seconds(60) } }

    @Test("come back when somebody asks for them")
    func restores() {
        persister.put(["a"], "5")
        bench.run()
        #expect(bench.client.entries().map(\.key) == [["a"]])
        #expect(bench.client.entries()[0].hasData)
        #expect(bench.client.data(of: query(["a"])) == 5)
        #expect(bench.client.state(of: query(["a"]))?.isStale == false)
        #expect(bench.fetch(query(["a"])).value == 5)
        #expect(server.count == 0)
    }

    @Test("what is on screen comes first")
    func observedFirst() {
        for name in ["a", "b", "c"] as [QueryKey.Segment] { persister.put([name], "1") }
        bench.observer(query(["b"]))
        bench.run()
        #expect(persister.read(\.loads) == [[#"["b"]"#], [#"["a"]"#, #"["c"]"#]])
    }

    @Test("observers wait with their fetches until it is known what was stored")
    func waits() {
        let storage = FakeServer<Int>()
        persister.put(["fresh"], "5")
        persister.change { $0.delay = { _ = try await storage.request() } }
        let fresh = bench.observer(query(["fresh"]))
        let missing = bench.observer(query(["missing"]))
        #expect(server.count == 0)
        #expect(fresh.isPending)
        persister.change { $0.delay = nil }
        storage.succeedAll(0)
        bench.run()
        #expect(fresh.data == 5)
        #expect(server.count == 1)
        #expect(missing.isLoading)
    }

    @Test("what is stale is shown and fetched")
    func stale() {
        persister.put(["a"], "5", updatedAt: Bench.start.addingTimeInterval(-60))
        let observer = bench.observer(query(["a"]))
        bench.run()
        #expect(observer.data == 5)
        #expect(observer.isRefetching)
    }

    @Test("what was invalidated is still so")
    func invalidated() {
        persister.put(["a"], "5", isInvalidated: true)
        bench.run()
        #expect(bench.client.entries()[0].isInvalidated)
        #expect(bench.client.state(of: query(["a"]))?.isStale == true)
    }

    @Test("what nobody has asked for yet can be invalidated")
    func invalidateDormant() {
        persister.put(["a"], "5")
        bench.run()
        bench.client.invalidate(["a"])
        #expect(bench.client.state(of: query(["a"]))?.isStale == true)
        #expect(bench.client.data(of: query(["a"])) == 5)
    }

    @Test("the newer one wins", arguments: [-10, 10])
    func newer(_ seconds: Int) {
        persister.put(["a"], "5", updatedAt: Bench.start.addingTimeInterval(-20))
        let updatedAt = Bench.start.addingTimeInterval(-20 - Double(seconds))
        bench.client.setData(7, for: query(["a"]), updatedAt: updatedAt)
        bench.run()
        #expect(bench.client.data(of: query(["a"])) == (seconds > 0 ? 5 : 7))
    }

    @Test("what is removed or marked while it is decoded stays so", arguments: [true, false])
    func changedWhileDecoded(_ isRemoved: Bool) {
        persister.put(["a"], "5")
        let change: @Sendable () -> Void = { [client = bench.client] in
            if isRemoved { client.remove() } else { client.invalidate() }
        }
        let observer = Meddler.$change.withValue(change) { bench.observer(Query<Meddler>(key: ["a"])) }
        #expect(observer.data?.value == (isRemoved ? nil : 5))
        #expect(bench.client.entries()[0].isInvalidated == !isRemoved)
    }

    @Test("no occasion fetches before it is known what was stored", arguments: ["focus", "reconnect", "poll"])
    func occasions(_ occasion: String) {
        let storage = FakeServer<Int>()
        persister.put(["a"], "5")
        persister.change { $0.delay = { _ = try await storage.request() } }
        let observer = bench.observer(query(["a"]).with { $0.refetchInterval = .every(.seconds(10)) })
        switch occasion {
        case "focus":
            bench.focus.set(false)
            bench.focus.set(true)
        case "reconnect":
            bench.online.set(false)
            bench.online.set(true)
        default:
            bench.advance(.seconds(10))
            _ = bench.client.epoch
        }
        bench.settle()
        #expect(server.count == 0)
        persister.change { $0.delay = nil }
        storage.succeedAll(0)
        bench.settle()
        #expect(observer.data == 5)
        #expect(server.count == 0)
    }

    @Test("an occasion that came before is remembered")
    func rememberedOccasion() {
        let storage = FakeServer<Int>()
        persister.put(["a"], "5", isInvalidated: true)
        persister.change { $0.delay = { _ = try await storage.request() } }
        bench.observer(query(["a"]).with { $0.refetchOnMount = .never })
        bench.focus.set(false)
        bench.focus.set(true)
        persister.change { $0.delay = nil }
        storage.succeedAll(0)
        bench.settle()
        #expect(server.count == 1)
    }

    @Test("what is from the future is dropped, and makes way in storage")
    func future() {
        persister.put(["a"], "5", updatedAt: Bench.start.addingTimeInterval(3600))
        bench.run()
        #expect(bench.client.entries().isEmpty)
        bench.client.setData(7, for: query(["a"]))
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == "7")
    }

    @Test("what is set as older takes the place of what is stored", arguments: [true, false])
    func setAsOlder(_ isForgotten: Bool) {
        bench.run()
        bench.client.setData(5, for: query(["a"]).with { $0.gcTime = .seconds(1) })
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == "5")
        if isForgotten { bench.advance(.seconds(600)) }
        bench.client.setData(6, for: query(["a"]), updatedAt: Bench.start.addingTimeInterval(-10))
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == "6")
    }

    @Test("what could not be renewed comes back as out of date")
    func notRenewed() {
        bench.run()
        bench.client.setData(5, for: query(["a"]))
        bench.advance(.seconds(1))
        bench.client.refetch()
        bench.settle()
        server.failAll()
        bench.advance(.seconds(8))
        server.failAll()
        bench.advance(.seconds(8))
        server.failAll()
        bench.advance(.seconds(8))
        server.failAll()
        bench.advance(.seconds(8))
        #expect(bench.client.entries()[0].isInvalidated)
        #expect(persister.read { $0.entries[["a"]]?.isInvalidated } == true)
    }

    @Test("what happens again and again before anything is loaded is remembered once")
    func missedOnce() {
        persister.put(["a"], "5")
        for _ in 0..<1_000 { bench.client.invalidate(["a"]) }
        #expect(bench.client.withCache(\.missedByStorage.count) < 100)
        bench.run()
        #expect(bench.client.entries()[0].isInvalidated)
    }

    @Test("thousands come back where the client's tasks run, and those that nobody observes stay encoded")
    func thousands() {
        for number in 0..<5_000 { persister.put(["n", .integer(number)], "5") }
        let decoded = Log<Int>()
        let observers = (0..<3).map { number in
            QueryObserver(Query<Meddler>(key: ["n", .integer(number)]), in: bench.client)
        }
        let note: @Sendable () -> Void = { decoded.add(1) }
        Meddler.$change.withValue(note) {
            for observer in observers { observer.start() }
        }
        // Nothing was done on the thread of whoever began to observe.
        #expect(persister.read(\.loads).isEmpty)
        #expect(decoded.entries.isEmpty)
        bench.settle()
        #expect(observers.map { $0.data?.value } == [5, 5, 5])
        #expect(bench.client.entries().count == 5_000)
        #expect(decoded.entries.count == 3)
    }

    @Test("what is too old stays away")
    func maxAge() {
        persister.put(["a"], "5", updatedAt: Bench.start.addingTimeInterval(-86_401))
        bench.run()
        #expect(bench.client.entries().isEmpty)
        #expect(persister.read { $0.scope?.oldest } == Bench.start.addingTimeInterval(-86_400))
    }

    @Test("what cannot be read is dropped and told of, the rest comes")
    func corrupt() {
        persister.put(["a"], "no number")
        persister.put(["b"], "5")
        persister.change { $0.corrupt = ["[\"x\"]"] }
        let events = bench.events()
        bench.run()
        #expect(bench.client.data(of: query(["a"])) == nil)
        #expect(bench.client.data(of: query(["b"])) == 5)
        bench.settle()
        let corrupt = events.elements.compactMap { event -> QueryKey? in
            guard case .corrupt(let key, _) = event else { return nil }
            return key
        }
        #expect(corrupt == [["x"], ["a"]])
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == nil)
    }

    @Test("changes are stored a little later, together")
    func writeBehind() {
        bench.run()
        bench.client.setData(1, for: query(["a"]))
        bench.client.setData(2, for: query(["a"]))
        bench.client.setData(3, for: query(["b"]))
        bench.advance(.milliseconds(999))
        #expect(persister.read(\.saves).isEmpty)
        bench.advance(.milliseconds(1))
        #expect(persister.read(\.saves) == [2])
        #expect(persister.stored(["a"]) == "2")
        bench.fetch(query(["c"]))
        server.succeedAll(9)
        bench.advance(.seconds(1))
        #expect(persister.stored(["c"]) == "9")
        #expect(persister.read(\.saves) == [2, 1])
    }

    @Test("the last changes are stored when the client ends")
    func lastChanges() {
        let run = bench.run()
        bench.client.setData(1, for: query(["a"]))
        bench.settle()
        run.cancel()
        bench.settle()
        #expect(persister.stored(["a"]) == "1")
    }

    @Test("what is removed goes from storage; what is merely forgotten stays")
    func removed() {
        bench.run()
        bench.client.setData(1, for: query(["a"]))
        bench.client.setData(1, for: query(["b"]))
        bench.advance(.seconds(1))
        bench.client.remove(["a"])
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == nil)
        bench.advance(.seconds(1000))
        #expect(bench.client.entries().isEmpty)
        #expect(persister.stored(["b"]) == "1")
    }

    @Test("what came back, was changed and is then asked for is stored as it is, and stays")
    func changedBeforeRead() {
        persister.put(["a"], "5")
        persister.put(["b"], "6")
        bench.run()
        bench.client.invalidate(["a"])
        bench.client.record("12-7", as: "position", for: ["b"])
        #expect(bench.client.data(of: query(["a"])) == 5)
        #expect(bench.client.data(of: query(["b"])) == 6)
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == "5")
        #expect(persister.read { $0.entries[["a"]]?.isInvalidated } == true)
        #expect(persister.stored(["b"]) == "6")
        #expect(persister.read { $0.entries[["b"]]?.metadata["position"] } == "12-7")
    }

    @Test("what leaves the cache before it was stored is stored all the same")
    func evictedBeforeStored() {
        let bench = Bench { [persister] in
            $0.persister = persister
            $0.bounds = CacheBounds(entries: 1)
        }
        bench.run()
        bench.client.setData(1, for: query(["a"]))
        bench.client.setData(2, for: query(["b"]))
        #expect(bench.client.entries().map(\.key) == [["b"]])
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == "1")
        #expect(persister.stored(["b"]) == "2")
    }

    @Test("what leaves the cache and comes back empty does not take away what is stored")
    func evictedAndInvalidated() {
        let bench = Bench { [persister] in
            $0.persister = persister
            $0.bounds = CacheBounds(entries: 1)
        }
        bench.run()
        bench.client.setData(1, for: query(["a"]))
        bench.client.setData(2, for: query(["b"]))
        bench.observer(query(["a"]))
        bench.client.invalidate(["a"])
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == "1")
    }

    @Test("what is removed while it is observed goes from storage, and what is set after it is stored")
    func removedObserved() {
        bench.run()
        bench.observer(query(["a"]), isEnabled: false)
        bench.client.setData(1, for: query(["a"]))
        bench.advance(.seconds(1))
        bench.client.remove(["a"])
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == nil)
        bench.client.remove(["a"])
        bench.client.setData(2, for: query(["a"]))
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == "2")
    }

    @Test("what is reset goes from storage")
    func reset() {
        bench.run()
        bench.client.setData(1, for: query(["a"]))
        bench.advance(.seconds(1))
        bench.client.reset(["a"])
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == nil)
    }

    @Test("what came back and is removed before it is asked for goes from storage")
    func removedDormant() {
        persister.put(["a"], "5")
        bench.run()
        bench.client.invalidate(["a"])
        bench.client.remove(["a"])
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == nil)
    }

    @Test("optimistic changes are not stored before they are confirmed")
    func optimistic() {
        bench.run()
        bench.client.setData(1, for: query(["a"]))
        let update = bench.client.optimisticUpdate(query(["a"])) { $0 = 2 }
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == "1")
        update.confirm()
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == "2")
    }

    @Test("a query may stay out of storage")
    func notPersisted() {
        bench.run()
        bench.client.setData(1, for: query(["a"]).with { $0.isPersisted = false })
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == nil)
    }

    @Test("storage that fails stops nothing")
    func broken() {
        persister.change { $0.isBroken = true }
        let observer = bench.observer(query(["a"]))
        bench.run()
        #expect(observer.isLoading)
        server.succeedAll(1)
        bench.advance(.seconds(1))
        #expect(observer.data == 1)
    }

    @Test("the last changes are stored also when the client ends while it stores others")
    func endsWhileSaving() {
        let storage = FakeServer<Int>()
        let run = bench.run()
        persister.change { $0.delay = { _ = try await storage.request() } }
        bench.client.setData(1, for: query(["a"]))
        bench.advance(.seconds(1))
        #expect(storage.count == 1)
        bench.client.setData(2, for: query(["b"]))
        run.cancel()
        storage.last?.succeed(0)
        bench.settle()
        #expect(storage.count == 2)
        #expect(!run.isOver)
        storage.last?.succeed(0)
        bench.settle()
        #expect(run.isOver)
        #expect(persister.stored(["a"]) == "1")
        #expect(persister.stored(["b"]) == "2")
    }

    @Test("the last changes are stored also when the client ends while it restores")
    func endsWhileRestoring() {
        let storage = FakeServer<Int>()
        persister.change { $0.delay = { _ = try await storage.request() } }
        let run = bench.run()
        bench.client.setData(1, for: query(["a"]))
        run.cancel()
        persister.change { $0.delay = nil }
        storage.last?.succeed(0)
        bench.settle()
        #expect(run.isOver)
        #expect(persister.stored(["a"]) == "1")
    }

    @Test("what could not be stored is stored when storage works again, as it was changed last")
    func brokenForAWhile() {
        persister.put(["c"], "3")
        bench.run()
        persister.change { $0.isBroken = true }
        bench.client.setData(1, for: query(["a"]))
        bench.client.setData(1, for: query(["b"]))
        bench.client.remove(["c"])
        bench.advance(.seconds(1))
        bench.client.setData(2, for: query(["b"]))
        // Asked again after twice the time, and then after twice that.
        bench.advance(.seconds(2))
        persister.change { $0.isBroken = false }
        bench.advance(.seconds(3))
        #expect(persister.read(\.saves).isEmpty)
        bench.advance(.seconds(1))
        #expect(persister.read(\.saves) == [3])
        #expect(persister.stored(["a"]) == "1")
        #expect(persister.stored(["b"]) == "2")
        #expect(persister.stored(["c"]) == nil)
        // And then as quickly as ever.
        bench.client.setData(3, for: query(["a"]))
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == "3")
    }

    // MARK: Mutations

    @Test("one that could not be taken out of storage is taken out later", arguments: [true, false])
    func forgottenLater(_ isDiscarded: Bool) throws {
        bench.run()
        let identifier = bench.client.start(mutation(Log()), 3).identifier
        bench.settle()
        if isDiscarded {
            server.failAll()
            bench.settle()
        }
        persister.change { $0.isBroken = true }
        if isDiscarded { bench.client.discard(identifier) } else { server.succeedAll(1) }
        bench.advance(.seconds(1))
        #expect(persister.read { $0.mutations.count } == 1)
        persister.change { $0.isBroken = false }
        bench.advance(.seconds(4))
        #expect(persister.read { $0.mutations.isEmpty })
    }

    private func mutation(_ log: Log<String>) -> Mutation<Int, Int> {
        Mutation("double") { [server] input, context in
            log.add(context.idempotencyKey)
            return try await server.request()
        }
        .onMutate { input, context in
            context.optimisticUpdate(Query<Int>(key: ["a"])) { $0 = input }
        }
    }

    @Test("a mutation with a name is stored before it is sent, and forgotten when it is confirmed")
    func storesMutation() {
        bench.run()
        let keys = Log<String>()
        bench.client.start(mutation(keys), 3)
        bench.settle()
        #expect(persister.read { $0.mutations.map(\.name) } == ["double"])
        #expect(persister.read { $0.mutations.map(\.idempotencyKey) } == keys.entries)
        server.succeedAll(1)
        bench.settle()
        #expect(persister.read { $0.mutations.isEmpty })
    }

    @Test("one that was under way is sent by the next process, with the same key and its optimistic change")
    func resumes() {
        bench.online.set(false)
        bench.run()
        let keys = Log<String>()
        bench.client.setData(1, for: Query<Int>(key: ["a"]))
        bench.client.start(mutation(keys), 3)
        bench.advance(.seconds(1))
        #expect(persister.read { $0.mutations.count } == 1)

        let next = Bench { [persister] in $0.persister = persister }
        next.client.register(mutation(keys))
        next.run()
        #expect(next.client.data(of: Query<Int>(key: ["a"])) == 3)
        #expect(keys.entries == persister.read { $0.mutations.map(\.idempotencyKey) })
        server.succeedAll(1)
        next.settle()
        #expect(next.client.baseData(of: Query<Int>(key: ["a"])) == 3)
        #expect(persister.read { $0.mutations.isEmpty })
    }

    @Test("one whose definition is registered later waits for it")
    func registeredLater() {
        bench.online.set(false)
        bench.run()
        let keys = Log<String>()
        bench.client.start(mutation(keys), 3)
        bench.settle()
        let next = Bench { [persister] in $0.persister = persister }
        next.run()
        #expect(keys.entries.isEmpty)
        next.client.register(mutation(keys))
        next.settle()
        #expect(keys.entries.count == 1)
    }

    @Test("one that failed for good stays until somebody retries or discards it", arguments: [true, false])
    func needsAttention(_ isRetried: Bool) throws {
        bench.run()
        let keys = Log<String>()
        bench.client.start(mutation(keys), 3)
        bench.settle()
        server.failAll()
        bench.settle()
        #expect(persister.read { $0.mutations.first?.failure } != nil)

        let next = Bench { [persister] in $0.persister = persister }
        next.client.register(mutation(keys))
        next.run()
        let info = try #require(next.client.mutations().first)
        #expect(info.status == .needsAttention)
        #expect(keys.entries.count == 1)
        if isRetried {
            next.client.retry(info.identifier)
            next.settle()
            #expect(keys.entries.count == 2)
            #expect(Set(keys.entries).count == 1)
            server.succeedAll(1)
        } else {
            next.client.discard(info.identifier)
        }
        next.advance(.seconds(1))
        #expect(persister.read { $0.mutations.isEmpty })
    }

    @Test("one that cannot be read is told of")
    func unreadable() {
        persister.change { $0.corruptMutations = ["x"] }
        let events = bench.events()
        bench.run()
        let corrupt = events.elements.compactMap { event -> MutationIdentifier? in
            guard case .corruptMutation(let identifier, _) = event else { return nil }
            return identifier
        }
        #expect(corrupt == [MutationIdentifier("x")])
    }

    @Test("one without a name is not stored")
    func unnamed() {
        bench.run()
        bench.client.start(Mutation<Int, Int> { [server] _, _ in try await server.request() }, 1)
        bench.settle()
        #expect(persister.read { $0.mutations.isEmpty })
    }
}

@Suite("Hydration")
struct HydrationTests {
    let from = Bench()
    let to = Bench()
    let server = FakeServer<Int>()

    private func move(_ filter: QueryFilter = .all) throws {
        let data = try JSONEncoder().encode(from.client.dehydrate(filter))
        to.client.hydrate(try JSONDecoder().decode(DehydratedState.self, from: data))
    }

    @Test("carries data, its age and what was kept beside it")
    func carries() throws {
        from.client.setData(5, for: server.query(["a"]), updatedAt: Bench.start.addingTimeInterval(-30))
        from.client.record("12-7", as: "position", for: ["a"])
        try move()
        let state = to.client.state(of: server.query(["a"]))
        #expect(state?.data == 5)
        #expect(state?.dataUpdatedAt == Bench.start.addingTimeInterval(-30))
        #expect(state?.metadata["position"] == "12-7")
        #expect(state?.fetchStatus == .idle)
    }

    @Test("leaves out what failed, what is pending and what cannot be encoded")
    func leavesOut() throws {
        struct Opaque: Sendable {}
        from.client.setData(Opaque(), for: Query<Opaque>(key: ["opaque"]))
        from.fetch(server.query(["pending"]))
        let failing = Query<Int>(key: ["failed"]) { _ in throw TestError() }
        from.fetch(failing)
        from.client.setData(1, for: server.query(["good"]))
        try move()
        #expect(to.client.entries().map(\.key) == [["good"]])
    }

    @Test("carries what the filter finds")
    func filtered() throws {
        from.client.setData(1, for: server.query(["a"]))
        from.client.setData(1, for: server.query(["b"]))
        try move(["a"])
        #expect(to.client.entries().map(\.key) == [["a"]])
    }

    @Test("the newer value stays", arguments: [-10, 10])
    func newer(_ seconds: Int) throws {
        to.client.setData(7, for: server.query(["a"]))
        from.client.setData(5, for: server.query(["a"]), updatedAt: Bench.start.addingTimeInterval(Double(seconds)))
        try move()
        #expect(to.client.data(of: server.query(["a"])) == (seconds > 0 ? 5 : 7))
    }

    @Test("observers see what comes")
    func observers() throws {
        let observer = to.observer(server.query(["a"]), isEnabled: false)
        from.client.setData(5, for: server.query(["a"]))
        try move()
        #expect(observer.data == 5)
    }

    @Test("a fetch that runs goes on, and its result comes on top")
    func duringFetch() throws {
        let fetch = to.fetch(server.query(["a"]))
        from.client.setData(5, for: server.query(["a"]))
        try move()
        #expect(to.client.data(of: server.query(["a"])) == 5)
        server.succeedAll(6)
        to.settle()
        #expect(fetch.value == 6)
    }

    @Test("optimistic changes stay behind")
    func optimistic() throws {
        from.client.setData(1, for: server.query(["a"]))
        _ = from.client.optimisticUpdate(server.query(["a"])) { $0 = 2 }
        try move()
        #expect(to.client.data(of: server.query(["a"])) == 1)
    }

    @Test("mutations that wait go to the other client")
    func mutations() throws {
        from.online.set(false)
        let mutation = Mutation<Int, Int>("m") { [server] _, _ in try await server.request() }
        from.client.start(mutation, 1)
        from.settle()
        to.client.register(mutation)
        try move()
        to.settle()
        #expect(server.count == 1)
        #expect(to.client.mutations().map(\.idempotencyKey) == from.client.mutations().map(\.idempotencyKey))
    }
}
