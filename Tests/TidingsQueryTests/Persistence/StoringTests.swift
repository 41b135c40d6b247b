import Testing

@testable import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("Storing entries")
struct StoringTests {
    let persister = FakePersister()
    let server = FakeServer<Int>()
    let bench: Bench

    init() { bench = Bench { [persister] in $0.persister = persister } }

    private func query(_ key: QueryKey) -> Query<Int> { server.query(key) { $0.staleTime = .seconds(60) } }

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
}
