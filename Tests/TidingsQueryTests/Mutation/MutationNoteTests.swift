import Testing

@testable import TidingsQuery

@Suite("What a mutation keeps for its next attempt")
struct MutationNoteTests {
    private let persister = FakePersister()
    private let server = FakeServer<Int>()
    private let seen = Log<String?>()

    /// Keeps a number the first time, and the same from then on.
    private func mutation() -> Mutation<Int, Int> {
        Mutation("count") { [server, seen] _, context in
            seen.add(context.recorded("attempt"))
            await context.record(context.recorded("attempt") ?? "first", as: "attempt")
            return try await server.request()
        }
    }

    private func client() -> Bench {
        let bench = Bench { [persister] in $0.persister = persister }
        bench.run()
        return bench
    }

    @Test("is there when it is tried once more")
    func retried() {
        let bench = client()
        let handle = bench.client.start(mutation(), 1)
        bench.settle()
        server.failAll()
        bench.settle()
        bench.client.retry(handle.identifier)
        bench.settle()
        #expect(seen.entries == [nil, "first"])
    }

    @Test("is stored before the attempt goes on, and there after a restart")
    func restarted() throws {
        let bench = client()
        _ = bench.client.start(mutation(), 1)
        bench.settle()
        #expect(server.count == 1)
        let stored = try #require(persister.read(\.mutations).first)
        #expect(stored.metadata["attempt"] == "first")
        let next = client()
        next.client.register(mutation())
        next.settle()
        #expect(seen.entries == [nil, "first"])
    }

    @Test("is nothing once it has kept nothing, and not stored for one that was given up")
    func nothing() {
        let bench = client()
        let contexts = Log<MutationContext>()
        let handle = bench.client.start(
            Mutation<Int, Int>("count") { [server] _, context in
                contexts.add(context)
                await context.record("1", as: "attempt")
                await context.record(nil, as: "attempt")
                return try await server.request()
            },
            1
        )
        bench.settle()
        #expect(contexts.entries.map { $0.recorded("attempt") } == [nil])
        #expect(persister.read(\.mutations).map(\.metadata.isEmpty) == [true])
        bench.client.discard(handle.identifier)
        bench.settle()
        for context in contexts.entries { bench.begin { await context.record("2", as: "attempt") } }
        bench.advance(.seconds(2))
        #expect(persister.read(\.mutations).isEmpty)
    }
}
