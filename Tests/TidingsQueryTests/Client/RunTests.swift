import Testing

@testable import TidingsQuery

@Suite("Giving the client time")
struct RunTests {
    let persister = FakePersister()
    let server = FakeServer<Int>()
    let bench: Bench

    init() { bench = Bench { [persister] in $0.persister = persister } }

    private func query(_ key: QueryKey) -> Query<Int> { server.query(key) { $0.gcTime = .seconds(10) } }

    private func isThere(_ key: QueryKey) -> Bool { !bench.client.entries(.exactly(key)).isEmpty }

    @Test("as long as one of several goes on, the client has time", arguments: [true, false])
    func overlapping(_ endsFirst: Bool) {
        let runs = [bench.run(), bench.run()]
        runs[endsFirst ? 0 : 1].cancel()
        bench.settle()
        #expect(runs.filter { $0.isOver }.count == 1)
        bench.client.setData(1, for: query(["a"]))
        bench.advance(.seconds(1))
        #expect(persister.stored(["a"]) == "1")
        bench.advance(.seconds(9))
        #expect(!isThere(["a"]))
    }

    @Test("what becomes due is done without any other occasion, while one of several goes on")
    func dueWhileOneGoesOn() {
        let runs = [bench.run(), bench.run()]
        let events = bench.events()
        runs[1].cancel()
        bench.settle()
        bench.client.setData(1, for: query(["a"]))
        bench.advance(.seconds(10))
        let removed = events.elements.filter { event in
            if case .removed = event { true } else { false }
        }
        #expect(removed.count == 1)
    }

    @Test("several end when they are cancelled")
    func endAll() {
        let runs = (0..<3).map { _ in bench.run() }
        bench.client.setData(1, for: query(["a"]))
        bench.settle()
        for run in runs { run.cancel() }
        bench.settle()
        #expect(runs.allSatisfy { $0.isOver })
        #expect(persister.stored(["a"]) == "1")
        // From here on each operation does what is due.
        bench.advance(.seconds(10))
        bench.client.setData(1, for: query(["b"]))
        #expect(!isThere(["a"]))
    }

    @Test("all who wait at a doorbell hear it, also if one of them is cancelled")
    func doorbell() {
        let bell = Doorbell()
        let waits = (0..<3).map { _ in bench.begin { await bell.wait(after: 0) } }
        waits[1].cancel()
        bench.settle()
        #expect(waits.map { $0.isOver } == [false, true, false])
        bell.ring()
        bench.settle()
        #expect(waits.allSatisfy { $0.isOver })
        #expect(bench.begin { await bell.wait(after: 0) }.isOver)
        let next = bench.begin { await bell.wait(after: 1) }
        #expect(!next.isOver)
        bell.ring()
        bench.settle()
        #expect(next.isOver)
    }

    @Test("a doorbell with one listener keeps a ring for it, once")
    func oneListener() {
        let bell = Doorbell()
        bell.ring()
        bell.ring()
        #expect(bench.begin { await bell.wait() }.isOver)
        let next = bench.begin { await bell.wait() }
        #expect(!next.isOver)
        bell.ring()
        bench.settle()
        #expect(next.isOver)
        let last = bench.begin { await bell.wait() }
        #expect(!last.isOver)
        last.cancel()
        bench.settle()
        #expect(last.isOver)
    }
}
