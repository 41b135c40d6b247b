import Synchronization

/// Something that happened in a client, for those who want to watch. It contains no data.
public enum QueryEvent: Sendable {
    /// An entry was made.
    case added(QueryKey)
    /// An entry was removed, by somebody or because its time was up.
    case removed(QueryKey)
    /// An entry had to go because of the cache's bounds; ``removed(_:)`` follows.
    case evicted(QueryKey)
    /// An observer came to an entry.
    case observerAdded(QueryKey)
    /// An observer left an entry.
    case observerRemoved(QueryKey)
    /// An entry's data was set by somebody.
    case dataSet(QueryKey)
    /// An entry was marked as out of date.
    case invalidated(QueryKey)
    /// A fetch started, or went on after a pause.
    case fetchStarted(QueryKey)
    /// A fetch waits for the network or for focus.
    case fetchPaused(QueryKey)
    /// An attempt failed, and another one will follow.
    case fetchRetries(QueryKey, any Error)
    /// A fetch brought data.
    case fetchSucceeded(QueryKey)
    /// A fetch failed for good.
    case fetchFailed(QueryKey, any Error)
    /// A fetch was cancelled.
    case fetchCancelled(QueryKey)
    /// An optimistic change was made.
    case changedOptimistically(QueryKey)
    /// An optimistic change was confirmed.
    case changeConfirmed(QueryKey)
    /// An optimistic change was taken back.
    case changeRolledBack(QueryKey)
    /// An entry came back from storage.
    case restored(QueryKey)
    /// A stored entry could not be read and was dropped.
    case corrupt(QueryKey, any Error)
    /// A stored mutation could not be read and was dropped: the change that somebody asked for was never made.
    case corruptMutation(MutationIdentifier, any Error)
    /// A mutation is somewhere new.
    case mutation(MutationIdentifier, MutationStatus)
}

/// Who watches. What happens is noted inside of the critical section and told after it, to everyone in the order in which it
/// happened: a watcher that waits is woken by what its task runs on, which is a caller's.
struct Inspection {
    private var watchers: [UInt64: AsyncStream<QueryEvent>.Continuation] = [:]
    private let relay = EventRelay()

    func record(_ event: @autoclosure () -> QueryEvent) {
        guard !watchers.isEmpty else { return }
        relay.note(event(), for: Array(watchers.values))
    }

    /// What tells of what was noted; nil if nobody watches.
    var telling: (@Sendable () -> Void)? {
        guard !watchers.isEmpty else { return nil }
        return { [relay] in relay.tell() }
    }

    mutating func add(_ watcher: AsyncStream<QueryEvent>.Continuation, as identifier: UInt64) {
        watchers[identifier] = watcher
    }

    /// - Returns: Who watched, with the events that were not read: they contain callers' errors.
    mutating func remove(_ identifier: UInt64) -> AsyncStream<QueryEvent>.Continuation? {
        watchers.removeValue(forKey: identifier)
    }

    /// Nothing happens any more.
    func finish() {
        relay.tell()
        for watcher in watchers.values { watcher.finish() }
    }
}

/// Events on their way to those who watched when they happened.
private final class EventRelay: Sendable {
    private struct State {
        var news: [(event: QueryEvent, watchers: [AsyncStream<QueryEvent>.Continuation])] = []
        var isTelling = false
    }

    private let state = Mutex(State())

    func note(_ event: QueryEvent, for watchers: [AsyncStream<QueryEvent>.Continuation]) {
        state.withLock { $0.news.append((event, watchers)) }
    }

    /// Tells everything, unless somebody is at it, who goes on until there is nothing left.
    func tell() {
        while let news = nextNews() {
            for (event, watchers) in news {
                for watcher in watchers { watcher.yield(event) }
            }
            state.withLock { $0.isTelling = false }
        }
    }

    private func nextNews() -> [(event: QueryEvent, watchers: [AsyncStream<QueryEvent>.Continuation])]? {
        state.withLock { state in
            guard !state.isTelling, !state.news.isEmpty else { return nil }
            state.isTelling = true
            defer { state.news = [] }
            return state.news
        }
    }
}

extension QueryClient {
    /// What happens in the client from now on, in order, for one reader. It ends with the client.
    ///
    /// - Parameter buffered: How many events wait for a reader who is slow; past that, the oldest are dropped.
    public func events(buffered: Int = 1024) -> some AsyncSequence<QueryEvent, Never> & Sendable {
        let (stream, continuation) = AsyncStream.makeStream(
            of: QueryEvent.self,
            bufferingPolicy: .bufferingNewest(max(buffered, 1))
        )
        let identifier = withCache { cache in
            let identifier = cache.nextIdentifier()
            cache.inspection.add(continuation, as: identifier)
            return identifier
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.withCache { $0.inspection.remove(identifier) }
        }
        return stream
    }
}
