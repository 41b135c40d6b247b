import Testing

@testable import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("What came back and was not asked for yet")
struct DormantTests {
    let persister = FakePersister()
    let server = FakeServer<Int>()
    let bench: Bench

    init() { bench = Bench { [persister] in $0.persister = persister } }

    private func query(_ key: QueryKey) -> Query<Int> { server.query(key) { $0.staleTime = .seconds(60) } }

    private func state(_ key: QueryKey, _ value: Int, age: Double = 0) -> DehydratedState {
        let entry = PersistedEntry(
            key: key.description,
            value: Data("\(value)".utf8),
            updatedAt: Bench.start.addingTimeInterval(-age),
            version: nil,
            isInvalidated: false,
            metadata: QueryMetadata()
        )
        return DehydratedState(entries: [entry])
    }

    /// A query during whose use a value comes from elsewhere.
    private func interrupted(_ key: QueryKey) -> Query<Int> {
        var query = query(key)
        query.initialValue = { [client = bench.client, state = state(key, 5)] in
            client.hydrate(state)
            return nil
        }
        return query
    }

    // MARK: In the midst of something

    @Test("is what a fetch finds, also if it comes in the midst of it")
    func fetch() {
        #expect(bench.fetch(interrupted(["a"])).value == 5)
        let ensured = bench.begin { [client = bench.client, query = interrupted(["b"])] in
            try await client.ensureData(of: query)
        }
        #expect(ensured.value == 5)
        #expect(server.count == 0)
    }

    @Test("is what an observer shows, also if it comes in the midst of its start")
    func observe() {
        bench.run()
        let observer = bench.observer(interrupted(["a"]))
        #expect(observer.data == 5)
        #expect(server.count == 0)
    }

    @Test("is taken into account by who sets data, also if it comes in the midst of that")
    func setData() {
        let found = Log<Int?>()
        bench.client.setData(for: query(["a"])) { [client = bench.client, state = state(["a"], 5)] old in
            found.add(old)
            client.hydrate(state)
            return 7
        }
        #expect(found.entries == [nil, 5])
        #expect(bench.client.data(of: query(["a"])) == 7)
    }

    @Test("is shown by who asks for it, however little may be kept")
    func bounds() {
        let bench = Bench { [persister] in
            $0.persister = persister
            $0.bounds = CacheBounds(entries: 1)
        }
        persister.put(["a"], "5")
        bench.observer(query(["b"]), isEnabled: false)
        bench.run()
        bench.client.setData(1, for: query(["c"]))
        bench.client.hydrate(state(["a"], 6, age: -1))
        #expect(bench.observer(query(["a"])).data == 6)
        #expect(server.count == 0)
    }

    // MARK: Newer

    @Test("makes way for what is newer, which is stored", arguments: [true, false])
    func newer(_ isRead: Bool) {
        persister.put(["a"], "5")
        bench.run()
        if isRead { #expect(bench.client.data(of: query(["a"])) == 5) }
        bench.client.hydrate(state(["a"], 6, age: -10))
        #expect(bench.client.data(of: query(["a"])) == 6)
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == "6")
    }

    @Test("what is older changes nothing", arguments: [true, false])
    func older(_ isRead: Bool) {
        persister.put(["a"], "5")
        bench.run()
        if isRead { #expect(bench.client.data(of: query(["a"])) == 5) }
        bench.client.hydrate(state(["a"], 4, age: 10))
        #expect(bench.client.data(of: query(["a"])) == 5)
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == "5")
    }

    // MARK: How long

    @Test("stays until somebody says how long to keep it")
    func stays() {
        persister.put(["a"], "5")
        bench.run()
        bench.advance(.seconds(3600))
        #expect(bench.client.data(of: query(["a"]).with { $0.gcTime = .minutes(10) }) == 5)
        bench.advance(.seconds(599))
        #expect(bench.client.entries().count == 1)
        bench.advance(.seconds(1))
        #expect(bench.client.entries().isEmpty)
    }

    // MARK: Restoring

    @Test("comes also if nobody gives the client time, when somebody observes")
    func withoutRun() {
        persister.put(["a"], "5")
        let stored = bench.observer(query(["a"]))
        let missing = bench.observer(query(["b"]))
        #expect(stored.data == 5)
        #expect(missing.isLoading)
        #expect(server.count == 1)
    }

    @Test("is loaded once, by whoever comes first")
    func once() {
        bench.observer(query(["a"]), isEnabled: false)
        bench.begin { [client = bench.client] in await client.restore() }
        bench.run()
        bench.run()
        bench.begin { [client = bench.client] in await client.restore() }
        #expect(persister.read(\.loads.count) == 2)
    }

    @Test("comes also if who began to load it is cancelled")
    func cancelled() {
        let storage = FakeServer<Int>()
        persister.put(["a"], "5")
        persister.change { $0.delay = { _ = try await storage.request() } }
        let restore = bench.begin { [client = bench.client] in await client.restore() }
        let observer = bench.observer(query(["a"]))
        restore.cancel()
        bench.settle()
        #expect(restore.isOver)
        #expect(observer.isPending)
        #expect(server.count == 0)
        persister.change { $0.delay = nil }
        storage.succeedAll(0)
        bench.settle()
        #expect(observer.data == 5)
        #expect(server.count == 0)
    }

    // MARK: By type

    /// A client that has stored entries of two types below one key, and the next one.
    private func restart() -> Bench {
        bench.run()
        for number in 1...2 { bench.client.setData([number], for: Query<[Int]>(key: ["n", "list", .integer(number)])) }
        bench.client.setData(3, for: query(["n", "count"]))
        bench.advance(.seconds(1))
        let next = Bench { [persister] in $0.persister = persister }
        next.run()
        #expect(next.client.entries().count == 3)
        return next
    }

    private func lists(_ bench: Bench) -> [[Int]] {
        bench.client.data(matching: ["n"], as: [Int].self).map(\.value).sorted { $0.lexicographicallyPrecedes($1) }
    }

    @Test("is found by its type, and left alone by others")
    func found() {
        let next = restart()
        #expect(next.client.data(matching: ["n"], as: Double.self).isEmpty)
        #expect(lists(next) == [[1], [2]])
        #expect(next.client.data(of: query(["n", "count"])) == 3)
    }

    @Test("is changed by its type, and left alone by others")
    func updated() {
        let next = restart()
        next.client.updateData(matching: ["n"], as: [Int].self) { $0.append(9) }
        next.client.updateData(matching: ["n"], as: [UInt].self) { $0.append(8) }
        #expect(lists(next) == [[1, 9], [2, 9]])
        #expect(next.client.data(of: query(["n", "count"])) == 3)
        next.advance(.seconds(1))
        #expect(persister.stored(["n", "list", 1]) == "[1,9]")
        #expect(persister.stored(["n", "count"]) == "3")
    }

    @Test("is changed optimistically by its type")
    func changedOptimistically() {
        let next = restart()
        let updates = next.client.optimisticUpdate(matching: ["n"], as: [Int].self) { $0.append(9) }
        #expect(updates.count == 2)
        #expect(lists(next) == [[1, 9], [2, 9]])
        for update in updates { update.rollback() }
        #expect(lists(next) == [[1], [2]])
    }

    @Test("keeps its version when it is changed optimistically by its type")
    func keepsVersion() {
        bench.run()
        var versioned = Query<[Int]>(key: ["n"])
        versioned.version = { Int64($0.count) }
        bench.client.setData([1], for: versioned)
        bench.advance(.seconds(1))
        let next = Bench { [persister] in $0.persister = persister }
        next.run()
        let updates = next.client.optimisticUpdate(matching: ["n"], as: [Int].self) { $0.append(9) }
        #expect(next.client.entries()[0].baseVersion == 1)
        for update in updates { update.rollback() }
        #expect(next.client.entries()[0].baseVersion == 1)
    }

    @Test("what is only set stays as it was defined when it is changed optimistically by its type")
    func keepsDefinition() {
        bench.run()
        let query = Query<[Int]>(key: ["n"], options: QueryOptions { $0.isPersisted = false })
        bench.client.setData([1], for: query)
        for update in bench.client.optimisticUpdate(matching: ["n"], as: [Int].self, { $0.append(9) }) {
            update.confirm()
        }
        bench.advance(.seconds(1))
        #expect(bench.client.data(of: query) == [1, 9])
        #expect(persister.stored(["n"]) == nil)
    }

    @Test("of a type that storage does not know is left alone")
    func unknownType() {
        persister.put(["a"], "5")
        bench.run()
        bench.client.updateData(matching: ["a"], as: Int.self) { $0 = 6 }
        #expect(bench.client.data(of: query(["a"])) == 5)
    }
}
