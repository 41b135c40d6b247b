#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// Everything that is known about a query at a moment.
public struct QuerySnapshot<Value: Sendable>: Sendable {
    /// The data, optimistic changes included; nil if there is none.
    public internal(set) var data: Value?
    /// Why there is no newer data; nil if nothing went wrong. There may be data all the same.
    public internal(set) var error: (any Error)?
    /// What is known about the data.
    public internal(set) var status: QueryStatus
    /// What the network does about it.
    public internal(set) var fetchStatus: FetchStatus
    /// Whether the data is out of date.
    public internal(set) var isStale: Bool
    /// Whether ``data`` stands in for data that is not there yet.
    public internal(set) var isPlaceholder = false
    /// Whether there are optimistic changes that are not confirmed.
    public internal(set) var hasOptimisticChanges: Bool
    /// When the data was last set or fetched.
    public internal(set) var dataUpdatedAt: Date?
    /// When a fetch last failed for good.
    public internal(set) var errorUpdatedAt: Date?
    /// How often the fetch that runs, or ran last, has failed.
    public internal(set) var failureCount: Int
    /// What its last attempt failed with.
    public internal(set) var failureReason: (any Error)?
    /// Whether data or an error has come since the observer came.
    public internal(set) var isFetchedAfterMount = false
    /// Whether data or an error has ever come.
    public internal(set) var isFetched: Bool
    /// In which direction the fetch that runs adds to the data; nil if it replaces it, or if none runs.
    public internal(set) var fetchDirection: FetchDirection?
    /// What the fetch kept beside the data.
    public internal(set) var metadata: QueryMetadata
    /// Who made it: the stamps of others say nothing.
    var origin: UInt64 = 0
    /// Tells one value from another without comparing them.
    var dataStamp: UInt64 = 0
    var errorStamp: Int

    /// There is neither data nor an error.
    public var isPending: Bool { status == .pending }
    /// There is data, and the last fetch did not fail.
    public var isSuccess: Bool { status == .success }
    /// The last fetch failed.
    public var isError: Bool { status == .error }
    /// A fetch runs.
    public var isFetching: Bool { fetchStatus == .fetching }
    /// A fetch waits for the network or for focus.
    public var isPaused: Bool { fetchStatus == .paused }
    /// The first fetch runs: there is nothing to show yet.
    public var isLoading: Bool { isPending && isFetching }
    /// A fetch runs while there is something to show.
    public var isRefetching: Bool { isFetching && !isPending }
    /// The first fetch failed: there is nothing to show.
    public var isLoadingError: Bool { isError && data == nil }
    /// A later fetch failed: there is older data to show.
    public var isRefetchError: Bool { isError && data != nil }
}

extension QuerySnapshot {
    init(_ machine: QueryMachine<Value>, isStale: Bool) {
        self.init(machine, data: machine.data, isStale: isStale)
        dataStamp = machine.dataRevision
    }

    init<Source>(_ machine: QueryMachine<Source>, data: Value?, isStale: Bool) {
        let trouble = machine.trouble
        self.init(
            data: data,
            error: trouble?.error,
            status: machine.status,
            fetchStatus: machine.fetchStatus,
            isStale: isStale,
            hasOptimisticChanges: machine.overlay.hasPatches,
            dataUpdatedAt: machine.updatedAt?.date,
            errorUpdatedAt: trouble?.errorAt?.date,
            failureCount: trouble?.failures ?? 0,
            failureReason: trouble?.failureReason,
            isFetched: !machine.isUntouched,
            fetchDirection: machine.fetch?.direction,
            metadata: machine.metadata.value ?? QueryMetadata(),
            errorStamp: trouble?.error == nil ? 0 : trouble?.errorCount ?? 0
        )
    }

    /// Nothing is known.
    static func nothing(isStale: Bool) -> QuerySnapshot { QuerySnapshot(QueryMachine<Value>(), isStale: isStale) }

    /// Whether somebody who shows one would have to show the other anew. When data that is the same came once more does
    /// not count.
    func looksLike(_ other: QuerySnapshot) -> Bool {
        origin == other.origin && dataStamp == other.dataStamp && errorStamp == other.errorStamp
            && status == other.status
            && fetchStatus == other.fetchStatus && isStale == other.isStale && isPlaceholder == other.isPlaceholder
            && failureCount == other.failureCount && hasOptimisticChanges == other.hasOptimisticChanges
            && fetchDirection == other.fetchDirection
            && metadata == other.metadata
    }
}
