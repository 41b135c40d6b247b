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

@Suite("Restoring entries")
struct RestoringTests {
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
}
