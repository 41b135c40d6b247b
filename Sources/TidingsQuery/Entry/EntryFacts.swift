/// What tells one state of an entry from another, without its value: what most observers need to know whether they have
/// to say something.
struct EntryFacts: Sendable {
    let entry: UInt64
    let revision: UInt64
    let dataRevision: UInt64
    let moment: Timestamp
    let status: QueryStatus
    let fetchStatus: FetchStatus
    let failures: Int
    let errorStamp: Int
    let hasPatches: Bool
    let direction: FetchDirection?
    let metadata: QueryMetadata?
    /// Nil if there is no data.
    let updatedAt: Timestamp?
    let isInvalidated: Bool

    func isOlder(than other: EntryFacts) -> Bool {
        (entry, revision) < (other.entry, other.revision)
    }

    func isStale(_ staleTime: StaleTime) -> Bool {
        staleTime.isOver(for: updatedAt, isInvalidated: isInvalidated, at: moment)
    }
}

extension EntryState {
    init(_ machine: QueryMachine<Value>, entry: UInt64, at moment: Timestamp) {
        self.machine = machine
        let trouble = machine.trouble
        facts = EntryFacts(
            entry: entry,
            revision: machine.revision,
            dataRevision: machine.dataRevision,
            moment: moment,
            status: machine.status,
            fetchStatus: machine.fetchStatus,
            failures: trouble?.failures ?? 0,
            errorStamp: trouble?.error == nil ? 0 : trouble?.errorCount ?? 0,
            hasPatches: machine.overlay.hasPatches,
            direction: machine.fetch?.direction,
            metadata: machine.metadata.value,
            updatedAt: machine.overlay.base == nil ? nil : machine.updatedAt,
            isInvalidated: machine.isInvalidated
        )
    }
}
