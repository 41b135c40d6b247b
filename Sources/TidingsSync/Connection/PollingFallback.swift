import Synchronization

/// Fetches what is on screens again and again while there is no broadcast connection.
///
/// ```swift
/// let fallback = PollingFallback(of: ["orders"], in: sync)
/// ```
///
/// The first time comes one interval after the connection was lost; with the connection it is over. It works for as long as
/// somebody keeps it and the client is run.
public final class PollingFallback: Sendable {
    private let identifier: UInt64
    private let table: FallbackTable

    /// Begins.
    ///
    /// - Parameters:
    ///   - key: The entries that are fetched: those at the key and below it that are observed and live.
    ///   - interval: How long from one time to the next.
    ///   - client: Whose cache it is.
    public init(of key: QueryKey, every interval: Duration = .seconds(10), in client: SyncClient) {
        table = client.fallbacks
        identifier = table.add(key, every: max(interval, .milliseconds(1)))
    }

    deinit {
        table.remove(identifier)
    }
}

/// What is fetched while there is no connection.
final class FallbackTable: Sendable {
    private struct Item {
        let key: QueryKey
        let interval: Duration
        var due: TidingsQuery.Timestamp?
    }

    private struct State {
        var items: [UInt64: Item] = [:]
        var lastIdentifier: UInt64 = 0
        var isConnected = false
    }

    private let state = Mutex(State())
    let bell = Doorbell()

    func add(_ key: QueryKey, every interval: Duration) -> UInt64 {
        defer { bell.ring() }
        return state.withLock { state in
            state.lastIdentifier += 1
            state.items[state.lastIdentifier] = Item(key: key, interval: interval)
            return state.lastIdentifier
        }
    }

    func remove(_ identifier: UInt64) {
        state.withLock { $0.items[identifier] = nil }
    }

    func setConnected(_ isConnected: Bool) {
        state.withLock { state in
            state.isConnected = isConnected
            guard isConnected else { return }
            for identifier in state.items.keys { state.items[identifier]?.due = nil }
        }
        bell.ring()
    }

    /// What is to be fetched now, and when to ask again.
    func takeDue(at now: TidingsQuery.Timestamp) -> (keys: [QueryKey], next: TidingsQuery.Timestamp?) {
        state.withLock { state in
            guard !state.isConnected else { return ([], nil) }
            var keys: [QueryKey] = []
            for (identifier, item) in state.items {
                if let due = item.due, due <= now { keys.append(item.key) }
                if item.due.map({ $0 <= now }) ?? true { state.items[identifier]?.due = now + item.interval }
            }
            return (keys, state.items.values.compactMap(\.due).min())
        }
    }
}

extension SyncClient {
    func runFallbacks() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await state in self.broadcast.stateChanges { self.fallbacks.setConnected(state == .connected) }
            }
            group.addTask { await self.poll() }
        }
    }

    private func poll() async {
        while !Task.isCancelled {
            let known = fallbacks.bell.rings
            let (keys, next) = fallbacks.takeDue(at: queries.time.now)
            for key in keys { queries.refetch(QueryFilter(key: key, activity: .live), isRestarting: false) }
            await fallbacks.bell.wait(after: known, until: next, queries.time)
        }
    }
}
