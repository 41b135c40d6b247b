public import Observation

/// Watches a list that comes in pages: a ``QueryObserver`` that can fetch the page after the last one and the page before
/// the first one.
@dynamicMemberLookup
public final class InfiniteQueryObserver<Page: Sendable, Cursor: Sendable>: Observable, Sendable {
    /// The pages and their cursors.
    public typealias Data = InfiniteData<Page, Cursor>

    /// What watches the query underneath.
    public let observer: QueryObserver<Data>
    private let definition: InfiniteQuery<Page, Cursor>

    /// Watches a list.
    ///
    /// - Parameters:
    ///   - query: What to watch.
    ///   - client: Whose cache it is in.
    ///   - isEnabled: Whether it fetches on its own account.
    ///   - placeholder: What it shows while there is no data.
    public init(
        _ query: InfiniteQuery<Page, Cursor>,
        in client: QueryClient,
        isEnabled: Bool = true,
        placeholder: Placeholder<Data> = .none
    ) {
        definition = query
        observer = QueryObserver(query.query, in: client, isEnabled: isEnabled, placeholder: placeholder)
    }

    /// The pages that are there, in order.
    public var pages: [Page] { observer.data?.pages ?? [] }

    /// Whether there is a page after the last one.
    public var hasNextPage: Bool {
        guard let data = observer.data, let last = data.pages.last else { return false }
        return definition.next(last, data) != nil
    }

    /// Whether there is a page before the first one.
    public var hasPreviousPage: Bool {
        guard let data = observer.data, let first = data.pages.first else { return false }
        return definition.previous(first, data) != nil
    }

    /// Whether the page after the last one is being fetched.
    public var isFetchingNextPage: Bool { observer.isFetching && observer.fetchDirection == .next }

    /// Whether the page before the first one is being fetched.
    public var isFetchingPreviousPage: Bool { observer.isFetching && observer.fetchDirection == .previous }

    /// Fetches the page after the last one; the first page if there is none. Without a next page nothing changes. A fetch
    /// that runs is given up for it, if there is data to show meanwhile; a refetch begins anew after it.
    public func fetchNextPage() async { await observer.fetchMore(.next) }

    /// Fetches the page before the first one: as ``fetchNextPage()``.
    public func fetchPreviousPage() async { await observer.fetchMore(.previous) }

    /// Begins to observe: ``QueryObserver/start()``.
    public func start() { observer.start() }

    /// Ends what one ``start()`` began.
    public func stop() { observer.stop() }

    /// Observes until the task is cancelled: ``QueryObserver/run()``.
    public func run() async { await observer.run() }

    /// Anything else of the snapshot.
    public subscript<Member>(dynamicMember member: KeyPath<QuerySnapshot<Data>, Member>) -> Member {
        observer.snapshot[keyPath: member]
    }
}

extension QueryClient {
    /// Fetches the pages of a list if they are not fresh: ``fetch(_:)``.
    @discardableResult
    public func fetch<Page, Cursor>(
        _ query: InfiniteQuery<Page, Cursor>
    ) async throws -> InfiniteData<Page, Cursor> {
        try await fetch(query.query)
    }
}
