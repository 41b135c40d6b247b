import Synchronization
import Testing
import TidingsTesting

@testable import TidingsQuery

/// A clock on which something happens once, when somebody looks at it.
private final class BusyClock: Clock {
    private let clock = ManualClock()
    private let state = Mutex<(looks: Int, event: (@Sendable () -> Void)?)>((0, nil))

    var minimumResolution: Duration { clock.minimumResolution }

    var now: ManualClock.Instant {
        let event = state.withLock { state -> (@Sendable () -> Void)? in
            state.looks -= 1
            return state.looks == 0 ? state.event : nil
        }
        event?()
        return clock.now
    }

    func on(_ look: Int, _ event: @escaping @Sendable () -> Void) {
        state.withLock { $0 = (look, event) }
    }

    func sleep(until deadline: ManualClock.Instant, tolerance: Duration?) async throws {
        try await clock.sleep(until: deadline, tolerance: tolerance)
    }
}

@Suite("What an observer makes of states")
struct ObservationEngineTests {
    let bench = Bench()

    private func states(_ values: Int...) -> [EntryState<Int>] {
        var machine = QueryMachine<Int>()
        let moment = Timestamp(Bench.start)
        return values.map { value in
            machine.set(Overlay(base: value), .init(moment: moment, version: nil), isSame: false)
            return EntryState(machine, entry: 1, at: moment)
        }
    }

    /// An observer in whose function something happens once, when it gets a value.
    private func engine(
        at value: Int,
        _ event: @escaping @Sendable (QueryObservation<Int, String>) -> Void,
        _ news: Log<ObservationSignals.Signal>,
        _ selected: Log<Int>
    ) -> QueryObservation<Int, String> {
        let kept = Kept()
        let made = QueryObservation<Int, String>(
            client: bench.client,
            query: Query<Int>(key: ["a"]),
            isEnabled: true,
            placeholder: .none,
            previous: nil,
            isPlain: false,
            select: { source in
                selected.add(source)
                if source == value, let engine = kept.take() { event(engine) }
                return "\(source)"
            },
            onChange: { news.add($0) }
        )
        kept.put(made)
        return made
    }

    private final class Kept: Sendable {
        private let engine = Mutex<QueryObservation<Int, String>?>(nil)
        func put(_ made: QueryObservation<Int, String>) { engine.withLock { $0 = made } }
        func take() -> QueryObservation<Int, String>? {
            engine.withLock { engine in
                defer { engine = nil }
                return engine
            }
        }
    }

    @Test("an older state that is done while a newer one is worked on hides no news")
    func olderMeanwhile() {
        let states = states(0, 1, 2)
        let (news, selected) = (Log<ObservationSignals.Signal>(), Log<Int>())
        let engine = engine(at: 2, { $0.receive(states[1]) }, news, selected)
        engine.receive(states[0])
        #expect(news.entries.count == 1)
        engine.receive(states[2])
        #expect(news.entries.count == 3)
        #expect(news.entries.last?.contains(.data) == true)
        // The newer one is done anew, on top of the older one.
        #expect(selected.entries == [0, 2, 1, 2])
    }

    @Test("an entry that comes while somebody looks for it is not taken for an older one", arguments: 1...2)
    func comesMeanwhile(_ look: Int) {
        let clock = BusyClock()
        let bench = Bench { $0.clock = clock }
        let server = FakeServer<Int>()
        let query = server.query(["a"])
        let observer = QueryObserver(query, in: bench.client)
        clock.on(look) { _ = bench.client.start(query, FetchOptions()) }
        #expect(observer.data == nil)
        bench.settle()
        server.succeedAll(5)
        bench.settle()
        #expect(server.count == 1)
        #expect(observer.data == 5)
    }

    @Test("a newer state that is done while an older one is worked on stays")
    func newerMeanwhile() {
        let states = states(0, 1, 2)
        let (news, selected) = (Log<ObservationSignals.Signal>(), Log<Int>())
        let engine = engine(at: 1, { $0.receive(states[2]) }, news, selected)
        engine.receive(states[0])
        engine.receive(states[1])
        #expect(news.entries.count == 2)
        #expect(selected.entries == [0, 1, 2])
    }
}
