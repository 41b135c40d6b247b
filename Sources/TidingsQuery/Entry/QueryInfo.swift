#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// An entry as a filter or an inspector sees it: everything but the value.
public struct QueryInfo: Sendable {
    /// The name of the entry.
    public let key: QueryKey
    /// What is known about the data.
    public let status: QueryStatus
    /// What the network does about it.
    public let fetchStatus: FetchStatus
    /// Whether there is data.
    public let hasData: Bool
    /// Whether somebody said that the data is out of date.
    public let isInvalidated: Bool
    /// Whether the data is out of date for at least one observer.
    public let isStale: Bool
    /// Whether an observer wants it to be fetched.
    public let isActive: Bool
    /// Whether an observer wants it to be fetched when it is out of date: ``QueryOptions/isLive``.
    public let isLive: Bool
    /// Whether all of its observers have switched it off; unobserved, whether it never got anything.
    public let isDisabled: Bool
    /// How many observe it.
    public let observerCount: Int
    /// Whether there are optimistic changes that are not confirmed.
    public let hasOptimisticChanges: Bool
    /// When the data was last set or fetched.
    public let dataUpdatedAt: Date?
    /// The version of what the server is known to have, optimistic changes left out, if ``Query/version`` says it.
    public let baseVersion: Int64?
    /// What the fetch kept beside the value.
    public let metadata: QueryMetadata
    /// When what is being fetched, or else what is there, was asked for; nil if nothing was. A further page of a list does
    /// not count: the list is as old as its other pages.
    public let fetchEpoch: QueryEpoch?
}
