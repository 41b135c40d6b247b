import TestSupport
import Testing

@testable import TidingsQuery

@Suite("Storing mutations")
struct StoredMutationTests {
    let persister = FakePersister()
    let server = FakeServer<Int>()
    let bench: Bench

    init() { bench = Bench { [persister] in $0.persister = persister } }

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
        let log = LogRecorder()
        let next = Bench { [persister] in ($0.persister, $0.logger) = (persister, log.logger) }
        next.run()
        #expect(keys.entries.isEmpty)
        #expect(log.warnings.count == 1)
        #expect(log.warnings.first?.contains("register a mutation with its name") == true)
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
