import Testing

@testable import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

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
