public import Observation
import Synchronization

/// Watches any number of queries of one type at once, such as the details of all selected rows.
public final class QueriesObserver<Value: Sendable>: Observable, Sendable {
    private struct State {
        var observers: [(key: QueryKey, observer: QueryObserver<Value>)] = []
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
    public var updates: QueriesSnapshots<Value> { QueriesSnapshots(observer: self, readers: readers) }

    /// Watches other queries from now on. Those that were watched before go on without a break, as they were defined then.
    ///
    /// - Parameter queries: What to watch.
    public func observe(_ queries: [Query<Value>]) {
        let change = state.withLock { state -> Change in
            let before = state.observers
            var old = before
            var added: [QueryObserver<Value>] = []
            state.observers = queries.map { query in
                if let index = old.firstIndex(where: { $0.key == query.key }) { return old.remove(at: index) }
                let observer = QueryObserver(query, in: client, placeholder: placeholder, readers: readers)
                added.append(observer)
                return (query.key, observer)
            }
            let isSame = before.elementsEqual(state.observers) { $0.observer === $1.observer }
            guard state.users > 0 else { return Change(isSame: isSame) }
            return Change(isSame: isSame, added: added, dropped: old.map(\.observer))
        }
        guard !change.isSame else { return }
        // Together, so that a reader of several finds them as they are after it.
        client.batch {
            for observer in change.added { observer.start() }
            for observer in change.dropped { observer.stop() }
        }
        registrar.withMutation(of: self, keyPath: \.snapshots) {}
        readers.ring()
    }

    private struct Change {
        var isSame: Bool
        /// To be started.
        var added: [QueryObserver<Value>] = []
        /// To be stopped.
        var dropped: [QueryObserver<Value>] = []
    }

    /// Begins to observe. Each start needs its own ``stop()``.
    public func start() {
        for observer in changeUsers(by: 1, from: 0) { observer.start() }
    }

    /// Ends what one ``start()`` began.
    public func stop() {
        for observer in changeUsers(by: -1, from: 1) { observer.stop() }
    }

    /// Observes until the task is cancelled: what the `task` of a view needs.
    public func run() async {
        start()
        await Doorbell().wait()
        stop()
    }

    /// - Returns: The observers that have to follow.
    private func changeUsers(by change: Int, from edge: Int) -> [QueryObserver<Value>] {
        state.withLock { state in
            guard state.users + change >= 0 else { return [] }
            defer { state.users += change }
            return state.users == edge ? state.observers.map(\.observer) : []
        }
    }

    deinit {
        if state.withLock({ $0.users > 0 }) {
            for observer in state.withLock({ $0.observers }) { observer.observer.stop() }
        }
    }
}
