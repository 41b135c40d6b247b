import Synchronization

/// What is known about a query, now and after each change.
public struct QuerySnapshots<Value: Sendable>: AsyncSequence, Sendable {
    let observer: QueryObserver<Value>
    let readers: SnapshotReaders

    /// Begins to observe.
    public func makeAsyncIterator() -> Iterator {
        let observer = observer
        let source = SnapshotReader<QuerySnapshot<Value>>.Source(
            start: { observer.start() },
            stop: { observer.stop() },
            read: { observer.snapshot },
            looksLike: { $0.looksLike($1) }
        )
        return Iterator(reader: SnapshotReader(source, readers))
    }

    /// Observes for as long as it is kept.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let reader: SnapshotReader<QuerySnapshot<Value>>

        /// What is known now, at the first time; after that, what is known after the next change.
        ///
        /// - Returns: Nil when the task is cancelled.
        public mutating func next() async -> QuerySnapshot<Value>? {
            await reader.next()
        }

        /// What is known now, at the first time; after that, what is known after the next change.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> QuerySnapshot<Value>? {
            await reader.next()
        }
    }
}

/// What is known about several queries, now and after each change of one of them.
public struct QueriesSnapshots<Value: Sendable>: AsyncSequence, Sendable {
    let observer: QueriesObserver<Value>
    let readers: SnapshotReaders

    /// Begins to observe.
    public func makeAsyncIterator() -> Iterator {
        let observer = observer
        let source = SnapshotReader<[QuerySnapshot<Value>]>.Source(
            start: { observer.start() },
            stop: { observer.stop() },
            read: { observer.snapshots },
            looksLike: { $0.count == $1.count && zip($0, $1).allSatisfy { $0.looksLike($1) } }
        )
        return Iterator(reader: SnapshotReader(source, readers))
    }

    /// Observes for as long as it is kept.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let reader: SnapshotReader<[QuerySnapshot<Value>]>

        /// What is known now, at the first time; after that, what is known after the next change.
        ///
        /// - Returns: One for each query, in their order; nil when the task is cancelled.
        public mutating func next() async -> [QuerySnapshot<Value>]? {
            await reader.next()
        }

        /// What is known now, at the first time; after that, what is known after the next change.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> [QuerySnapshot<Value>]? {
            await reader.next()
        }
    }
}

/// Reads something that is observed, and observes it for as long as it is kept.
final class SnapshotReader<Snapshot: Sendable>: Sendable {
    struct Source: Sendable {
        let start: @Sendable () -> Void
        let stop: @Sendable () -> Void
        let read: @Sendable () -> Snapshot
        let looksLike: @Sendable (Snapshot, Snapshot) -> Bool
    }

    private let source: Source
    private let readers: SnapshotReaders
    private let bell = Doorbell()
    private let identifier: UInt64
    private let last = Mutex<Snapshot?>(nil)

    init(_ source: Source, _ readers: SnapshotReaders) {
        self.source = source
        self.readers = readers
        source.start()
        identifier = readers.add(bell)
        bell.ring()
    }

    deinit {
        readers.remove(identifier)
        source.stop()
    }

    func next() async -> Snapshot? {
        while true {
            await bell.wait()
            if Task.isCancelled { return nil }
            let snapshot = source.read()
            // Of several changes, the last may have been read with the first.
            let isNews = last.withLock { last in
                defer { last = snapshot }
                return last.map { !source.looksLike(snapshot, $0) } ?? true
            }
            if isNews { return snapshot }
        }
    }
}

/// Who reads an observer as a sequence.
final class SnapshotReaders: Sendable {
    private struct State {
        var bells: [UInt64: Doorbell] = [:]
        var lastIdentifier: UInt64 = 0
    }

    private let state = Mutex(State())

    func add(_ bell: Doorbell) -> UInt64 {
        state.withLock { state in
            state.lastIdentifier += 1
            state.bells[state.lastIdentifier] = bell
            return state.lastIdentifier
        }
    }

    func remove(_ identifier: UInt64) {
        state.withLock { $0.bells[identifier] = nil }
    }

    func ring() {
        for bell in state.withLock({ Array($0.bells.values) }) { bell.ring() }
    }
}

extension QueryClient {
    /// What is known about a query, now and after each change, for those who have no screen. While it is read, the query
    /// is observed.
    ///
    /// - Parameter query: What to watch.
    public func snapshots<Value>(of query: Query<Value>) -> QuerySnapshots<Value> {
        QueryObserver(query, in: self).snapshots
    }
}
