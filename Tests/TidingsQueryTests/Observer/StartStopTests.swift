import Observation
import Synchronization
import Testing
import TidingsTesting

@testable import TidingsQuery

/// What another thread does while an observer is about to begin is done here by the query's own function, which is called
/// in the midst of it.
@Suite("Starts and stops that overlap")
struct StartStopTests {
    let bench = Bench()
    let server = FakeServer<Int>()

    private final class Meanwhile: Sendable {
        private let action = Mutex<(@Sendable () -> Void)?>(nil)
        func set(_ new: @escaping @Sendable () -> Void) { action.withLock { $0 = new } }
        func run() {
            let action = action.withLock { action in
                defer { action = nil }
                return action
            }
            action?()
        }
    }

    private func query(_ meanwhile: Meanwhile) -> Query<Int> {
        var query = server.query(["a"])
        query.initialValue = {
            meanwhile.run()
            return 0
        }
        return query
    }

    private var count: Int { bench.client.entries().first?.observerCount ?? 0 }

    @Test("a stop during a start ends it")
    func stopDuringStart() {
        let meanwhile = Meanwhile()
        let observer = QueryObserver(query(meanwhile), in: bench.client)
        meanwhile.set { observer.stop() }
        observer.start()
        #expect(count == 0)
        observer.start()
        #expect(count == 1)
        observer.stop()
        #expect(count == 0)
    }

    @Test("a stop and a start during a start leave one")
    func restartDuringStart() {
        let meanwhile = Meanwhile()
        let observer = QueryObserver(query(meanwhile), in: bench.client)
        meanwhile.set {
            observer.stop()
            observer.start()
        }
        observer.start()
        #expect(count == 1)
        observer.stop()
        #expect(count == 0)
    }

    @Test("one that is switched off during its start is off")
    func disabledDuringStart() {
        let meanwhile = Meanwhile()
        let observer = QueryObserver(query(meanwhile), in: bench.client)
        meanwhile.set { observer.isEnabled = false }
        observer.start()
        #expect(bench.client.entries().first?.isActive == false)
        observer.stop()
    }

    @Test("several at once follow too")
    func several() {
        let meanwhile = Meanwhile()
        let observer = QueriesObserver([query(meanwhile)], in: bench.client)
        meanwhile.set { observer.stop() }
        observer.start()
        #expect(count == 0)
        observer.start()
        #expect(count == 1)
        observer.stop()
        #expect(count == 0)
    }

    @Test("a stop and a start during a start leave an interval that is decided by the state")
    func intervalAfterRestart() {
        bench.run()
        let meanwhile = Meanwhile()
        let observer = QueryObserver(query(meanwhile).refetched { _ in .seconds(5) }, in: bench.client)
        meanwhile.set {
            observer.stop()
            observer.start()
        }
        observer.start()
        bench.settle()
        server.succeedAll(1)
        let asked = server.count
        bench.advance(.seconds(5))
        #expect(server.count == asked + 1)
        observer.stop()
    }

    @Test("another query during a start is the one that is observed")
    func observeDuringStart() {
        let meanwhile = Meanwhile()
        let observer = QueryObserver(query(meanwhile), in: bench.client)
        meanwhile.set { [server] in observer.observe(server.query(["b"])) }
        observer.start()
        let observed = bench.client.entries().filter { $0.observerCount > 0 }
        #expect(observed.map(\.key) == [["b"]])
        #expect(observed.first?.observerCount == 1)
        observer.stop()
        #expect(bench.client.entries().allSatisfy { $0.observerCount == 0 })
    }

    @Test("somebody who is told of a change may look at several at once, also while they become others")
    func readWhileChanging() {
        let query = server.query(["a"]) { $0.staleTime = .seconds(5) }
        bench.client.setData(1, for: query)
        let observer = QueriesObserver([query], in: bench.client)
        observer.start()
        let log = Log<Int>()
        withObservationTracking {
            _ = observer.snapshots
        } onChange: {
            log.add(observer.snapshots.count)
        }
        // Nobody gives the client time, so whatever is done next does what is due: here, making an observer.
        bench.clock.advance(by: .seconds(5))
        observer.observe([query, server.query(["b"])])
        #expect(log.entries == [1])
        #expect(observer.snapshots.count == 2)
        observer.stop()
    }
}
