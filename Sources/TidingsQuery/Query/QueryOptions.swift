/// How a query behaves. What is nil is left to the next more general place: the defaults of the key, then those of the
/// client, then the ones that are written down here.
public struct QueryOptions: Sendable {
    /// How long data counts as fresh; ``StaleTime/zero`` unless somebody says otherwise.
    public var staleTime: StaleTime?
    /// How long an unobserved entry is kept; ``GCTime/standard`` unless somebody says otherwise. Of several answers
    /// for one entry, the longest counts.
    public var gcTime: GCTime?
    /// How failed attempts are repeated. Unless somebody says otherwise an observed query retries three times and an
    /// imperative fetch never.
    public var retry: RetryPolicy?
    /// What to do while the device is offline; ``NetworkMode/online`` unless somebody says otherwise.
    public var networkMode: NetworkMode?
    /// Whether an observer that comes to existing data fetches.
    public var refetchOnMount: RefetchTrigger?
    /// Whether the application coming to the front fetches.
    public var refetchOnFocus: RefetchTrigger?
    /// Whether the device coming back online fetches; a query that is fetched offline too is not, unless this says so.
    public var refetchOnReconnect: RefetchTrigger?
    /// Whether an observer fetches on mount though the entry is in error and has no data; yes unless somebody says
    /// otherwise.
    public var retryOnMount: Bool?
    /// Whether an observer has the query fetched when there is reason to: when it was invalidated, when the application or
    /// the network comes back, and in intervals; yes unless somebody says otherwise. One that is not live, such as a form
    /// that is being filled in, shows that its data is stale and leaves the rest to whoever looks at it.
    public var isLive: Bool?
    /// Whether an observed query is fetched again and again.
    public var refetchInterval: RefetchInterval?
    /// Whether the interval goes on while the application is not focused.
    public var refetchesInBackground: Bool?
    /// Whether a fetch that nobody observes any more is cancelled and reverted, instead of finishing its attempt.
    public var cancelsWhenUnobserved: Bool?
    /// Whether the entry is kept across restarts if the client has a persister and the value can be encoded; yes unless
    /// somebody says otherwise.
    public var isPersisted: Bool?

    /// Leaves everything open.
    public init() {}

    /// Leaves everything open but what a function sets.
    ///
    /// - Parameter configure: Sets options.
    public init(_ configure: (inout QueryOptions) -> Void) {
        configure(&self)
    }

    /// Whether nothing is said.
    var isEmpty: Bool {
        staleTime == nil && gcTime == nil && retry == nil && networkMode == nil && refetchOnMount == nil
            && refetchOnFocus == nil && refetchOnReconnect == nil && retryOnMount == nil && isLive == nil
            && refetchInterval == nil
            && refetchesInBackground == nil && cancelsWhenUnobserved == nil && isPersisted == nil
    }

    /// These options, completed by more general ones.
    ///
    /// - Parameter defaults: What applies where this says nothing.
    public func completed(by defaults: QueryOptions) -> QueryOptions {
        var result = self
        result.staleTime = staleTime ?? defaults.staleTime
        result.gcTime = gcTime ?? defaults.gcTime
        result.retry = retry ?? defaults.retry
        result.networkMode = networkMode ?? defaults.networkMode
        result.refetchOnMount = refetchOnMount ?? defaults.refetchOnMount
        result.refetchOnFocus = refetchOnFocus ?? defaults.refetchOnFocus
        result.refetchOnReconnect = refetchOnReconnect ?? defaults.refetchOnReconnect
        result.retryOnMount = retryOnMount ?? defaults.retryOnMount
        result.isLive = isLive ?? defaults.isLive
        result.refetchInterval = refetchInterval ?? defaults.refetchInterval
        result.refetchesInBackground = refetchesInBackground ?? defaults.refetchesInBackground
        result.cancelsWhenUnobserved = cancelsWhenUnobserved ?? defaults.cancelsWhenUnobserved
        result.isPersisted = isPersisted ?? defaults.isPersisted
        return result
    }
}
