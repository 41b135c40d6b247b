#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// What to fetch, under which key, and how it behaves: one definition for everybody who needs the same data.
///
/// ```swift
/// extension Query where Value == [Order] {
///     static func orders(_ status: Status) -> Query {
///         Query(key: ["orders", "list", ["status": .string(status.rawValue)]]) { _ in
///             try await api.orders(status)
///         }
///     }
/// }
/// ```
///
/// Values that are `Equatable` are compared, and an equal one notifies nobody; values that are `Codable` can be persisted.
/// A value that may be missing is best an enumeration or a structure of its own, since the cache itself already answers
/// with an optional.
public struct Query<Value: Sendable>: Sendable {
    /// The name of the entry.
    public let key: QueryKey
    /// How it behaves, as far as this definition says.
    public var options: QueryOptions {
        get { ownOptions.value ?? QueryOptions() }
        set { ownOptions.value = newValue.isEmpty ? nil : newValue }
    }

    /// What an entry without data begins with. It counts as data of the cache, as old as ``initialUpdatedAt`` says. Called
    /// when the entry is made, outside of any lock.
    public var initialValue: (@Sendable () -> Value?)?
    /// How old the initial value is; nil is: of this moment.
    public var initialUpdatedAt: Date?
    /// Which version of the entity a value is, if it has one. The cache keeps it for the server's value, without the
    /// optimistic changes on top: ``QueryInfo/baseVersion``.
    public var version: (@Sendable (Value) -> Int64?)?
    /// How many bytes a value takes, roughly, for the bounds of the cache. Without it only the value itself counts, not
    /// what it refers to.
    public var cost: (@Sendable (Value) -> Int)?
    /// How values are compared; nil is with `==` if they are `Equatable`, and otherwise every value counts as a new one.
    public var isEqual: (@Sendable (Value, Value) -> Bool)?
    /// How long after a change of its state an observed query is fetched again, decided anew with each change; nil is that
    /// it is not. It takes the place of ``QueryOptions/refetchInterval``. Called outside of any lock.
    public var refetchInterval: (@Sendable (QuerySnapshot<Value>) -> Duration?)? {
        get { ownInterval.value }
        set { ownInterval.value = newValue }
    }
    /// Gives something to keep for as long as an observer observes, such as a subscription to what changes the data: one
    /// for each observer. Called outside of any lock, before the observer has anything fetched.
    public var hold: (@Sendable () -> any Sendable)? {
        get { ownHold.value }
        set { ownHold.value = newValue }
    }
    let fetcher: Fetcher<Value>?
    /// Outside of the definition, since there is one in each entry, and most say little.
    private var ownOptions = Boxed<QueryOptions>.none
    private var ownInterval = Boxed<@Sendable (QuerySnapshot<Value>) -> Duration?>.none
    private var ownHold = Boxed<@Sendable () -> any Sendable>.none

    /// Defines a query.
    ///
    /// - Parameters:
    ///   - key: The name of its entry.
    ///   - options: How it behaves.
    ///   - fetch: Gets the value. It is called on a task of the cache; that task is cancelled when the fetch is.
    public init(
        key: QueryKey,
        options: QueryOptions = QueryOptions(),
        fetch: @escaping @Sendable (FetchContext) async throws -> Value
    ) {
        self.init(
            key: key,
            options: options,
            fetcher: Fetcher { request in { try await fetch(request.context) } }
        )
    }

    /// Defines a query whose data is only ever set, never fetched.
    ///
    /// - Parameters:
    ///   - key: The name of its entry.
    ///   - options: How it behaves.
    public init(key: QueryKey, options: QueryOptions = QueryOptions()) {
        self.init(key: key, options: options, fetcher: nil)
    }

    init(key: QueryKey, options: QueryOptions, fetcher: Fetcher<Value>?) {
        self.key = key
        self.fetcher = fetcher
        self.options = options
    }

    func areEqual(_ left: Value, _ right: Value) -> Bool {
        isEqual?(left, right) ?? ValueTraits<Value>.areEqual(left, right)
    }

    /// Nil if values are not `Codable`.
    var codec: ValueCodec<Value>? { ValueTraits<Value>.codec }

    /// The same query with other options.
    ///
    /// - Parameter configure: Changes them.
    public func with(_ configure: (inout QueryOptions) -> Void) -> Query {
        var copy = self
        configure(&copy.options)
        return copy
    }

    /// The same query that is fetched again and again for as long as its state says, such as until a job is done.
    ///
    /// - Parameter interval: How long after each change of its state: ``refetchInterval``.
    public func refetched(every interval: @escaping @Sendable (QuerySnapshot<Value>) -> Duration?) -> Query {
        var copy = self
        copy.refetchInterval = interval
        return copy
    }

    /// The same query that is live or not: ``QueryOptions/isLive``. What is not live grows stale for its observers by what
    /// happens, not by its age, unless it has a stale time of its own. Without an observer nobody may hear what happens, so
    /// ``QueryClient/fetch(_:)`` goes by the age as ever.
    ///
    /// - Parameter isLive: Whether an observer has it fetched when there is reason to.
    public func live(_ isLive: Bool) -> Query {
        with { $0.isLive = isLive }
    }

    /// The same query that keeps something while it is observed: ``hold``.
    ///
    /// - Parameter hold: Gives what an observer keeps.
    public func holding(_ hold: @escaping @Sendable () -> any Sendable) -> Query {
        var copy = self
        copy.hold = hold
        return copy
    }

    /// The same query that begins with a value.
    ///
    /// - Parameters:
    ///   - value: What an entry without data begins with.
    ///   - updatedAt: How old it is; nil is: of this moment.
    public func initially(_ value: Value, updatedAt: Date? = nil) -> Query {
        var copy = self
        copy.initialValue = { value }
        copy.initialUpdatedAt = updatedAt
        return copy
    }
}

/// How an entry's value is got. A fetch may take several attempts; what one of them achieved, the next can build on.
struct Fetcher<Value: Sendable>: Sendable {
    /// Makes the function that each attempt of one fetch calls.
    let begin: @Sendable (FetchRequest<Value>) -> @Sendable () async throws -> Value
    /// Whether a retry goes on where the failed attempt stopped. Its result is then as old as the first attempt.
    var continuesAfterFailure = false
    /// Whether a fetch adds to what there is: what it does not ask for stays as old as it was.
    var extendsData: @Sendable (FetchRequest<Value>) -> Bool = { _ in false }
}

/// What one fetch is about.
struct FetchRequest<Value: Sendable>: Sendable {
    let context: FetchContext
    /// What the server is known to have, without optimistic changes.
    let base: Value?
    let direction: FetchDirection?
}

/// In which direction a fetch adds to what there is; a fetch without one replaces it.
public enum FetchDirection: Hashable, Sendable {
    /// The page after the last one.
    case next
    /// The page before the first one.
    case previous
}
