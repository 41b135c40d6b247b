import Testing

@testable import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("What is only in storage")
struct SweepTests {
    let persister = FakePersister()
    let server = FakeServer<Int>()
    let bench: Bench

    init() { bench = Bench { [persister] in $0.persister = persister } }

    private func query(_ key: QueryKey) -> Query<Int> { server.query(key) { $0.staleTime = .seconds(60) } }

    private func isInvalidated(_ key: QueryKey) -> Bool? {
        persister.read { $0.entries[key]?.isInvalidated }
    }

    /// Stores entries and lets the cache forget them.
    private func storeAndForget(_ keys: QueryKey...) {
        bench.run()
        for key in keys { bench.client.setData(1, for: query(key)) }
        bench.advance(.seconds(1))
        bench.advance(.seconds(400))
        #expect(bench.client.entries().isEmpty)
        #expect(keys.allSatisfy { persister.stored($0) == "1" })
    }

    private func flush() { bench.begin { [client = bench.client] in await client.flush() } }

    // MARK: Forgotten by the cache

    @Test("is cleared too")
    func clear() {
        storeAndForget(["a"], ["b"])
        bench.client.clear()
        flush()
        #expect(persister.read { $0.entries.isEmpty })
    }

    @Test("is removed by its key, and so is what is below it; nothing else is")
    func remove() {
        storeAndForget(["a"], ["a", 1], ["a", ["x": 1, "y": 2]], ["ab"], ["b", "a"])
        bench.client.remove(["a", ["x": 1]])
        bench.advance(.seconds(1))
        #expect(persister.read { $0.entries.count } == 4)
        bench.client.remove(.exactly(["a"]))
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == nil)
        #expect(persister.stored(["a", 1]) == "1")
        bench.client.remove(["a"])
        bench.advance(.seconds(1))
        #expect(persister.read { Set($0.entries.keys) } == [["ab"], ["b", "a"]])
    }

    @Test("is invalidated by its key, and so is what is below it; nothing else is")
    func invalidate() {
        storeAndForget(["a"], ["a", 1], ["b"])
        bench.client.invalidate(query(["a"]))
        bench.advance(.seconds(1))
        #expect(isInvalidated(["a"]) == true)
        #expect(isInvalidated(["a", 1]) == false)
        bench.client.invalidate(["a"])
        bench.advance(.seconds(1))
        #expect(isInvalidated(["a", 1]) == true)
        #expect(isInvalidated(["b"]) == false)
        bench.client.invalidate()
        bench.advance(.seconds(1))
        #expect(isInvalidated(["b"]) == true)
    }

    @Test("is left alone by conditions that storage knows nothing of")
    func conditions() {
        storeAndForget(["a"])
        bench.client.remove(.matching { _ in true })
        bench.client.remove(QueryFilter(key: ["a"], activity: .inactive))
        bench.client.invalidate(QueryFilter(key: ["a"], isStale: true))
        bench.advance(.seconds(1))
        #expect(isInvalidated(["a"]) == false)
    }

    @Test("what is set after it was removed is stored")
    func setAfterwards() {
        storeAndForget(["a"])
        bench.client.remove(["a"])
        bench.client.setData(2, for: query(["a"]))
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == "2")
    }

    @Test("what is set after it was invalidated is stored as fresh")
    func freshAfterwards() {
        storeAndForget(["a"])
        bench.client.invalidate(["a"])
        bench.client.setData(2, for: query(["a"]))
        bench.advance(.seconds(1))
        #expect(isInvalidated(["a"]) == false)
    }

    @Test("what leaves the cache before it was stored is not stored after it was removed", arguments: [true, false])
    func evicted(_ isRemoved: Bool) {
        let bench = Bench { [persister] in
            $0.persister = persister
            $0.bounds = CacheBounds(entries: 1)
        }
        bench.run()
        bench.client.setData(1, for: query(["a"]))
        bench.client.setData(2, for: query(["b"]))
        if isRemoved { bench.client.remove(["a"]) } else { bench.client.invalidate(["a"]) }
        bench.advance(.seconds(1))
        #expect(isInvalidated(["a"]) == (isRemoved ? nil : true))
        #expect(persister.stored(["b"]) == "2")
    }

    @Test("data that was asked for after the reason to invalidate stays as it is in storage")
    func known() {
        bench.run()
        let before = bench.client.epoch
        bench.fetch(query(["a"]))
        server.succeedAll(1)
        bench.advance(.seconds(1))
        bench.client.invalidate(["a"], asOf: before)
        bench.advance(.seconds(1))
        #expect(isInvalidated(["a"]) == false)
    }

    @Test("an invalidation stores no value anew")
    func storesNothingAnew() {
        bench.run()
        for number in 0..<10 { bench.client.setData(1, for: query(["a", .integer(number)])) }
        bench.advance(.seconds(1))
        bench.client.invalidate(["a"])
        bench.advance(.seconds(1))
        #expect(persister.read(\.saves) == [10, 1])
        #expect(persister.read { $0.entries.values.filter(\.isInvalidated).count } == 10)
    }

    @Test("many invalidations while storage fails take no more room than one")
    func bounded() {
        bench.run()
        persister.change { $0.isBroken = true }
        for _ in 0..<1000 { bench.client.invalidate(["a"]) }
        bench.advance(.seconds(1))
        for _ in 0..<1000 { bench.client.invalidate(["a"]) }
        #expect(bench.client.withCache { $0.unstored.count } < 100)
        persister.change { $0.isBroken = false }
        bench.advance(.seconds(2))
        #expect(persister.read(\.saves) == [1])
    }

    // MARK: Not restored yet

    @Test("does not come back after it was removed before anybody restored it", arguments: [0, 1, 2, 3])
    func removedBefore(_ way: Int) {
        persister.put(["a"], "1")
        persister.put(["b"], "2")
        bench.observer(query(["a"]), isEnabled: false)
        switch way {
        case 0: bench.client.remove(["a"])
        case 1: bench.client.remove(.matching { $0.key == ["a"] })
        case 2: bench.client.reset(["a"])
        default:
            bench.client.clear()
            persister.put(["b"], "2")
        }
        bench.run()
        #expect(bench.client.data(of: query(["a"])) == nil)
        #expect(bench.client.data(of: query(["b"])) == (way == 3 ? nil : 2))
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == nil)
    }

    @Test("comes back out of date after it was invalidated before", arguments: [true, false])
    func invalidatedBefore(_ isObserved: Bool) {
        persister.put(["a"], "1")
        persister.put(["b"], "1")
        if isObserved { bench.observer(query(["a"]), isEnabled: false) }
        bench.client.invalidate(["a"])
        bench.run()
        #expect(bench.client.entries(.exactly(["a"])).first?.isInvalidated == true)
        #expect(bench.client.data(of: query(["a"])) == 1)
        #expect(bench.client.entries(.exactly(["b"])).first?.isInvalidated == false)
        bench.advance(.seconds(1))
        #expect(isInvalidated(["a"]) == true)
    }

    @Test("what happens while it is loaded counts, and not afterwards")
    func whileLoading() {
        let storage = FakeServer<Int>()
        persister.put(["a"], "1")
        persister.put(["b"], "1")
        persister.change { $0.delay = { _ = try await storage.request() } }
        bench.run()
        bench.client.remove(["a"])
        bench.client.invalidate(["b"])
        persister.change { $0.delay = nil }
        storage.succeedAll(0)
        bench.settle()
        #expect(bench.client.entries().map(\.key) == [["b"]])
        #expect(bench.client.entries()[0].isInvalidated)
        persister.put(["a"], "5")
        let again = DehydratedState(entries: persister.read { Array($0.entries.values) })
        bench.client.hydrate(again)
        #expect(bench.client.data(of: query(["a"])) == 5)
    }

    @Test("what another client had comes, also if what was stored was cleared before")
    func hydrateAfterClear() {
        bench.client.clear()
        persister.put(["a"], "5")
        bench.client.hydrate(DehydratedState(entries: persister.read { Array($0.entries.values) }))
        #expect(bench.client.data(of: query(["a"])) == 5)
    }

    // MARK: Mutations

    private func mutation(_ log: Log<Int>) -> Mutation<Int, Int> {
        Mutation("double") { [server] input, _ in
            log.add(input)
            return try await server.request()
        }
    }

    private func store(_ name: String) {
        let mutation = PersistedMutation(
            identifier: MutationIdentifier(name),
            name: name,
            input: Data("3".utf8),
            idempotencyKey: name,
            submittedAt: Bench.start,
            order: 1
        )
        persister.change { $0.mutations.append(mutation) }
    }

    @Test("clearing gives up the mutations that are under way, and those that wait to be registered")
    func clearMutations() {
        let log = Log<Int>()
        store("other")
        bench.run()
        let query = Query<Int>(key: ["a"])
        bench.client.setData(1, for: query)
        let handle = bench.client.start(
            mutation(log).onMutate { _, context in context.optimisticUpdate(query) { $0 = 2 } },
            3
        )
        bench.settle()
        #expect(persister.read { $0.mutations.count } == 2)
        bench.client.clear()
        #expect(bench.client.mutations().isEmpty)
        #expect(bench.client.data(of: query) == nil)
        let pending = bench.begin { try await handle.value() }
        #expect((pending.error as? QueryError)?.code == .discarded)
        flush()
        #expect(persister.read { $0.mutations.isEmpty })
        bench.client.register(Mutation<Int, Int>("other") { input, _ in input })
        bench.settle()
        #expect(bench.client.mutations().isEmpty)
    }

    @Test("clearing before anybody restored gives up the mutations that are stored", arguments: [true, false])
    func clearStoredMutations(_ isFlushed: Bool) {
        let log = Log<Int>()
        store("double")
        bench.client.register(mutation(log))
        bench.client.clear()
        if isFlushed {
            flush()
            #expect(persister.read { $0.mutations.isEmpty })
        }
        bench.client.start(mutation(log), 4)
        bench.run()
        bench.advance(.seconds(1))
        #expect(log.entries == [4])
        #expect(persister.read { $0.mutations.count } == 1)
    }
}
