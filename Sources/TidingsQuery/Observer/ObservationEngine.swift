import Synchronization

/// What an observer is made of, whatever the type of the entry's value.
protocol ObservationEngine<Output>: AnyObject, Sendable {
    associatedtype Output: Sendable

    var key: QueryKey { get }
    /// Whether what it observes is fetched when there is reason to.
    var isLive: Bool { get }
    /// Says whether it is to observe, and how it comes to do so; nil is not to. It runs nobody's functions, so the order of
    /// those who say it can be kept by a lock.
    func want(_ arrival: Arrival?)
    /// Begins or ends to observe, as was said last.
    func reconcile()
    func setEnabled(_ isEnabled: Bool)
    func current() -> QuerySnapshot<Output>
    func refetch(isRestarting: Bool, direction: FetchDirection?) -> any AnyFetchTicket
}

/// Turns the states of an entry into snapshots for one observer: selects, fills in placeholders, and keeps quiet about
/// what makes no difference.
///
/// The caller's functions run outside of its lock, so two states may be worked on at once; the later one wins, and is
/// compared with what was shown last, not with what was shown when the work on it began.
final class QueryObservation<Source: Sendable, Output: Sendable>: ObservationEngine, EntryObserver {
    typealias Value = Source

    private struct State {
        var registration: UInt64?
        /// How it is to come to its entry; nil if it is not to be there.
        var wanted: Arrival?
        /// Whether somebody is about to register it or to end that.
        var isReconciling = false
        var isEnabled: Bool
        /// What the query's own function decided last, and about which state.
        var interval: RefetchInterval?
        var decided: (entry: UInt64, revision: UInt64)?
        var seen: EntryFacts?
        var selection = Selection<Output>()
        var last: QuerySnapshot<Output>
        var updatesAtMount = (data: 0, errors: 0)
        /// What is kept while it observes.
        var held: (any Sendable)?
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
        staleTime = client.observedOptions(of: query).staleTime ?? .zero
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

    var key: QueryKey { query.key }
    var isLive: Bool { client.options(of: query).isLive ?? true }

    func want(_ arrival: Arrival?) {
        state.withLock { $0.wanted = arrival }
    }

    func reconcile() {
        while let step = nextStep() {
            switch step {
            case .mount(let arrival, let isEnabled): mount(arrival, isEnabled: isEnabled)
            case .unmount(let registration): unmount(registration)
            }
            state.withLock { $0.isReconciling = false }
        }
    }

    private enum Step {
        case mount(Arrival, isEnabled: Bool)
        case unmount(UInt64)
    }

    /// - Returns: Nil if nothing is to be done, or somebody is at it, who goes on until nothing is to be done.
    private func nextStep() -> Step? {
        state.withLock { state in
            guard !state.isReconciling else { return nil }
            switch (state.wanted, state.registration) {
            case (let arrival?, nil):
                state.isReconciling = true
                return .mount(arrival, isEnabled: state.isEnabled)
            case (nil, let registration?):
                state.isReconciling = true
                state.registration = nil
                state.decided = nil
                state.interval = nil
                return .unmount(registration)
            default: return nil
            }
        }
    }

    private func unmount(_ registration: UInt64) {
        client.unmount(registration, from: query)
        // The end of what was held may run a caller's function.
        let held = state.withLock { state in
            defer { state.held = nil }
            return state.held
        }
        _ = held
    }

    private func mount(_ arrival: Arrival, isEnabled: Bool) {
        let held = query.hold?()
        state.withLock { $0.held = held }
        guard let mounted = client.mount(self, on: query, settings(isEnabled, nil), arrival) else {
            // The key belongs to another type: whoever wants to observe it has to say so again.
            _ = state.withLock { state in
                defer { state.held = nil }
                return state.held
            }
            return want(nil)
        }
        let isOtherwise = state.withLock { state in
            state.registration = mounted.registration
            state.updatesAtMount = mounted.updates
            return state.isEnabled != isEnabled
        }
        if isOtherwise { tellSettings() }
        receive(mounted.state)
        // What others did since then was told to an observer that could not decide yet.
        if query.refetchInterval != nil { decideInterval(entryState()) }
    }

    func setEnabled(_ isEnabled: Bool) {
        self.isEnabled.store(isEnabled, ordering: .relaxed)
        state.withLock { $0.isEnabled = isEnabled }
        tellSettings()
        refresh()
        if gate != nil { onChange(.snapshot) }
    }

    // MARK: What the entry has to know

    private func settings(_ isEnabled: Bool, _ interval: RefetchInterval?) -> ObserverSettings {
        var options = client.observedOptions(of: query)
        if query.refetchInterval != nil { options.refetchInterval = interval }
        return ObserverSettings(isEnabled: isEnabled, options: options)
    }

    /// Of two threads that tell at once, the one with the older settings may come last: it looks again.
    private func tellSettings() {
        var isCurrent = false
        while !isCurrent {
            let told = state.withLock { $0 }
            guard let registration = told.registration else { return }
            client.update(registration, on: query, to: settings(told.isEnabled, told.interval))
            isCurrent = state.withLock { $0.isEnabled == told.isEnabled && $0.interval == told.interval }
        }
    }

    /// Asks the query's own function, once for each state: what it decides changes nothing that it could be asked about.
    private func decideInterval(_ new: EntryState<Source>) {
        guard let decide = query.refetchInterval else { return }
        let current = (entry: new.facts.entry, revision: new.facts.revision)
        let isNews = state.withLock { state in
            guard state.registration != nil, state.decided.map({ $0 < current }) ?? true else { return false }
            state.decided = current
            return true
        }
        guard isNews else { return }
        let snapshot = QuerySnapshot(new.machine, isStale: new.facts.isStale(staleTime))
        let interval = decide(snapshot).map(RefetchInterval.every)
        let isOther = state.withLock { state in
            guard let decided = state.decided, decided == current, state.interval != interval else { return false }
            state.interval = interval
            return true
        }
        if isOther { tellSettings() }
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
        take(entryState())
    }

    private func entryState() -> EntryState<Source> {
        if let state = client.withEntry(ifThere: query, { $1.state(at: $0.now) }) { return state }
        return client.withCache { [query] cache in
            // One that came since then is older than the last identifier: taken for missing, it would stay so.
            if let entry = cache.entry(query) { return entry.state(at: cache.now) }
            // There is nothing any more, which is newer than whatever there was.
            return EntryState(QueryMachine(), entry: cache.lastIdentifier, at: cache.now)
        }
    }

    func receive(_ new: EntryState<Source>) {
        decideInterval(new)
        // One that shows the data as it is does nothing more until somebody looks.
        guard let gate else { return take(new) }
        let news = gate.pass(new.facts, staleTime: staleTime, isEnabled: isEnabled.load(ordering: .relaxed))
        if !news.isEmpty { onChange(news) }
    }

    private func take(_ new: EntryState<Source>) {
        while !tryToTake(new) {}
    }

    /// - Returns: Whether it is done; otherwise somebody else was faster, and it has to be done anew.
    private func tryToTake(_ new: EntryState<Source>) -> Bool {
        let (old, isCurrent) = state.withLock { state in
            (state.selection, state.seen.map { !new.facts.isOlder(than: $0) } ?? true)
        }
        guard isCurrent else { return true }
        let selection = old.applied(to: new, isPlain: gate != nil, select: select)
        // Asked for at most once for each entry, and only while there is nothing else to show.
        let stand = selection.data == nil && new.machine.status == .pending ? placeholder.value(previous) : nil
        let news = state.withLock { state -> ObservationSignals.Signal? in
            if let seen = state.seen, new.facts.isOlder(than: seen) { return [] }
            guard state.selection.isAsIn(old) else { return nil }
            let last = state.last
            state.seen = new.facts
            state.selection = selection
            state.last = snapshot(new, selection, stand, isEnabled: state.isEnabled, since: state.updatesAtMount)
            return .difference(last, state.last)
        }
        guard let news else { return false }
        if gate == nil, !news.isEmpty { onChange(news) }
        return true
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

extension Arrival {
    /// How an observer comes from one observation to another.
    static func from<Output>(
        _ old: any ObservationEngine<Output>,
        to new: any ObservationEngine<Output>
    ) -> Arrival {
        guard old.key == new.key else { return .move }
        return new.isLive && !old.isLive ? .wake : .stay
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

    /// Whether it was made of the same data.
    func isAsIn(_ other: Selection) -> Bool {
        entry == other.entry && revision == other.revision && stamp == other.stamp
    }

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
