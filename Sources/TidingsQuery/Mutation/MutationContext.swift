import Synchronization

/// What the functions of a running mutation can use.
public struct MutationContext: Sendable {
    /// The client that runs it.
    public let client: QueryClient
    /// Which mutation it is.
    public let identifier: MutationIdentifier
    /// The same for all attempts, also after a restart: a server that knows it makes the change once.
    public let idempotencyKey: String
    private let changes = Changes()

    init(client: QueryClient, identifier: MutationIdentifier, idempotencyKey: String) {
        self.client = client
        self.identifier = identifier
        self.idempotencyKey = idempotencyKey
    }

    /// Shows a change until the server has made it. It is confirmed when the function of the mutation succeeds, and rolled
    /// back when the mutation fails: ``QueryClient/optimisticUpdate(_:_:)``. One that the last functions make is settled
    /// at the end; after the end it is settled at once, and after a failure not made at all.
    @discardableResult
    public func optimisticUpdate<Value>(
        _ query: Query<Value>,
        _ change: @escaping @Sendable (inout Value) -> Void
    ) -> OptimisticUpdate<Value> {
        // One that was never made has nothing to settle.
        if hasFailed { return OptimisticUpdate(client: client, query: query, identifier: 0) }
        let update = client.optimisticUpdate(query, change)
        keep(update)
        return update
    }

    /// Shows a change in every entry that a filter finds: ``QueryClient/optimisticUpdate(matching:as:_:)``.
    public func optimisticUpdate<Value: Sendable>(
        matching filter: QueryFilter,
        as type: Value.Type,
        _ change: @escaping @Sendable (inout Value) -> Void
    ) {
        if hasFailed { return }
        for update in client.optimisticUpdate(matching: filter, as: type, change) { keep(update) }
    }

    /// Whether the mutation is over and its changes were rolled back.
    private var hasFailed: Bool { changes.state.withLock { $0.outcome == false } }

    private func keep<Value>(_ update: OptimisticUpdate<Value>) {
        let outcome = changes.state.withLock { state -> Bool? in
            if state.outcome == nil { state.updates.append((update.confirm, update.rollback)) }
            return state.outcome
        }
        if let outcome { outcome ? update.confirm() : update.rollback() }
    }

    /// The server has made the changes, or it has not. Those that are made after this wait for the end.
    func settleChanges(isConfirmed: Bool) {
        settle(changes.state.withLock { $0.takeUpdates() }, isConfirmed)
    }

    /// The mutation is over: what is changed from here on is settled at once.
    func close(isConfirmed: Bool) {
        let updates = changes.state.withLock { state in
            state.outcome = isConfirmed
            return state.takeUpdates()
        }
        settle(updates, isConfirmed)
    }

    /// The mutation is tried once more.
    func reopen() {
        changes.state.withLock { $0.outcome = nil }
    }

    private func settle(_ updates: [Changes.Update], _ isConfirmed: Bool) {
        guard !updates.isEmpty else { return }
        client.batch {
            if isConfirmed {
                for update in updates { update.confirm() }
            } else {
                // The last change goes first, as they were made on top of each other.
                for update in updates.reversed() { update.rollback() }
            }
        }
    }

    private final class Changes: Sendable {
        typealias Update = (confirm: @Sendable () -> Void, rollback: @Sendable () -> Void)

        struct State {
            var updates: [Update] = []
            /// Whether the mutation was confirmed; nil before its end.
            var outcome: Bool?

            mutating func takeUpdates() -> [Update] {
                defer { updates = [] }
                return updates
            }
        }

        let state = Mutex(State())
    }
}
