import Observation
import Synchronization
import Testing
import TidingsTesting

@testable import TidingsQuery

/// Code of callers that uses the client wherever it is run. In the critical section that ends the program.
@Suite("Callers' code outside of the critical section")
struct CriticalSectionTests {
    let bench = Bench()

    /// Uses a client when the last reference to it goes.
    private final class Probe: Sendable {
        let client: QueryClient
        let log: Log<UInt64>

        init(_ bench: Bench, _ log: Log<UInt64>) {
            client = bench.client
            self.log = log
        }

        deinit { log.add(client.epoch.rawValue) }
    }

    private struct ProbeError: Error {
        let probe: Probe
    }

    private let log = Log<UInt64>()
    private var probe: Probe { Probe(bench, log) }
    private var ends: Int { log.entries.count }

    private func query(_ configure: (inout QueryOptions) -> Void = { _ in }) -> Query<Probe> {
        Query(key: ["a"], options: QueryOptions(configure))
    }

    @Test("data that is replaced ends there")
    func replaced() {
        bench.client.setData(probe, for: query())
        bench.client.setData(probe, for: query())
        #expect(ends == 1)
        bench.client.optimisticUpdate(query()) { [bench, log] in $0 = Probe(bench, log) }.rollback()
        #expect(ends == 2)
        bench.client.reset(["a"])
        #expect(ends == 3)
    }

    @Test("data that is forgotten ends there", arguments: [0, 1, 2, 3])
    func forgotten(_ way: Int) {
        let bench = Bench { $0.bounds = CacheBounds(entries: 1) }
        let query = query { $0.gcTime = .seconds(10) }
        let observer = QueryObserver(query, in: bench.client, isEnabled: false)
        if way == 1 { observer.start() }
        bench.client.setData(Probe(bench, log), for: query)
        switch way {
        case 0: bench.client.remove(["a"])
        case 1: bench.client.clear()
        case 2: bench.client.setData(1, for: Query<Int>(key: ["b"]))
        default:
            bench.clock.advance(by: .seconds(10))
            _ = bench.client.epoch
        }
        #expect(ends == 1)
    }

    @Test("data that is forgotten in a batch ends there")
    func forgottenInBatch() {
        bench.client.batch {
            bench.client.setData(probe, for: query())
            bench.client.remove(["a"])
        }
        #expect(ends == 1)
    }

    @Test("what a query captures ends there")
    func captured() {
        func use(_ probe: Probe) {
            let query = Query<Int>(key: ["b"]) { _ in probe.client === bench.client ? 1 : 0 }
            bench.fetch(query)
        }
        use(probe)
        bench.client.remove(["b"])
        #expect(ends == 1)
        use(probe)
        bench.fetch(Query<Int>(key: ["b"]) { _ in 2 })
        #expect(ends == 2)
    }

    @Test("a fetch that is cancelled while it waits for the network ends there")
    func cancelledFetch() {
        bench.online.set(false)
        func fetch(_ probe: Probe) {
            bench.fetch(Query<Int>(key: ["b"]) { _ in probe.client === bench.client ? 1 : 0 })
        }
        fetch(probe)
        bench.client.cancel(["b"])
        bench.client.remove(["b"])
        bench.settle()
        #expect(ends == 1)
    }

    @Test("errors that are replaced end there")
    func errors() {
        let query = Query<Int>(key: ["b"]) { [bench, log] _ in throw ProbeError(probe: Probe(bench, log)) }
        for _ in 0..<2 { bench.begin { [client = bench.client] in await client.prefetch(query) } }
        #expect(ends == 1)
        bench.client.setData(1, for: query)
        bench.client.remove(["b"])
        #expect(ends == 2)
    }

    @Test("changes that were confirmed before a retry end there")
    func landed() {
        let server = FakeServer<Int>()
        let query = server.query(["b"]) { $0.retry = .times(1, delay: .fixed(.seconds(1))) }
        func change(_ probe: Probe) {
            bench.client.optimisticUpdate(query) { $0 = probe.log.entries.count }.confirm()
        }
        bench.client.setData(0, for: query)
        bench.fetch(query)
        change(probe)
        #expect(ends == 0)
        server.failAll()
        bench.advance(.seconds(1))
        #expect(ends == 1)
    }

    @Test("errors of a mutation that are replaced end there")
    func mutationErrors() {
        let mutation = Mutation<Int, Int>(options: MutationOptions { $0.retry = .times(1) }) { [bench, log] _, _ in
            throw ProbeError(probe: Probe(bench, log))
        }
        let identifier = bench.client.start(mutation, 1).identifier
        bench.advance(.seconds(1))
        #expect(ends == 1)
        bench.client.retry(identifier)
        bench.advance(.seconds(1))
        #expect(ends >= 2)
    }

    @Test("defaults that are replaced end there")
    func defaults() {
        func set(_ probe: Probe) {
            let retry = RetryPolicy(retries: 1) { _ in probe.log.entries.isEmpty ? .permanent : .transient() }
            bench.client.setDefaults(QueryOptions { $0.retry = retry })
            bench.client.setDefaults(QueryOptions { $0.retry = retry }, for: ["a"])
        }
        set(probe)
        bench.client.setDefaults(QueryOptions())
        bench.client.setDefaults(QueryOptions(), for: ["a"])
        #expect(ends == 1)
    }

    @Test("mutations that are forgotten end there", arguments: [true, false])
    func mutations(_ isDiscarded: Bool) {
        func start(_ probe: Probe) -> MutationIdentifier {
            let mutation = Mutation<Probe, Int>(options: MutationOptions { $0.gcTime = .seconds(1) }) { _, _ in 1 }
            return bench.client.start(mutation, probe).identifier
        }
        let identifier = start(probe)
        if isDiscarded { bench.client.discard(identifier) }
        bench.settle()
        bench.clock.advance(by: .seconds(1))
        _ = bench.client.epoch
        bench.settle()
        #expect(ends == 1)
    }

    // MARK: Executors

    /// Looks at a client whenever it is given something to run.
    private final class CuriousExecutor: TaskExecutor {
        let jobs = ManualExecutor()
        let client = Mutex<QueryClient?>(nil)

        func enqueue(_ job: consuming ExecutorJob) {
            _ = client.withLock { $0 }?.epoch
            let job = UnownedJob(job)
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }

    @Test("an executor may use the client when a fetch begins, and when it goes on")
    func executor() {
        let executor = CuriousExecutor()
        let online = ManualMonitor(true)
        let client = QueryClient(
            .init {
                $0.taskExecutor = executor
                $0.connectivity = online
            }
        )
        executor.client.withLock { $0 = client }
        let query = Query<Int>(key: ["a"]) { _ in 1 }
        client.setData(0, for: query)
        client.refetch()
        #expect(client.data(of: query) == 1)
        online.set(false)
        client.setData(0, for: query)
        client.refetch()
        online.set(true)
        client.refetch(isRestarting: false)
        #expect(client.data(of: query) == 1)
    }

    @Test("a fetch that is cancelled before its task begins is never begun")
    func cancelledBeforeBegin() {
        let server = FakeServer<Int>()
        let query = server.query(["a"])
        bench.client.setData(0, for: query)
        let observer = QueryObserver(query, in: bench.client)
        withObservationTracking {
            _ = observer.fetchStatus
        } onChange: { [client = bench.client] in
            client.cancel(["a"])
        }
        observer.start()
        bench.settle()
        #expect(server.count == 0)
        #expect(observer.fetchStatus == .idle)
    }
}

@Suite("Monitors")
struct MonitorTests {
    @Test("tell everybody in the order in which they were set, also by one who is told")
    func order() {
        let monitor = ManualMonitor(true)
        let first = Log<Bool>()
        let second = Log<Bool>()
        let observations = [
            monitor.onChange { value in
                first.add(value)
                if !value { monitor.set(true) }
            },
            monitor.onChange { second.add($0) },
        ]
        monitor.set(false)
        #expect(first.entries == [false, true])
        #expect(second.entries == [false, true])
        #expect(observations.count == 2)
    }

    /// Changes while somebody begins to listen.
    private final class Hasty: StateMonitor {
        let monitor = ManualMonitor(true)
        var isActive: Bool { monitor.isActive }

        func onChange(_ handler: @escaping @Sendable (Bool) -> Void) -> MonitorObservation {
            monitor.set(false)
            return monitor.onChange(handler)
        }
    }

    @Test("that change while a client is made are not missed")
    func changedMeanwhile() {
        let client = QueryClient(.init { $0.connectivity = Hasty() })
        #expect(client.withCache { !$0.isOnline })
    }
}
