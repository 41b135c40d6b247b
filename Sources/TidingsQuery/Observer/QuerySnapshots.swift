import Synchronization

/// What is known about a query, now and after each change.
public struct QuerySnapshots<Value: Sendable>: AsyncSequence, Sendable {
    let observer: QueryObserver<Value>
    let readers: SnapshotReaders

    /// Begins to observe.
    public func makeAsyncIterator() -> Iterator {
        Iterator(reader: Reader(observer: observer, readers: readers))
    }

    /// Observes for as long as it is kept.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let reader: Reader

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

    fileprivate final class Reader: Sendable {
        private let observer: QueryObserver<Value>
        private let readers: SnapshotReaders
        private let bell = Doorbell()
        private let identifier: UInt64
        private let last = Mutex<QuerySnapshot<Value>?>(nil)

        init(observer: QueryObserver<Value>, readers: SnapshotReaders) {
            self.observer = observer
            self.readers = readers
            observer.start()
            identifier = readers.add(bell)
            bell.ring()
        }

        deinit {
            readers.remove(identifier)
            observer.stop()
        }

        func next() async -> QuerySnapshot<Value>? {
            while true {
                await bell.wait()
                if Task.isCancelled { return nil }
                let snapshot = observer.snapshot
                // Of several changes, the last may have been read with the first.
                let isNews = last.withLock { last in
                    defer { last = snapshot }
                    return last.map { !snapshot.looksLike($0) } ?? true
                }
                if isNews { return snapshot }
            }
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
