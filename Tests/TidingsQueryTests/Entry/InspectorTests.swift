import Testing

@testable import TidingsQuery

@Suite("Watching a client")
struct InspectorTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    private func names(_ events: Recorded<QueryEvent>) -> [String] {
        events.elements.map { String("\($0)".prefix { $0 != "(" }) }
    }

    @Test("tells what happens, in order")
    func order() {
        let events = bench.events()
        let query = server.query(["a"])
        let observer = bench.observer(query)
        server.succeedAll(1)
        bench.settle()
        bench.client.setData(2, for: query)
        let update = bench.client.optimisticUpdate(query) { $0 = 3 }
        update.rollback()
        bench.client.optimisticUpdate(query) { $0 = 3 }.confirm()
        bench.client.invalidate(refetch: .none)
        observer.stop()
        bench.client.remove()
        bench.settle()
        #expect(
            names(events) == [
                "added", "observerAdded", "fetchStarted", "fetchSucceeded", "dataSet", "changedOptimistically",
                "changeRolledBack", "changedOptimistically", "changeConfirmed", "invalidated", "observerRemoved",
                "removed",
            ]
        )
    }

    @Test("tells of failures, retries, pauses and cancellations")
    func failures() {
        let events = bench.events()
        bench.observer(server.query(["a"]) { $0.retry = .times(1) })
        server.failAll()
        bench.advance(.seconds(1))
        server.failAll()
        bench.settle()
        bench.online.set(false)
        bench.fetch(server.query(["b"]))
        bench.client.cancel()
        bench.settle()
        #expect(
            names(events) == [
                "added", "observerAdded", "fetchStarted", "fetchRetries", "fetchFailed", "added", "fetchPaused",
                "fetchCancelled",
            ]
        )
    }

    @Test("tells of mutations")
    func mutations() {
        let events = bench.events()
        bench.client.start(Mutation<Int, Int> { _, _ in 1 }, 1)
        bench.settle()
        let statuses = events.elements.compactMap { event -> MutationStatus? in
            guard case .mutation(_, let status) = event else { return nil }
            return status
        }
        #expect(statuses.first == .queued)
        #expect(statuses.contains(.sending))
        #expect(statuses.last == .confirmed)
    }

    @Test("drops the oldest events of somebody who does not read")
    func bounded() {
        let events = bench.client.events(buffered: 3)
        for number in 0..<10 { bench.client.setData(number, for: Query<Int>(key: [.integer(number)])) }
        let recorded = Recorded<QueryEvent>()
        bench.begin { for await event in events { recorded.append(event) } }
        #expect(recorded.count == 3)
    }
}
