public import Observation
import Synchronization

/// Watches one query: keeps its entry alive, fetches when there is reason to, and tells what changed.
///
/// It is a model for SwiftUI and everything else that uses `Observation`, and it can be read as a sequence:
///
/// ```swift
/// struct OrdersView: View {
///     @State private var orders: QueryObserver<[Order]>
///
///     var body: some View {
///         List(orders.data ?? []) { OrderRow(order: $0) }
///             .task { await orders.run() }
///     }
/// }
/// ```
///
/// It observes from ``start()`` to ``stop()``, or for as long as ``run()`` or a reader of ``snapshots`` does; before, it
/// shows what is in the cache and fetches nothing. What it shows is never older than what the client was told: a change
/// made on some thread is there when the call that made it returns, and that thread notifies.
@dynamicMemberLookup
public final class QueryObserver<Value: Sendable>: Observable, Sendable {
    private struct State {
        var engine: any ObservationEngine<Value>
        var users = 0
        var isEnabled: Bool
        var placeholder: Placeholder<Value>
    }

    private let client: QueryClient
    private let signals = ObservationSignals()
    private let readers: SnapshotReaders
    private let state: Mutex<State>

    /// Watches a query.
    ///
    /// - Parameters:
    ///   - query: What to watch.
    ///   - client: Whose cache it is in.
    ///   - isEnabled: Whether it fetches on its own account: ``isEnabled``.
    ///   - placeholder: What it shows while there is no data.
    public convenience init(
        _ query: Query<Value>,
        in client: QueryClient,
        isEnabled: Bool = true,
        placeholder: Placeholder<Value> = .none
    ) {
        self.init(
            query,
            in: client,
            isEnabled: isEnabled,
            placeholder: placeholder,
            isPlain: true,
            readers: SnapshotReaders()
        ) { $0 }
    }

    /// One of several whose readers are told of the changes of each.
    convenience init(
        _ query: Query<Value>,
        in client: QueryClient,
        placeholder: Placeholder<Value>,
        readers: SnapshotReaders
    ) {
        self.init(query, in: client, isEnabled: true, placeholder: placeholder, isPlain: true, readers: readers) { $0 }
    }

    /// Watches a part of a query's data, or what a function makes of it.
    ///
    /// - Parameters:
    ///   - query: What to watch.
    ///   - client: Whose cache it is in.
    ///   - isEnabled: Whether it fetches on its own account: ``isEnabled``.
    ///   - placeholder: What it shows while there is no data; it is not selected from.
    ///   - select: Gets the data whenever it has changed. An error shows in this observer only. If what it returns is
    ///     equal to what it returned before, nothing has changed.
    public convenience init<Source>(
        _ query: Query<Source>,
        in client: QueryClient,
        isEnabled: Bool = true,
        placeholder: Placeholder<Value> = .none,
        select: @escaping @Sendable (Source) throws -> Value
    ) {
        self.init(
            query,
            in: client,
            isEnabled: isEnabled,
            placeholder: placeholder,
            isPlain: false,
            readers: SnapshotReaders(),
            select: select
        )
    }

    private init<Source>(
        _ query: Query<Source>,
        in client: QueryClient,
        isEnabled: Bool,
        placeholder: Placeholder<Value>,
        isPlain: Bool,
        readers: SnapshotReaders,
        select: @escaping @Sendable (Source) throws -> Value
    ) {
        self.client = client
        self.readers = readers
        let engine = QueryObservation(
            client: client,
            query: query,
            isEnabled: isEnabled,
            placeholder: placeholder,
            previous: nil,
            isPlain: isPlain,
            select: select,
            onChange: Self.teller(signals, readers)
        )
        state = Mutex(State(engine: engine, isEnabled: isEnabled, placeholder: placeholder))
    }

    deinit {
        let engine = engine
        engine.want(nil)
        engine.reconcile()
    }

    private var engine: any ObservationEngine<Value> { state.withLock(\.engine) }
}

// MARK: - What it shows

extension QueryObserver {
    /// Everything that is known. Read once what is to be shown together.
    public var snapshot: QuerySnapshot<Value> {
        signals.access(.snapshot)
        return engine.current()
    }

    /// The data. Whoever reads only this is told only about changes of it.
    public var data: Value? {
        signals.access(.data)
        return engine.current().data
    }

    /// Why there is no newer data. Whoever reads only this is told only about changes of it.
    public var error: (any Error)? {
        signals.access(.error)
        return engine.current().error
    }

    /// What is known about the data. Whoever reads only this is told only about changes of it.
    public var status: QueryStatus {
        signals.access(.status)
        return engine.current().status
    }

    /// What the network does. Whoever reads only this is told only about changes of it.
    public var fetchStatus: FetchStatus {
        signals.access(.fetchStatus)
        return engine.current().fetchStatus
    }

    /// Anything else of the ``snapshot``.
    public subscript<Member>(dynamicMember member: KeyPath<QuerySnapshot<Value>, Member>) -> Member {
        snapshot[keyPath: member]
    }

    /// What tells of changes: it keeps those who hear of them, not the observer.
    private static func teller(
        _ signals: ObservationSignals,
        _ readers: SnapshotReaders
    ) -> @Sendable (ObservationSignals.Signal) -> Void {
        { news in
            signals.send(news)
            readers.ring()
        }
    }
}

// MARK: - What it does

extension QueryObserver {
    /// Begins to observe: the entry stays, and is fetched whenever there is reason to, the first time now. Each start needs
    /// its own ``stop()``.
    public func start() {
        changeUsers(by: 1).reconcile()
    }

    /// Ends what one ``start()`` began.
    public func stop() {
        changeUsers(by: -1).reconcile()
    }

    /// Counts one who observes. It runs nobody's functions.
    ///
    /// - Returns: What has to be reconciled with it.
    func changeUsers(by change: Int) -> any ObservationEngine<Value> {
        state.withLock { state in
            let users = max(state.users + change, 0)
            if (users > 0) != (state.users > 0) { state.engine.want(users > 0 ? .start : nil) }
            state.users = users
            return state.engine
        }
    }

    /// Observes until the task is cancelled: what the `task` of a view needs.
    public func run() async {
        start()
        await Doorbell().wait()
        stop()
    }

    /// Whether it fetches on its own account. One that does not still shows what others fetched, and can ``refetch()``.
    public var isEnabled: Bool {
        get { state.withLock(\.isEnabled) }
        set {
            let engine = state.withLock { state in
                state.isEnabled = newValue
                return state.engine
            }
            engine.setEnabled(newValue)
        }
    }

    /// Fetches now, fresh or not, also if it is not enabled.
    ///
    /// - Parameter isRestarting: Whether a fetch that runs is given up for a new one, if there is data to show meanwhile.
    /// - Returns: What is known when the fetch has ended, in whichever way, or has to wait for the network.
    @discardableResult
    public func refetch(isRestarting: Bool = true) async -> QuerySnapshot<Value> {
        await engine.refetch(isRestarting: isRestarting, direction: nil).finished()
        return snapshot
    }

    /// Adds to data that comes in pages.
    func fetchMore(_ direction: FetchDirection) async {
        await engine.refetch(isRestarting: true, direction: direction).finished()
    }

    /// Watches another query from now on, and fetches it if it is stale. With another definition of the same query, nothing
    /// is fetched for that. What the placeholder calls the previous data is the data that is shown now.
    ///
    /// - Parameter query: What to watch.
    public func observe(_ query: Query<Value>) {
        change(to: query, isPlain: true) { $0 }
    }

    /// Watches a part of another query's data from now on.
    ///
    /// - Parameters:
    ///   - query: What to watch.
    ///   - select: As in the initializer.
    public func observe<Source>(_ query: Query<Source>, select: @escaping @Sendable (Source) throws -> Value) {
        change(to: query, isPlain: false, select)
    }

    private func change<Source>(
        to query: Query<Source>,
        isPlain: Bool,
        _ select: @escaping @Sendable (Source) throws -> Value
    ) {
        let old = engine.current()
        let (isEnabled, placeholder) = state.withLock { ($0.isEnabled, $0.placeholder) }
        let engine = QueryObservation(
            client: client,
            query: query,
            isEnabled: isEnabled,
            placeholder: placeholder,
            previous: old.data,
            isPlain: isPlain,
            select: select,
            onChange: Self.teller(signals, readers)
        )
        let replaced = state.withLock { state in
            let replaced = state.engine
            if state.users > 0 { engine.want(.from(replaced, to: engine)) }
            replaced.want(nil)
            state.engine = engine
            return replaced
        }
        // Somebody may have switched the old one meanwhile.
        if self.isEnabled != isEnabled { engine.setEnabled(self.isEnabled) }
        // The new one comes before the old one goes, so that a query which both watch has an observer all the time.
        engine.reconcile()
        replaced.reconcile()
        Self.teller(signals, readers)(.all)
    }

    /// What is known, now and after each change, for one reader at a time. While it is read, it observes. A reader who is
    /// slow misses what was there in between, never what is there last.
    public var snapshots: QuerySnapshots<Value> {
        let source = SnapshotReader.Source(
            start: { self.start() },
            stop: { self.stop() },
            read: { self.snapshot },
            looksLike: { $0.looksLike($1) }
        )
        return QuerySnapshots(source: source, readers: readers)
    }
}
