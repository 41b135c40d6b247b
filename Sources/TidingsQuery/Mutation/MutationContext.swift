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
    /// back when the mutation fails: ``QueryClient/optimisticUpdate(_:_:)``.
    @discardableResult
    public func optimisticUpdate<Value>(
        _ query: Query<Value>,
        _ change: @escaping @Sendable (inout Value) -> Void
    ) -> OptimisticUpdate<Value> {
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
        for update in client.optimisticUpdate(matching: filter, as: type, change) { keep(update) }
    }

    private func keep<Value>(_ update: OptimisticUpdate<Value>) {
        changes.updates.withLock { $0.append((update.confirm, update.rollback)) }
    }

    func confirmChanges() {
        let updates = takeChanges()
        client.batch { for update in updates { update.confirm() } }
    }

    /// The last change goes first, as they were made on top of each other.
    func rollBackChanges() {
        let updates = takeChanges()
        client.batch { for update in updates.reversed() { update.rollback() } }
    }

    private func takeChanges() -> [Changes.Update] {
        changes.updates.withLock { updates in
            defer { updates = [] }
            return updates
        }
    }

    private final class Changes: Sendable {
        typealias Update = (confirm: @Sendable () -> Void, rollback: @Sendable () -> Void)
        let updates = Mutex<[Update]>([])
    }
}
