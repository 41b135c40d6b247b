/// Everything a client knows, and what may be done to it at once. It lives in the client's critical section: no function
/// of a caller runs in here.
struct Cache {
    var entries = KeyTree<AnyEntry>()
    /// The time of the current operation.
    var now: Timestamp
    var isOnline: Bool
    var isFocused: Bool
    /// Whether data may still come from storage: observers do not fetch yet.
    var isRestoring: Bool
    /// Who waits for that to end; nil if nobody has begun to load.
    var restoration: FetchTicket<Void>?
    var clientDefaults: QueryOptions
    var keyDefaults: [(key: QueryKey, options: QueryOptions)] = []
    var mutations = MutationTable()
    var effects = Effects()
    var inspection = Inspection()
    var agenda = Agenda()
    var recency = Recency()
    /// How many look at the agenda when its time has come.
    var runners = 0
    var batchDepth = 0
    /// The entries that are not in storage as they are here.
    var unsaved: [AnyEntry] = []
    /// What could not be stored, and what happened to entries that are in storage only, in the order in which it has to be
    /// stored. It comes before what is unsaved.
    var unstored: [PersistedChange] = []
    /// How many of them there were when those that make no difference were left out.
    var compactedCount = 0
    /// So many changes are stored at once, also if nobody gives the client time.
    var savesAt = Cache.mostUnsaved
    /// Who uses storage, to be waited for; nil if nobody does.
    var storing: FetchTicket<Void>?
    /// What happened to entries before it was known what is stored of them.
    var missedByStorage: [PersistedChange] = []
    /// How many of them there were when those that make no difference were left out.
    var compactedMissed = 0
    /// The reasons to fetch that came before that, too.
    var missedOccasions: Set<Return> = []
    /// Mutations that were discarded and are still in storage.
    var discarded: [MutationIdentifier] = []
    /// Whether there is something to store, for the first time since it was last done.
    var wantsSaving = false
    let isPersisting: Bool
    /// How many entries wait in stored form for somebody who knows their type.
    var dormantCount = 0
    /// When the agenda is looked at next, if somebody does.
    var wakesAt: Timestamp?
    let bounds: CacheBounds
    static let mostUnsaved = 1_000
    private var dirty: [AnyEntry] = []
    private(set) var lastIdentifier: UInt64 = 0
    private var lastEpoch: UInt64 = 0

    init(_ configuration: QueryClient.Configuration, now: Timestamp) {
        self.now = now
        bounds = configuration.bounds
        clientDefaults = configuration.defaults
        isOnline = configuration.connectivity.isActive
        isFocused = configuration.focus.isActive
        isPersisting = configuration.persister != nil
        isRestoring = isPersisting
    }

    mutating func nextIdentifier() -> UInt64 {
        lastIdentifier += 1
        return lastIdentifier
    }

    var epoch: QueryEpoch { QueryEpoch(lastEpoch) }

    mutating func nextEpoch() -> QueryEpoch {
        lastEpoch += 1
        return QueryEpoch(lastEpoch)
    }

    func options<Value>(of query: Query<Value>) -> QueryOptions {
        var defaults = clientDefaults
        for candidate in keyDefaults where query.key.starts(with: candidate.key) {
            defaults = candidate.options.completed(by: defaults)
        }
        return query.options.completed(by: defaults)
    }
}

// MARK: - Finding entries

extension Cache {
    func entry<Value>(_ query: Query<Value>) -> Entry<Value>? {
        entries[query.key] as? Entry<Value>
    }

    /// Entries that meet a filter, its predicate aside.
    ///
    /// - Parameter admitted: The entries that the predicate admitted; nil if there is none.
    func select(_ filter: QueryFilter, admitted: Set<UInt64>?) -> [AnyEntry] {
        var found: [AnyEntry] = []
        let consider = { (entry: AnyEntry) in
            guard filter.admits(entry, at: now), admitted?.contains(entry.identifier) ?? true else { return }
            found.append(entry)
        }
        if let keys = filter.keys {
            for key in keys where filter.admits(key) {
                if let entry = entries[key] { consider(entry) }
            }
        } else if filter.isExact, let key = filter.key {
            if let entry = entries[key] { consider(entry) }
        } else {
            entries.forEach(under: filter.key ?? [], consider)
        }
        // The order of a dictionary is nobody's business; the order of creation can be relied on.
        return found.sorted { $0.identifier < $1.identifier }
    }

    /// Finds or makes the entry of a query, and completes it with what the query says.
    ///
    /// - Returns: Nil if the key belongs to another type.
    mutating func makeEntry<Value>(
        _ query: Query<Value>,
        initial: @autoclosure () -> InitialData<Value>
    ) -> Entry<Value>? {
        if let existing = entries[query.key] {
            guard let entry = existing as? Entry<Value> else { return nil }
            adopt(query, into: entry, initial: initial())
            return entry
        }
        var query = query
        query.options = options(of: query)
        let initial = initial()
        let entry = Entry(query, identifier: nextIdentifier(), initial: initial, at: now)
        entry.prolong(query.options.gcTime)
        entries.insert(entry, for: query.key)
        entry.cost = initial.cost
        recency.touch(entry)
        inspection.record(.added(entry.key))
        changed(entry, isUpdate: false)
        return entry
    }

    private mutating func adopt<Value>(_ query: Query<Value>, into entry: Entry<Value>, initial: InitialData<Value>) {
        let options = options(of: query)
        entry.prolong(options.gcTime)
        if query.fetcher != nil || entry.query.fetcher == nil {
            let old = entry.query
            effects.release(old)
            entry.query = query
            entry.query.options = options
            entry.query.version = query.version ?? old.version
            entry.query.cost = query.cost ?? old.cost
        }
        if !entry.isObserved { recency.touch(entry) }
        // Optimistic changes that wait for data are callers' functions, which do not run in here: such an entry waits for
        // the next data, initial or not.
        guard entry.machine.overlay.base == nil, !entry.hasPatches, let value = initial.value else { return }
        recency.changeCost(of: entry, to: initial.cost)
        let arrival = DataArrival(moment: initial.updatedAt ?? now, version: initial.version)
        modify(entry) { $0.set(Overlay(base: value), arrival, isSame: false) }
        changed(entry)
    }

    /// Takes an entry out. One that is observed, or optimistically changed, stays and is empty.
    ///
    /// - Parameter isForgotten: Whether it goes from storage too.
    mutating func remove(_ entry: AnyEntry, isForgotten: Bool) {
        entry.cancel(in: &self, revertsTo: .error)
        inspection.record(.removed(entry.key))
        effects.release(entry.belongings)
        recency.changeCost(of: entry, to: 0)
        if entry.isObserved || entry.hasPatches {
            entry.clear(in: &self)
            changed(entry)
        } else {
            recency.remove(entry)
            agenda.remove(entry)
            entry.isRemoved = true
            if isForgotten {
                entry.parting = .some(.remove)
            } else if entry.isUnsaved {
                entry.parting = .some(entry.unsavedChange)
            }
            entries.remove(entry.key)
            entry.clear(in: &self)
        }
        if entry is DormantEntry { dormantCount -= 1 }
        if isForgotten { forget(entry) }
    }
}

// MARK: - Changes

extension Cache {
    /// Changes the state of an entry. What it replaces goes after the critical section.
    mutating func modify<Value, Outcome>(
        _ entry: Entry<Value>,
        _ change: (inout QueryMachine<Value>) -> Outcome
    ) -> Outcome {
        effects.release(entry.machine)
        return change(&entry.machine)
    }

    /// An entry has changed: it is told to its observers when the operation, or the batch that it belongs to, is over.
    ///
    /// - Parameter isUpdate: Whether its state did; otherwise only who observes it.
    mutating func changed(_ entry: AnyEntry, isUpdate: Bool = true) {
        if isUpdate { entry.lastChange = now }
        guard !entry.isDirty else { return }
        entry.isDirty = true
        dirty.append(entry)
    }

    /// A mutation was discarded, and should go from storage.
    mutating func markDiscarded(_ identifier: MutationIdentifier) {
        guard isPersisting else { return }
        discarded.append(identifier)
        wantsSaving = true
    }

    /// What is stored of an entry has to go.
    mutating func forget(_ entry: AnyEntry) {
        entry.isForgotten = true
        markUnsaved(entry)
        keep(.remove(.exactly(entry.key)))
    }

    /// What the server is known to have has changed, and should be stored.
    mutating func markUnsaved(_ entry: AnyEntry) {
        guard isPersisting, !entry.isUnsaved else { return }
        if unsaved.isEmpty { wantsSaving = true }
        entry.isUnsaved = true
        unsaved.append(entry)
    }

    /// Ends an operation.
    ///
    /// - Returns: What has to be done now that it is over.
    mutating func settle(_ client: QueryClient) -> Effects {
        if runners == 0 { fireDue(client) }
        collectMutations()
        if batchDepth == 0 {
            for entry in dirty {
                entry.isDirty = false
                guard !entry.isRemoved else {
                    effects.release(entry.belongings)
                    continue
                }
                if let notice = entry.makeNotice(at: now) { effects.notify(notice) }
                schedule(entry)
            }
            dirty.removeAll(keepingCapacity: true)
            evict()
        }
        ring(client)
        if let telling = inspection.telling { effects.perform(telling) }
        defer { effects = Effects() }
        return effects
    }

    /// Wakes those who do things in their own time, if they have to be earlier than they think.
    private mutating func ring(_ client: QueryClient) {
        if runners > 0, let next = nextDeadline, next < wakesAt ?? .distantFuture {
            wakesAt = next
            let doorbell = client.doorbell
            effects.perform { doorbell.ring() }
        }
        if wantsSaving {
            wantsSaving = false
            let doorbell = client.savingDoorbell
            effects.perform { doorbell.ring() }
        }
        if unsaved.count + unstored.count >= savesAt {
            savesAt = .max
            effects.perform { _ = client.spawn { await client.save() } }
        }
    }

    /// Forgets what was not used for the longest time, as far as the bounds ask for it.
    private mutating func evict() {
        while bounds.areExceeded(count: recency.count, cost: recency.cost),
            let entry = recency.leastRecent(where: \.isDisposable)
        {
            inspection.record(.evicted(entry.key))
            remove(entry, isForgotten: false)
        }
    }
}

// MARK: - Time

extension Cache {
    mutating func schedule(_ entry: AnyEntry) {
        guard let next = entry.nextDeadline(at: now) else { return }
        agenda.schedule(entry, at: next)
    }

    /// When time alone changes something next.
    var nextDeadline: Timestamp? {
        switch (agenda.next, mutations.nextCollection) {
        case (nil, let next), (let next, nil): next
        case (let first?, let second?): min(first, second)
        }
    }

    /// Does what the time has come for. Late is as good as in time: everything is decided by how old things are.
    mutating func fireDue(_ client: QueryClient) {
        while let entry = agenda.popDue(at: now) {
            fire(entry, client)
            if !entry.isRemoved { schedule(entry) }
        }
    }

    private mutating func fire(_ entry: AnyEntry, _ client: QueryClient) {
        if entry.isDisposable {
            guard let deadline = (entry.gcTime ?? .standard).deadline(from: entry.idleSince), deadline <= now else {
                return
            }
            return remove(entry, isForgotten: false)
        }
        // What became stale by age shows in the observers' results.
        changed(entry, isUpdate: false)
        var wantsFetch = false
        for (index, registration) in entry.registrations.enumerated() {
            guard let interval = registration.settings.interval,
                max(registration.intervalStart, entry.lastChange) + interval <= now
            else { continue }
            entry.registrations[index].intervalStart = now
            if isFocused || registration.settings.refetchesInBackground { wantsFetch = true }
        }
        if wantsFetch, !isRestoring { _ = entry.fetch(in: &self, by: client, restarting: false) }
    }
}
