import Testing

@testable import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("The order of stored mutations")
struct MutationOrderTests {
    let persister = FakePersister()
    let server = FakeServer<Int>()
    let steps = FakeServer<Int>()
    let log = Log<Int>()

    private var mutation: Mutation<Int, Int> {
        Mutation("double") { [server, log] input, _ in
            log.add(input)
            return try await server.request()
        }
        .scoped { _ in "a" }
    }

    /// Processes come one after the other.
    private func makeBench(_ number: Double = 0) -> Bench {
        Bench(startDate: Bench.start.addingTimeInterval(number)) { [persister] in $0.persister = persister }
    }

    private func start(_ mutation: Mutation<Int, Int>, _ input: Int, in bench: Bench) {
        bench.client.start(mutation, input)
        bench.settle()
    }

    /// Answers one after the other.
    private func answerAll(_ bench: Bench) {
        for _ in 0..<10 {
            server.succeedAll(0)
            bench.settle()
        }
    }

    @Test("is that in which they were asked for, whichever was ready first")
    func slowPreparation() {
        let bench = makeBench()
        bench.online.set(false)
        bench.run()
        start(mutation.onMutate { [steps] _, _ in _ = try await steps.request() }, 1, in: bench)
        start(mutation, 2, in: bench)
        steps.succeedAll(0)
        bench.settle()
        #expect(persister.read { $0.mutations.count } == 2)

        let next = makeBench(1)
        next.client.register(mutation)
        next.run()
        answerAll(next)
        #expect(log.entries == [1, 2])
    }

    @Test("puts those of an earlier process first", arguments: [true, false])
    func earlierProcess(_ isRegistered: Bool) {
        let bench = makeBench()
        bench.online.set(false)
        bench.run()
        for input in 1...2 { start(mutation, input, in: bench) }

        let next = makeBench(1)
        next.online.set(false)
        if isRegistered { next.client.register(mutation) }
        start(mutation, 3, in: next)
        next.run()
        if !isRegistered { next.client.register(mutation) }
        next.settle()
        next.online.set(true)
        next.settle()
        answerAll(next)
        #expect(log.entries == [1, 2, 3])
    }

    @Test("has one that is started before the others are known wait for them", arguments: [true, false])
    func unknownOthers(_ isRun: Bool) {
        let bench = makeBench()
        bench.online.set(false)
        bench.run()
        start(mutation, 1, in: bench)

        let next = makeBench(1)
        next.client.register(mutation)
        start(mutation, 2, in: next)
        if isRun { next.run() }
        answerAll(next)
        #expect(log.entries == [1, 2])
        #expect(next.client.isMutating() == 0)
    }

    @Test("sends none beside one that is on its way")
    func onItsWay() {
        let bench = makeBench()
        bench.online.set(false)
        bench.run()
        start(mutation, 1, in: bench)

        let next = makeBench(1)
        start(mutation, 2, in: next)
        #expect(server.count == 1)
        next.client.register(mutation)
        next.run()
        #expect(server.count == 1)
        answerAll(next)
        #expect(log.entries == [2, 1])
    }

    @Test(
        "lets one that waits for a retry keep its turn, unless it has to wait for the network",
        arguments: [true, false]
    )
    func retrying(_ isOffline: Bool) {
        let bench = makeBench()
        bench.online.set(false)
        bench.run()
        start(mutation, 1, in: bench)

        let next = makeBench(1)
        var retrying = mutation
        retrying.options.retry = .forever
        start(retrying, 2, in: next)
        server.failAll()
        next.settle()
        next.client.register(mutation)
        next.run()
        if isOffline { next.online.set(false) }
        next.advance(.seconds(1))
        next.online.set(true)
        next.settle()
        answerAll(next)
        #expect(log.entries == (isOffline ? [2, 1, 2] : [2, 2, 1]))
        #expect(next.client.isMutating() == 0)
    }

    @Test("has one that is tried once more at its end, also after a restart")
    func retried() {
        let bench = makeBench()
        bench.run()
        start(mutation, 1, in: bench)
        server.failAll()
        bench.settle()
        bench.online.set(false)
        start(mutation, 2, in: bench)
        bench.client.retry(bench.client.mutations()[0].identifier)
        bench.settle()

        let next = makeBench(1)
        next.client.register(mutation)
        next.run()
        answerAll(next)
        #expect(log.entries == [1, 2, 1])
    }
}
