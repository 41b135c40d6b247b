public import Observation
import Synchronization

/// Watches any number of queries of one type at once, such as the details of all selected rows.
public final class QueriesObserver<Value: Sendable>: Observable, Sendable {
    private struct State {
        var observers: [(key: QueryKey, observer: QueryObserver<Value>)] = []
        /// Counts the changes of ``observers``, for those who work on a copy of them.
        var revision = 0
        var users = 0
    }

    private let client: QueryClient
    private let placeholder: Placeholder<Value>
    private let registrar = ObservationRegistrar()
    private let readers = SnapshotReaders()
    private let state = Mutex(State())

    /// Watches queries.
    ///
    /// - Parameters:
    ///   - queries: What to watch, in the order in which it is shown. The same query may be there more than once.
    ///   - client: Whose cache they are in.
    ///   - placeholder: What each shows while there is no data.
    public init(_ queries: [Query<Value>], in client: QueryClient, placeholder: Placeholder<Value> = .none) {
        self.client = client
        self.placeholder = placeholder
        observe(queries)
    }

    /// What is known of each query, in their order.
    public var snapshots: [QuerySnapshot<Value>] {
        registrar.access(self, keyPath: \.snapshots)
        return state.withLock(\.observers).map(\.observer.snapshot)
    }

    /// The data that is there, in the order of the queries.
    public var data: [Value] { snapshots.compactMap(\.data) }

    /// Whether one of them has nothing to show yet.
    public var isPending: Bool { snapshots.contains(where: \.isPending) }

    /// Whether one of them is being fetched.
    public var isFetching: Bool { snapshots.contains(where: \.isFetching) }

    /// What is known of all of them, put together.
    ///
    /// - Parameter combine: Gets what ``snapshots`` gives.
    public func combined<Result>(_ combine: ([QuerySnapshot<Value>]) throws -> Result) rethrows -> Result {
        try combine(snapshots)
    }

    /// What is known of all of them, now and after each change of one, for one reader at a time. While it is read, they are
    /// observed. A reader who is slow misses what was there in between, never what is there last.
    public var updates: QueriesSnapshots<Value> {
        let source = SnapshotReader.Source(
            start: { self.start() },
            stop: { self.stop() },
            read: { self.snapshots },
            looksLike: { $0.count == $1.count && zip($0, $1).allSatisfy { $0.looksLike($1) } }
        )
        return QueriesSnapshots(source: source, readers: readers)
    }

    /// Watches other queries from now on. Those that were watched before go on without a break, as they were defined then.
    ///
    /// - Parameter queries: What to watch.
    public func observe(_ queries: [Query<Value>]) {
        while !tryToObserve(queries) {}
    }

    /// Makes the observers outside of the lock, since making one uses the client.
    ///
    /// - Returns: Whether it is done; otherwise somebody else was faster, and it has to be done anew.
    private func tryToObserve(_ queries: [Query<Value>]) -> Bool {
        let (before, revision) = state.withLock { ($0.observers, $0.revision) }
        var old = before
        var added: [QueryObserver<Value>] = []
        let observers = queries.map { query in
            if let index = old.firstIndex(where: { $0.key == query.key }) { return old.remove(at: index) }
            let observer = QueryObserver(query, in: client, placeholder: placeholder, readers: readers)
            added.append(observer)
            return (query.key, observer)
        }
        guard !before.elementsEqual(observers, by: { $0.observer === $1.observer }) else { return true }
        let engines = state.withLock { state -> [any ObservationEngine<Value>]? in
            guard state.revision == revision else { return nil }
            state.observers = observers
            state.revision += 1
            guard state.users > 0 else { return [] }
            return added.map { $0.changeUsers(by: 1) } + old.map { $0.observer.changeUsers(by: -1) }
        }
        guard let engines else { return false }
        // Together, so that a reader of several finds them as they are after it.
        client.batch {
            for engine in engines { engine.reconcile() }
        }
        registrar.withMutation(of: self, keyPath: \.snapshots) {}
        readers.ring()
        return true
    }

    /// Begins to observe. Each start needs its own ``stop()``.
    public func start() {
        for engine in changeUsers(by: 1, from: 0) { engine.reconcile() }
    }

    /// Ends what one ``start()`` began.
    public func stop() {
        for engine in changeUsers(by: -1, from: 1) { engine.reconcile() }
    }

    /// Observes until the task is cancelled: what the `task` of a view needs.
    public func run() async {
        start()
        await Doorbell().wait()
        stop()
    }

    /// - Returns: What has to be reconciled with it.
    private func changeUsers(by change: Int, from edge: Int) -> [any ObservationEngine<Value>] {
        state.withLock { state in
            guard state.users + change >= 0 else { return [] }
            defer { state.users += change }
            return state.users == edge ? state.observers.map { $0.observer.changeUsers(by: change) } : []
        }
    }
}
