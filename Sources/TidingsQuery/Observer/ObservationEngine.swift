import Synchronization

/// What an observer is made of, whatever the type of the entry's value.
protocol ObservationEngine<Output>: AnyObject, Sendable {
    associatedtype Output: Sendable

    func start(isSwitch: Bool)
    func stop()
    func setEnabled(_ isEnabled: Bool)
    func current() -> QuerySnapshot<Output>
    func refetch(isRestarting: Bool, direction: FetchDirection?) -> any AnyFetchTicket
}

/// Turns the states of an entry into snapshots for one observer: selects, fills in placeholders, and keeps quiet about
/// what makes no difference.
///
/// The caller's functions run outside of its lock, so two states may be worked on at once; the later one wins.
final class QueryObservation<Source: Sendable, Output: Sendable>: ObservationEngine, EntryObserver {
    typealias Value = Source

    private struct State {
        var registration: UInt64?
        var isEnabled: Bool
        var seen: EntryFacts?
        var selection = Selection<Output>()
        var last: QuerySnapshot<Output>
        var updatesAtMount = (data: 0, errors: 0)
    }

    private let identifier: UInt64
    private let client: QueryClient
    private let query: Query<Source>
    private let select: @Sendable (Source) throws -> Output
    private let placeholder: Placeholder<Output>
    /// What was shown before by the same observer.
    private let previous: Output?
    private let onChange: @Sendable (ObservationSignals.Signal) -> Void
    /// For one that shows the data as it is; nil for one that selects, whose function decides what is news.
    private let gate: ChangeGate?
    private let isEnabled: Atomic<Bool>
    /// As it was when the observation was made: defaults that change later count for later observers.
    private let staleTime: StaleTime
    private let state: Mutex<State>

    init(
        client: QueryClient,
        query: Query<Source>,
        isEnabled: Bool,
        placeholder: Placeholder<Output>,
        previous: Output?,
        isPlain: Bool,
        select: @escaping @Sendable (Source) throws -> Output,
        onChange: @escaping @Sendable (ObservationSignals.Signal) -> Void
    ) {
        identifier = client.withCache { $0.nextIdentifier() }
        staleTime = client.options(of: query).staleTime ?? .zero
        self.client = client
        self.query = query
        self.select = select
        self.placeholder = placeholder
        self.previous = previous
        self.onChange = onChange
        gate = isPlain ? ChangeGate() : nil
        self.isEnabled = Atomic(isEnabled)
        var nothing = QuerySnapshot<Output>.nothing(isStale: isEnabled)
        nothing.origin = identifier
        state = Mutex(State(isEnabled: isEnabled, last: nothing))
    }

    func start(isSwitch: Bool) {
        let (identifier, isEnabled) = state.withLock { ($0.registration, $0.isEnabled) }
        guard identifier == nil else { return }
        let settings = ObserverSettings(isEnabled: isEnabled, options: client.options(of: query))
        guard let mounted = client.mount(self, on: query, settings, isSwitch: isSwitch) else { return }
        state.withLock { state in
            state.registration = mounted.registration
            state.updatesAtMount = mounted.updates
        }
        receive(mounted.state)
    }

    func stop() {
        let identifier = state.withLock { state in
            defer { state.registration = nil }
            return state.registration
        }
        if let identifier { client.unmount(identifier, from: query) }
    }

    func setEnabled(_ isEnabled: Bool) {
        self.isEnabled.store(isEnabled, ordering: .relaxed)
        let identifier = state.withLock { state in
            state.isEnabled = isEnabled
            return state.registration
        }
        let settings = ObserverSettings(isEnabled: isEnabled, options: client.options(of: query))
        if let identifier { client.update(identifier, on: query, to: settings) }
        refresh()
        if gate != nil { onChange(.snapshot) }
    }

    func refetch(isRestarting: Bool, direction: FetchDirection?) -> any AnyFetchTicket {
        client.start(query, FetchOptions(isRestarting: isRestarting, direction: direction))
    }

    /// What it is now, also if nobody said so yet.
    func current() -> QuerySnapshot<Output> {
        refresh()
        return state.withLock(\.last)
    }

    private func refresh() {
        client.wake(query)
        let now = client.withCache { cache in
            cache.entry(self.query)?.state(at: cache.now)
                ?? EntryState(QueryMachine(), entry: 0, at: cache.now)
        }
        take(now)
    }

    func receive(_ new: EntryState<Source>) {
        // One that shows the data as it is does nothing more until somebody looks.
        guard let gate else { return take(new) }
        let news = gate.pass(new.facts, staleTime: staleTime, isEnabled: isEnabled.load(ordering: .relaxed))
        if !news.isEmpty { onChange(news) }
    }

    private func take(_ new: EntryState<Source>) {
        let (old, isCurrent) = state.withLock { state in
            (state.selection, state.seen.map { !new.facts.isOlder(than: $0) } ?? true)
        }
        guard isCurrent else { return }
        let selection = old.applied(to: new, isPlain: gate != nil, select: select)
        // Asked for at most once for each entry, and only while there is nothing else to show.
        let stand = selection.data == nil && new.machine.status == .pending ? placeholder.value(previous) : nil
        let news = state.withLock { state -> ObservationSignals.Signal in
            if let seen = state.seen, new.facts.isOlder(than: seen) { return [] }
            let last = state.last
            state.seen = new.facts
            state.selection = selection
            state.last = snapshot(new, selection, stand, isEnabled: state.isEnabled, since: state.updatesAtMount)
            return .difference(last, state.last)
        }
        if gate == nil, !news.isEmpty { onChange(news) }
    }

    private func snapshot(
        _ new: EntryState<Source>,
        _ selection: Selection<Output>,
        _ stand: Output?,
        isEnabled: Bool,
        since mount: (data: Int, errors: Int)
    ) -> QuerySnapshot<Output> {
        let isStale = isEnabled && new.facts.isStale(staleTime)
        var snapshot = QuerySnapshot(new.machine, data: selection.data, isStale: isStale)
        snapshot.origin = identifier
        snapshot.dataStamp = selection.stamp
        if let error = selection.error {
            snapshot.error = error
            snapshot.status = .error
            snapshot.errorUpdatedAt = new.facts.moment.date
            snapshot.errorStamp = -Int(clamping: selection.stamp) - 1
        } else if let stand {
            snapshot.data = stand
            snapshot.status = .success
            snapshot.isPlaceholder = true
        }
        let errors = new.machine.trouble?.errorCount ?? 0
        snapshot.isFetchedAfterMount =
            new.machine.updateCount > mount.data || errors > mount.errors
        return snapshot
    }
}

/// What an observer made of an entry's data, kept as long as the data stays the same.
struct Selection<Output: Sendable>: Sendable {
    private(set) var data: Output?
    private(set) var error: (any Error)?
    /// Changes when the outcome does.
    private(set) var stamp: UInt64 = 0
    private var entry: UInt64 = 0
    private var revision: UInt64?

    func applied<Source>(
        to state: EntryState<Source>,
        isPlain: Bool,
        select: @Sendable (Source) throws -> Output
    ) -> Selection {
        guard entry != state.facts.entry || revision != state.machine.dataRevision else { return self }
        var next = self
        next.entry = state.facts.entry
        next.revision = state.machine.dataRevision
        next.error = nil
        guard let source = state.machine.data else {
            next.data = nil
            if data != nil || error != nil { next.stamp += 1 }
            return next
        }
        do {
            let selected = try select(source)
            // Of data as it is, the entry has said already that it is not the same.
            let isSame = !isPlain && error == nil && data.map { ValueTraits.areEqual($0, selected) } ?? false
            if !isSame { next.stamp += 1 }
            next.data = selected
        } catch {
            next.error = error
            next.stamp += 1
        }
        return next
    }
}
