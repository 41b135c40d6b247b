/// Which entries are meant. All conditions have to hold.
///
/// An array literal is a key and everything below it, so `client.invalidate(["orders"])` reads as it is meant.
public struct QueryFilter: Sendable {
    /// Whether an entry is being observed.
    public enum Activity: Hashable, Sendable {
        /// It may be or not.
        case all
        /// An enabled observer is there.
        case active
        /// None is.
        case inactive
        /// An enabled observer is there that wants it to be fetched when it is out of date.
        case live
    }

    /// The entries at this key and below it; nil is every entry.
    public var key: QueryKey?
    /// Only the entry at the key itself.
    public var isExact = false
    /// Only the entries at these keys; nil is any.
    public var keys: Set<QueryKey>?
    /// Whether an entry is being observed.
    public var activity = Activity.all
    /// Whether it is stale; nil is either.
    public var isStale: Bool?
    /// What the network does about it; nil is anything.
    public var fetchStatus: FetchStatus?
    /// Any further condition. Called outside of any lock.
    public var predicate: (@Sendable (QueryInfo) -> Bool)?

    /// Makes a filter.
    ///
    /// - Parameters:
    ///   - key: The entries at this key and below it; nil is every entry.
    ///   - isExact: Only the entry at the key itself.
    ///   - activity: Whether an entry is being observed.
    ///   - isStale: Whether it is stale; nil is either.
    ///   - fetchStatus: What the network does about it; nil is anything.
    ///   - predicate: Any further condition.
    public init(
        key: QueryKey? = nil,
        isExact: Bool = false,
        activity: Activity = .all,
        isStale: Bool? = nil,
        fetchStatus: FetchStatus? = nil,
        predicate: (@Sendable (QueryInfo) -> Bool)? = nil
    ) {
        self.key = key
        self.isExact = isExact
        self.activity = activity
        self.isStale = isStale
        self.fetchStatus = fetchStatus
        self.predicate = predicate
    }

    /// Every entry.
    public static let all = QueryFilter(key: nil)

    /// The entries at a key and below it.
    public static func under(_ key: QueryKey) -> QueryFilter { QueryFilter(key: key) }

    /// The entry at a key.
    public static func exactly(_ key: QueryKey) -> QueryFilter { QueryFilter(key: key, isExact: true) }

    /// The entries at some keys.
    public static func exactly(_ keys: Set<QueryKey>) -> QueryFilter {
        var filter = QueryFilter.all
        filter.keys = keys
        return filter
    }

    /// The entries for which something holds.
    public static func matching(_ predicate: @escaping @Sendable (QueryInfo) -> Bool) -> QueryFilter {
        QueryFilter(predicate: predicate)
    }

    /// Whether a key meets the conditions on keys, those of ``keys`` aside.
    func admits(_ other: QueryKey) -> Bool {
        guard let key else { return true }
        return isExact ? other == key : other.starts(with: key)
    }

    /// Whether an entry meets the conditions other than the keys and the predicate.
    func admits(_ entry: AnyEntry, at moment: Timestamp) -> Bool {
        switch activity {
        case .all: break
        case .active: if !entry.isActive { return false }
        case .inactive: if entry.isActive { return false }
        case .live: if !entry.isLive { return false }
        }
        if let isStale, entry.isStale(at: moment) != isStale { return false }
        if let fetchStatus, entry.fetchStatus != fetchStatus { return false }
        return true
    }
}

extension QueryFilter: ExpressibleByArrayLiteral {
    /// The entries at a key and below it.
    public init(arrayLiteral elements: QueryKey.Segment...) {
        self.init(key: QueryKey(elements))
    }
}

/// Which of the invalidated entries are fetched at once. The others are when they are next observed.
public enum RefetchScope: Hashable, Sendable {
    /// Those that are being observed by somebody for whom they are live: ``QueryOptions/isLive``.
    case active
    /// Those that are not.
    case inactive
    /// Both.
    case all
    /// None.
    case none

    func includes(_ entry: AnyEntry) -> Bool {
        switch self {
        case .active: entry.isLive
        case .inactive: !entry.isActive
        case .all: entry.isLive || !entry.isActive
        case .none: false
        }
    }
}

/// Fetches that were started together. They run on their own; await ``finished()`` to know when they have ended.
public struct RefetchBatch: Sendable {
    let tickets: [any AnyFetchTicket]

    /// How many fetches were started or joined.
    public var count: Int { tickets.count }

    /// Waits until all of them have ended, in whichever way. Fetches that wait for the network, or come to it meanwhile, are
    /// not waited for.
    ///
    /// Cancelling the waiting task ends the wait, not the fetches.
    public func finished() async {
        for ticket in tickets { await ticket.finished() }
    }
}
