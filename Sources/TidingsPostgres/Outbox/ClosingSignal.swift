#if PostgreSQL
import Synchronization

/// Tells those who keep a connection of their own that the store is closed.
final class ClosingSignal: Sendable {
    private struct State {
        var isClosed = false
        var watches: [ObjectIdentifier: OutboxWatch] = [:]
    }

    private let state = Mutex(State())

    /// Ends a watch when the store is closed, or now if it is.
    func add(_ watch: OutboxWatch) {
        let isClosed = state.withLock { state in
            state.watches[ObjectIdentifier(watch)] = watch
            return state.isClosed
        }
        if isClosed { watch.end() }
    }

    func remove(_ watch: OutboxWatch) {
        _ = state.withLock { $0.watches.removeValue(forKey: ObjectIdentifier(watch)) }
    }

    func close() {
        let watches = state.withLock { state in
            state.isClosed = true
            return state.watches.values.map { $0 }
        }
        for watch in watches { watch.end() }
    }
}
#endif
