import Observation
import Testing

@testable import TidingsQuery

@Suite("Several queries at once")
struct QueriesObserverTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    private func queries(_ numbers: Int...) -> [Query<Int>] {
        numbers.map { server.query(["n", .integer($0)]) { $0.staleTime = .infinite } }
    }

    @Test("are shown in their order")
    func order() {
        let observer = QueriesObserver(queries(1, 2, 3), in: bench.client)
        observer.start()
        bench.settle()
        #expect(observer.isPending)
        #expect(observer.isFetching)
        server.calls[2].succeed(30)
        server.calls[0].succeed(10)
        bench.settle()
        #expect(observer.snapshots.map(\.data) == [10, nil, 30])
        #expect(observer.data == [10, 30])
        server.succeedAll(20)
        bench.settle()
        #expect(observer.data == [10, 20, 30])
        #expect(!observer.isPending)
    }

    @Test("can be replaced; those that stay are not fetched again")
    func replace() {
        let observer = QueriesObserver(queries(1, 2), in: bench.client)
        observer.start()
        server.succeedAll(0)
        bench.settle()
        server.succeedAll(1)
        bench.settle()
        observer.observe(queries(3, 2))
        bench.settle()
        #expect(server.count == 3)
        server.succeedAll(3)
        bench.settle()
        #expect(observer.data == [3, 1])
        #expect(bench.client.entries().map(\.observerCount) == [0, 1, 1])
    }

    @Test("may contain one twice")
    func twice() {
        let observer = QueriesObserver(queries(1, 1), in: bench.client)
        observer.start()
        bench.settle()
        #expect(server.count == 1)
        server.succeedAll(5)
        bench.settle()
        #expect(observer.data == [5, 5])
    }

    @Test("may be none")
    func none() {
        let observer = QueriesObserver(queries(), in: bench.client)
        observer.start()
        #expect(observer.data.isEmpty)
        #expect(!observer.isPending)
        observer.observe(queries(1))
        bench.settle()
        #expect(server.count == 1)
    }

    @Test("are put together")
    func combined() {
        for (number, query) in queries(1, 2, 3).enumerated() { bench.client.setData(number, for: query) }
        let observer = QueriesObserver(queries(1, 2, 3), in: bench.client)
        #expect(observer.combined { $0.compactMap(\.data).reduce(0, +) } == 3)
    }

    @Test("tell Observation")
    func observation() {
        let observer = QueriesObserver(queries(1, 2), in: bench.client)
        observer.start()
        bench.settle()
        let log = Log<Int>()
        withObservationTracking {
            _ = observer.data
        } onChange: {
            log.add(1)
        }
        server.calls[1].succeed(1)
        bench.settle()
        #expect(log.entries == [1])
        withObservationTracking {
            _ = observer.data
        } onChange: {
            log.add(2)
        }
        observer.observe(queries(1))
        #expect(log.entries == [1, 2])
    }

    @Test("leave with the stop, and when nobody keeps them")
    func stop() {
        var observer: QueriesObserver<Int>? = QueriesObserver(queries(1, 2), in: bench.client)
        observer?.start()
        observer?.stop()
        #expect(bench.client.entries().map(\.observerCount) == [0, 0])
        observer?.start()
        observer = nil
        #expect(bench.client.entries().map(\.observerCount) == [0, 0])
    }
}
