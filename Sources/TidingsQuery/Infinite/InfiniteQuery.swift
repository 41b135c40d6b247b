import Synchronization

/// A list that comes in pages, each of which says how to ask for the next.
///
/// ```swift
/// let feed = InfiniteQuery<FeedPage, String>(key: ["feed"]) { cursor, _ in
///     try await api.feed(after: cursor)
/// } next: { page, _ in
///     page.next
/// }
/// ```
///
/// A refetch walks from the first page with the cursors that the fresh pages give, so no element is missed or shown twice
/// when the list has moved, and the list may become shorter. A retry goes on with the page that failed.
///
/// A further page makes the others no younger: the list is as old as its last refetch, and one that was out of date stays
/// so.
public struct InfiniteQuery<Page: Sendable, Cursor: Sendable>: Sendable {
    /// The pages and their cursors.
    public typealias Data = InfiniteData<Page, Cursor>

    /// The query underneath: everything that can be done with a query can be done with it.
    public var query: Query<Data>
    let next: @Sendable (Page, Data) -> Cursor?
    let previous: @Sendable (Page, Data) -> Cursor?

    /// Defines a list.
    ///
    /// - Parameters:
    ///   - key: The name of its entry.
    ///   - options: How it behaves.
    ///   - first: How the first page is asked for; nil is without a cursor.
    ///   - initialPages: How many pages the first fetch gets.
    ///   - mostPages: How many pages are kept; with one more, the one at the other end goes. Nil is any number.
    ///   - fetch: Gets a page, with its cursor; nil is the one that is asked for without.
    ///   - next: How to ask for the page after the given one, which is the last; nil if there is none.
    ///   - previous: How to ask for the page before the given one, which is the first; nil if there is none.
    public init(
        key: QueryKey,
        options: QueryOptions = QueryOptions(),
        first: Cursor? = nil,
        initialPages: Int = 1,
        mostPages: Int? = nil,
        fetch: @escaping @Sendable (Cursor?, FetchContext) async throws -> Page,
        next: @escaping @Sendable (Page, Data) -> Cursor?,
        previous: @escaping @Sendable (Page, Data) -> Cursor? = { _, _ in nil }
    ) {
        let walk = PageWalk(
            first: first,
            initialPages: max(initialPages, 1),
            mostPages: mostPages.map { max($0, 1) },
            fetch: fetch,
            next: next,
            previous: previous
        )
        query = Query(
            key: key,
            options: options,
            fetcher: Fetcher(
                begin: { walk.begin($0) },
                continuesAfterFailure: true,
                extendsData: { walk.extension(of: $0) != nil }
            )
        )
        self.next = next
        self.previous = previous
    }
}

extension InfiniteQuery {
    /// The same list that is live or not: ``Query/live(_:)``.
    public func live(_ isLive: Bool) -> InfiniteQuery {
        var copy = self
        copy.query = query.live(isLive)
        return copy
    }
}

/// How pages are fetched, one after the other.
struct PageWalk<Page: Sendable, Cursor: Sendable>: Sendable {
    typealias Data = InfiniteData<Page, Cursor>

    let first: Cursor?
    let initialPages: Int
    let mostPages: Int?
    let fetch: @Sendable (Cursor?, FetchContext) async throws -> Page
    let next: @Sendable (Page, Data) -> Cursor?
    let previous: @Sendable (Page, Data) -> Cursor?

    func begin(_ request: FetchRequest<Data>) -> @Sendable () async throws -> Data {
        if let (base, direction) = self.extension(of: request) {
            return { try await extend(base, direction, request.context) }
        }
        let wanted = max(request.base?.pages.count ?? 0, initialPages)
        let start = if let base = request.base, let cursor = base.cursors.first { cursor } else { first }
        let progress = Progress()
        return { try await walk(from: start, pages: wanted, request.context, progress) }
    }

    /// What is to be extended, and where; nil if all pages are to be fetched.
    func `extension`(of request: FetchRequest<Data>) -> (base: Data, direction: FetchDirection)? {
        guard let base = request.base, !base.pages.isEmpty, let direction = request.direction else { return nil }
        return (base, direction)
    }

    private func extend(_ base: Data, _ direction: FetchDirection, _ context: FetchContext) async throws -> Data {
        var data = base
        switch direction {
        case .next:
            guard let last = base.pages.last, let cursor = next(last, base) else { return base }
            data.append(try await fetch(cursor, context), cursor, most: mostPages)
        case .previous:
            guard let first = base.pages.first, let cursor = previous(first, base) else { return base }
            data.prepend(try await fetch(cursor, context), cursor, most: mostPages)
        }
        return data
    }

    /// Goes on where the attempt before stopped.
    private func walk(
        from start: Cursor?,
        pages wanted: Int,
        _ context: FetchContext,
        _ progress: Progress
    ) async throws -> Data {
        while true {
            let (data, count) = progress.state.withLock { ($0.data, $0.count) }
            guard count < wanted else { return data }
            var cursor = start
            if let last = data.pages.last {
                guard let following = next(last, data) else { return data }
                cursor = following
            }
            try Task.checkCancellation()
            let page = try await fetch(cursor, context)
            progress.state.withLock { state in
                state.data.append(page, cursor, most: mostPages)
                state.count += 1
            }
        }
    }

    /// What the attempts of one fetch have got so far.
    private final class Progress: Sendable {
        struct State {
            var data = Data()
            var count = 0
        }

        let state = Mutex(State())
    }
}
