/// An entry of the cache, whatever the type of its value. Only its cache touches it, inside of the critical section.
class AnyEntry {
    let key: QueryKey
    let identifier: UInt64
    final var registrations: [Registration] = []
    /// The longest that anyone asked for.
    final var gcTime: GCTime?
    /// Since when nobody observes it and nothing is fetched.
    final var idleSince: Timestamp
    final var lastChange: Timestamp
    /// For which moment the cache's agenda has it, and where.
    final var scheduled: Timestamp?
    final var agendaPlace = 0
    final var isDirty = false
    final var isRemoved = false
    final var isUnsaved = false
    /// Whether what is stored has to go as long as there is nothing to put in its place.
    final var isForgotten = false
    /// What has to be done in storage, of an entry that left the cache before that was done.
    final var parting = Boxed<UnsavedChange>.none
    final var cost = 0
    /// Its neighbours in the order of use, while nobody observes it.
    final unowned var lessRecent: AnyEntry?
    final unowned var moreRecent: AnyEntry?
    final var isInRecency = false

    init(key: QueryKey, identifier: UInt64, at moment: Timestamp) {
        self.key = key
        self.identifier = identifier
        idleSince = moment
        lastChange = moment
    }

    // What the value's type decides.

    var fetchStatus: FetchStatus { .idle }
    var status: QueryStatus { .pending }
    var hasData: Bool { false }
    var hasPatches: Bool { false }
    var isInvalidated: Bool { false }
    var isUntouched: Bool { true }
    var updatedAt: Timestamp? { nil }
    var baseVersion: Int64? { nil }
    var metadata: QueryMetadata { QueryMetadata() }
    var fetchEpoch: QueryEpoch? { nil }
    /// Whether its values have a type.
    func holds<Value: Sendable>(_ type: Value.Type) -> Bool { false }
    func isStale(_ staleTime: StaleTime, at moment: Timestamp) -> Bool { true }
    func invalidate(asOf epoch: QueryEpoch) -> InvalidationOutcome { .marked }
    func wantFollowUp() -> (any AnyFetchTicket)? { nil }
    func fetch(in cache: inout Cache, by client: QueryClient, restarting: Bool) -> (any AnyFetchTicket)? { nil }
    func resume(in cache: inout Cache, by client: QueryClient) {}
    var cancelsWhenUnobserved: Bool { false }
    func stopRetrying() {}
    func cancel(in cache: inout Cache, revertsTo outcome: CancelOutcome) {}
    func clear(in cache: inout Cache) {}
    /// What of it belongs to callers.
    var belongings: [any Sendable] { [] }
    func makeNotice(at moment: Timestamp) -> (@Sendable () -> Void)? { nil }
    func setMetadata(_ metadata: QueryMetadata) {}
    /// Gets what the entry begins with, for ``reset(to:in:)``. It runs a caller's function.
    var initializer: @Sendable () -> EntryInitial { { [identifier] in EntryInitial(entry: identifier, value: 0) } }
    func reset(to initials: [UInt64: any Sendable], in cache: inout Cache) {}
    func restorer(_ stored: PersistedEntry, isStored: Bool) -> (@Sendable (QueryClient) -> Void)? { nil }
    func record() -> UnencodedRecord? { nil }
}

/// What an invalidation meant to an entry.
enum InvalidationOutcome {
    /// Nothing: what is there, or what is being fetched, was asked for after it.
    case known
    /// A fetch that runs does not know it.
    case overtook
    /// The data is stale.
    case marked
}

/// What the awaiters of a cancelled fetch get.
enum CancelOutcome {
    /// The data that is there, or an error if there is none.
    case data
    /// An error.
    case error
}

extension AnyEntry {
    final var isObserved: Bool { !registrations.isEmpty }

    /// Whether somebody wants it to be fetched.
    final var isActive: Bool { registrations.contains { $0.settings.isEnabled } }

    /// Whether somebody wants it to be fetched when it is out of date.
    final var isLive: Bool { registrations.contains(where: \.settings.isLive) }

    /// Whether all who observe it have switched it off; unobserved, whether nobody has ever got anything for it.
    final var isDisabled: Bool { isObserved ? !isActive : isUntouched }

    final var isStatic: Bool { registrations.contains { $0.settings.staleTime == .static } }

    /// Stale for at least one of those who observe it; unobserved, whether it is out of date whatever its age.
    final func isStale(at moment: Timestamp) -> Bool {
        guard isObserved else { return !hasData || isInvalidated }
        return registrations.contains { $0.settings.isEnabled && isStale($0.settings.staleTime, at: moment) }
    }

    /// Whether it may be forgotten.
    final var isDisposable: Bool { !isObserved && fetchStatus == .idle && !hasPatches }

    final func prolong(_ gcTime: GCTime?) {
        let wanted = gcTime ?? .standard
        self.gcTime = max(self.gcTime ?? wanted, wanted)
    }

    /// The next moment at which time alone changes something here.
    final func nextDeadline(at moment: Timestamp) -> Timestamp? {
        if isDisposable { return (gcTime ?? .standard).deadline(from: idleSince) }
        var next: Timestamp?
        for registration in registrations {
            let settings = registration.settings
            if let interval = settings.interval {
                next = earliest(next, max(registration.intervalStart, lastChange) + interval)
            }
            if hasData, !isInvalidated, let updatedAt, let deadline = settings.staleTime.deadline(for: updatedAt),
                deadline > moment
            {
                next = earliest(next, deadline)
            }
        }
        return next
    }

    private final func earliest(_ first: Timestamp?, _ second: Timestamp) -> Timestamp {
        first.map { min($0, second) } ?? second
    }

    final func info(at moment: Timestamp) -> QueryInfo {
        QueryInfo(
            key: key,
            status: status,
            fetchStatus: fetchStatus,
            hasData: hasData,
            isInvalidated: isInvalidated,
            isStale: isStale(at: moment),
            isActive: isActive,
            isLive: isLive,
            isDisabled: isDisabled,
            observerCount: registrations.count,
            hasOptimisticChanges: hasPatches,
            dataUpdatedAt: updatedAt?.date,
            baseVersion: baseVersion,
            metadata: metadata,
            fetchEpoch: fetchEpoch
        )
    }
}

/// What an entry begins with, whatever the type of its value.
struct EntryInitial: Sendable {
    let entry: UInt64
    let value: any Sendable
}
