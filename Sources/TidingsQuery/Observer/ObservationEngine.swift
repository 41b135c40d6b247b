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
        var seen: EntryState<Source>?
        var selection = Selection<Output>()
        var last: QuerySnapshot<Output>
        var updatesAtMount = (data: 0, errors: 0)
    }

    private let identifier: UInt64
    private let client: QueryClient
    private let query: Query<Source>
    private let select: @Sendable (Source) throws -> Output
    private let isEqual: (@Sendable (Output, Output) -> Bool)?
    private let placeholder: Placeholder<Output>
    /// What was shown before by the same observer.
    private let previous: Output?
    private let onChange: @Sendable (_ old: QuerySnapshot<Output>, _ new: QuerySnapshot<Output>) -> Void
    private let state: Mutex<State>

    init(
        client: QueryClient,
        query: Query<Source>,
        isEnabled: Bool,
        placeholder: Placeholder<Output>,
        previous: Output?,
        isEqual: (@Sendable (Output, Output) -> Bool)?,
        select: @escaping @Sendable (Source) throws -> Output,
        onChange: @escaping @Sendable (QuerySnapshot<Output>, QuerySnapshot<Output>) -> Void
    ) {
        identifier = client.withCache { $0.nextIdentifier() }
        self.client = client
        self.query = query
        self.select = select
        self.isEqual = isEqual
        self.placeholder = placeholder
        self.previous = previous
        self.onChange = onChange
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
        let identifier = state.withLock { state in
            state.isEnabled = isEnabled
            return state.registration
        }
        let settings = ObserverSettings(isEnabled: isEnabled, options: client.options(of: query))
        if let identifier { client.update(identifier, on: query, to: settings) }
        refresh()
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
                ?? EntryState(entry: 0, machine: QueryMachine(), moment: cache.now)
        }
        receive(now)
    }

    func receive(_ new: EntryState<Source>) {
        let (old, isCurrent) = state.withLock { state in
            (state.selection, state.seen.map { !new.isOlder(than: $0) } ?? true)
        }
        guard isCurrent else { return }
        let selection = old.applied(to: new, select: select, isEqual: isEqual)
        // Asked for at most once for each entry, and only while there is nothing else to show.
        let stand = selection.data == nil && new.machine.status == .pending ? placeholder.value(previous) : nil
        let change = state.withLock { state -> (QuerySnapshot<Output>, QuerySnapshot<Output>)? in
            if let seen = state.seen, new.isOlder(than: seen) { return nil }
            let last = state.last
            state.seen = new
            state.selection = selection
            state.last = snapshot(new, selection, stand, isEnabled: state.isEnabled, since: state.updatesAtMount)
            return last.looksLike(state.last) ? nil : (last, state.last)
        }
        if let (old, new) = change { onChange(old, new) }
    }

    private func snapshot(
        _ new: EntryState<Source>,
        _ selection: Selection<Output>,
        _ stand: Output?,
        isEnabled: Bool,
        since mount: (data: Int, errors: Int)
    ) -> QuerySnapshot<Output> {
        let staleTime = query.options.staleTime ?? client.options(of: query).staleTime ?? .zero
        let isStale = isEnabled && new.machine.isStale(staleTime, at: new.moment)
        var snapshot = QuerySnapshot(new.machine, data: selection.data, isStale: isStale)
        snapshot.origin = identifier
        snapshot.dataStamp = selection.stamp
        if let error = selection.error {
            snapshot.error = error
            snapshot.status = .error
            snapshot.errorUpdatedAt = new.moment.date
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
        select: @Sendable (Source) throws -> Output,
        isEqual: (@Sendable (Output, Output) -> Bool)?
    ) -> Selection {
        guard entry != state.entry || revision != state.machine.dataRevision else { return self }
        var next = self
        next.entry = state.entry
        next.revision = state.machine.dataRevision
        next.error = nil
        guard let source = state.machine.data else {
            next.data = nil
            if data != nil || error != nil { next.stamp += 1 }
            return next
        }
        do {
            let selected = try select(source)
            let isSame = error == nil && data.map { isEqual?($0, selected) ?? false } ?? false
            if !isSame { next.stamp += 1 }
            next.data = selected
        } catch {
            next.error = error
            next.stamp += 1
        }
        return next
    }
}
