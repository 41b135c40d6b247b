import Synchronization

/// What is known about a query, now and after each change.
public typealias QuerySnapshots<Value: Sendable> = Snapshots<QuerySnapshot<Value>>

/// What is known about several queries, now and after each change of one of them: one snapshot for each, in their order.
public typealias QueriesSnapshots<Value: Sendable> = Snapshots<[QuerySnapshot<Value>]>

/// What is known, now and after each change. It is observed for as long as somebody reads.
public struct Snapshots<Snapshot: Sendable>: AsyncSequence, Sendable {
    let source: SnapshotReader<Snapshot>.Source
    let readers: SnapshotReaders

    /// Begins to observe.
    public func makeAsyncIterator() -> Iterator { Iterator(reader: SnapshotReader(source, readers)) }

    /// Observes for as long as it is kept.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let reader: SnapshotReader<Snapshot>

        /// What is known now, at the first time; after that, what is known after the next change.
        ///
        /// - Returns: Nil when the task is cancelled.
        public mutating func next() async -> Snapshot? { await reader.next() }

        /// What is known now, at the first time; after that, what is known after the next change.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> Snapshot? { await reader.next() }
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
