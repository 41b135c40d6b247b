/// An entry whose values have a type.
final class Entry<Value: Sendable>: AnyEntry {
    var machine: QueryMachine<Value>
    var query: Query<Value>
    /// In the order of ``AnyEntry/registrations``.
    var observers: [any EntryObserver<Value>] = []
    /// The fetch that runs or waits.
    var run: FetchRun<Value>?

    init(
        _ query: Query<Value>,
        identifier: UInt64,
        initial: InitialData<Value>,
        at moment: Timestamp
    ) {
        self.query = query
        machine = QueryMachine(initial: initial.value, at: initial.updatedAt ?? moment, version: initial.version)
        super.init(key: query.key, identifier: identifier, at: moment)
    }

    override var fetchStatus: FetchStatus { machine.fetchStatus }
    override var status: QueryStatus { machine.status }
    override var hasData: Bool { machine.overlay.base != nil }
    override var hasPatches: Bool { machine.overlay.hasPatches }
    override var isInvalidated: Bool { machine.isInvalidated }
    override var isUntouched: Bool { machine.isUntouched }
    override var updatedAt: Timestamp? { machine.updatedAt }
    override var baseVersion: Int64? { machine.baseVersion }
    override var metadata: QueryMetadata { machine.metadata.value ?? QueryMetadata() }
    override var fetchEpoch: QueryEpoch? { machine.fetchEpoch }

    override func holds<Other: Sendable>(_ type: Other.Type) -> Bool { Value.self == Other.self }

    override func isStale(_ staleTime: StaleTime, at moment: Timestamp) -> Bool {
        machine.isStale(staleTime, at: moment)
    }

    override func invalidate(asOf epoch: QueryEpoch) -> InvalidationOutcome {
        machine.invalidate(asOf: epoch)
    }

    override func wantFollowUp() -> (any AnyFetchTicket)? {
        guard let run else { return nil }
        machine.wantFollowUp()
        return run.makeFollowUp()
    }

    override func fetch(in cache: inout Cache, by client: QueryClient, restarting: Bool) -> (any AnyFetchTicket)? {
        // What is only ever set has nobody to ask.
        guard query.fetcher != nil else { return nil }
        let ticket = cache.fetch(self, FetchOptions(isRestarting: restarting), by: client)
        // What waits for the network may wait for long.
        return machine.fetchStatus == .paused ? nil : ticket
    }

    override func resume(in cache: inout Cache, by client: QueryClient) {
        cache.resume(self, by: client)
    }

    override func cancel(in cache: inout Cache, revertsTo outcome: CancelOutcome) {
        cache.cancel(self, revertsTo: outcome)
    }

    override var cancelsWhenUnobserved: Bool { query.options.cancelsWhenUnobserved ?? false }

    override func stopRetrying() {
        machine.setMayRetry(false)
    }

    override func clear(in cache: inout Cache) {
        cache.modify(self) { $0.reset(to: $0.overlay.emptied, .init(moment: lastChange, version: nil)) }
    }

    override var belongings: [any Sendable] { [machine, query, run] }

    override func makeNotice(at moment: Timestamp) -> (@Sendable () -> Void)? {
        guard !observers.isEmpty else { return nil }
        let (observers, state) = (observers, state(at: moment))
        return {
            for observer in observers { observer.receive(state) }
        }
    }

    override func record() -> UnencodedRecord? {
        guard query.options.isPersisted ?? true, let codec = query.codec, let value = machine.overlay.base,
            let updatedAt = machine.updatedAt
        else { return nil }
        return UnencodedRecord(
            key: key,
            valueType: ValueTraits<Value>.name,
            updatedAt: updatedAt,
            version: machine.baseVersion,
            isInvalidated: machine.isInvalidated,
            metadata: metadata,
            encode: { try codec.encode(value) }
        )
    }

    func state(at moment: Timestamp) -> EntryState<Value> {
        EntryState(machine, entry: identifier, at: moment)
    }

    var draft: Draft<Value> {
        Draft(entry: identifier, overlay: machine.overlay, revision: machine.overlayRevision, query: query)
    }

    /// Whether nobody has changed the data since a draft was taken.
    func isAsIn(_ draft: Draft<Value>) -> Bool {
        identifier == draft.entry && machine.overlayRevision == draft.revision
    }

    override var initializer: @Sendable () -> EntryInitial {
        let draft = draft
        return {
            let initial = InitialData(draft.query)
            var overlay = draft.overlay.emptied
            if let value = initial.value { overlay.replace(value) }
            return EntryInitial(entry: draft.entry, value: Beginning(initial: initial, overlay: overlay, draft: draft))
        }
    }

    override func reset(to initials: [UInt64: any Sendable], in cache: inout Cache) {
        guard let beginning = initials[identifier] as? Beginning<Value> else { return }
        let initial = beginning.initial
        // Changes that came or went meanwhile wait for the next data: they cannot be done to anything in here.
        let overlay =
            isAsIn(beginning.draft)
            ? beginning.overlay : hasPatches ? machine.overlay.emptied : Overlay(base: initial.value)
        cache.cancel(self, revertsTo: .error)
        cache.recency.changeCost(of: self, to: overlay.base == nil ? 0 : initial.cost)
        let arrival = DataArrival(moment: initial.updatedAt ?? cache.now, version: initial.version)
        cache.modify(self) { $0.reset(to: overlay, arrival) }
        cache.forget(self)
        cache.changed(self)
    }

    override func setMetadata(_ metadata: QueryMetadata) {
        machine.setMetadata(metadata)
    }

    override func restorer(
        _ stored: PersistedEntry,
        isStored: Bool
    ) -> (@Sendable (QueryClient) -> Void)? {
        guard let codec = query.codec else { return nil }
        let query = query
        return { client in client.restore(stored, isStored: isStored, into: query, decoding: codec) }
    }
}

/// What an entry begins with.
struct InitialData<Value: Sendable>: Sendable {
    let value: Value?
    let updatedAt: Timestamp?
    let version: Int64?
    let cost: Int

    static var none: InitialData { InitialData(nil, updatedAt: nil, of: nil) }

    /// Takes a value that is known, and asks its definition about it, which runs the caller's functions.
    init(_ value: Value?, updatedAt: Timestamp?, of query: Query<Value>?) {
        self.value = value
        self.updatedAt = updatedAt
        version = value.flatMap { query?.version?($0) }
        cost = value.map { query?.cost?($0) ?? MemoryLayout<Value>.size } ?? 0
    }

    /// Asks a definition, which runs the caller's functions.
    init(_ query: Query<Value>) {
        self.init(query.initialValue?(), updatedAt: query.initialUpdatedAt.map(Timestamp.init), of: query)
    }
}

/// What an entry begins with anew, and what it was made of.
private struct Beginning<Value: Sendable>: Sendable {
    let initial: InitialData<Value>
    let overlay: Overlay<Value>
    let draft: Draft<Value>
}

/// A copy of an entry's data to work on outside of the critical section.
struct Draft<Value: Sendable>: Sendable {
    let entry: UInt64
    var overlay: Overlay<Value>
    let revision: UInt64
    let query: Query<Value>

    init(entry: UInt64, overlay: Overlay<Value>, revision: UInt64, query: Query<Value>) {
        self.entry = entry
        self.overlay = overlay
        self.revision = revision
        self.query = query
    }

    /// A draft of an entry that is not there.
    init(_ query: Query<Value>) {
        self.init(entry: 0, overlay: Overlay(), revision: 0, query: query)
    }

    /// What came out of the work, compared with what there was.
    ///
    /// - Parameter isNews: It is known to be something else, so nothing is compared.
    func edit(_ overlay: Overlay<Value>, isNews: Bool = false) -> Edit<Value> {
        let base = overlay.base
        return Edit(
            overlay: overlay,
            isSame: !isNews && isSame(overlay.visible),
            version: base.flatMap { query.version?($0) },
            cost: base.map { query.cost?($0) ?? MemoryLayout<Value>.size } ?? 0
        )
    }

    private func isSame(_ value: Value?) -> Bool {
        switch (overlay.visible, value) {
        case (nil, nil): true
        case (.some(let old), .some(let new)): query.areEqual(old, new)
        default: false
        }
    }
}

/// A changed overlay and what is known of it.
struct Edit<Value: Sendable>: Sendable {
    let overlay: Overlay<Value>
    let isSame: Bool
    let version: Int64?
    let cost: Int
}
