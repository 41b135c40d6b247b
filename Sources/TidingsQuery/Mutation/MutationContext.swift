/// What the functions of a running mutation can use.
public struct MutationContext: Sendable {
    /// The client that runs it.
    public let client: QueryClient
    /// Which mutation it is.
    public let identifier: MutationIdentifier
    /// The same for all attempts, also after a restart: a server that knows it makes the change once.
    public let idempotencyKey: String
    private let changes: MutationChanges

    init(_ identity: MutationIdentity, _ changes: MutationChanges, client: QueryClient) {
        self.client = client
        identifier = identity.identifier
        idempotencyKey = identity.idempotencyKey
        self.changes = changes
    }

    /// Keeps something with the mutation for its next attempts, such as the version that it is based on. One that is stored
    /// is stored with it before this returns, so that it is there after a restart, too. A failure to store it is logged, and
    /// ends nothing. Of a mutation that was given up nothing is kept.
    ///
    /// - Parameters:
    ///   - text: What to keep; nil for nothing.
    ///   - name: What it is.
    public func record(_ text: String?, as name: QueryMetadata.Name) async {
        let isNew = client.withCache { cache in
            cache.mutations.change(identifier) { item in
                defer { item.metadata[name] = text }
                return item.metadata[name] != text
            }
        }
        if isNew ?? false { await client.store(identifier) }
    }

    /// As ``record(_:as:)``, stored with what is stored of the mutation next.
    package func note(_ text: String?, as name: QueryMetadata.Name) {
        client.withCache { cache in _ = cache.mutations.change(identifier) { $0.metadata[name] = text } }
    }

    /// As ``record(_:as:)``, with the mutation that comes after this one in its scope, if there is one.
    package func recordForNext(_ text: String?, as name: QueryMetadata.Name) async {
        let changed = client.withCache { cache -> MutationIdentifier? in
            guard let next = cache.mutations.next(after: identifier) else { return nil }
            return cache.mutations.change(next) { item in
                defer { item.metadata[name] = text }
                return item.metadata[name] != text ? next : nil
            } ?? nil
        }
        if let changed { await client.store(changed) }
    }

    /// What an attempt has kept under a name; nil if that is nothing.
    public func recorded(_ name: QueryMetadata.Name) -> String? {
        client.withCache { cache in
            cache.mutations.index(of: identifier).flatMap { cache.mutations.items[$0].metadata[name] }
        }
    }

    /// Keeps something for as long as this run of the mutation lasts, until its end or until it is given up. Another one
    /// takes its place.
    package func attach(_ attachment: any AnyObject & Sendable) {
        changes.attach(attachment)
    }

    /// What was kept; nil if nothing was, or something of another type.
    package func attached<Attachment: AnyObject & Sendable>(as type: Attachment.Type) -> Attachment? {
        changes.attachment as? Attachment
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
        if changes.areRefused { return OptimisticUpdate(client: client, query: query, identifier: 0) }
        let update = client.optimisticUpdate(query, change)
        changes.keep(update)
        return update
    }

    /// Shows a change in every entry that a filter finds: ``QueryClient/optimisticUpdate(matching:as:_:)``.
    @discardableResult
    public func optimisticUpdate<Value: Sendable>(
        matching filter: QueryFilter,
        as type: Value.Type,
        _ change: @escaping @Sendable (inout Value) -> Void
    ) -> [OptimisticUpdate<Value>] {
        optimisticUpdate(matching: filter, as: type, by: { _ in change })
    }

    /// Shows a change of its own in each entry that a filter finds: ``QueryClient/optimisticUpdate(matching:as:by:)``.
    @discardableResult
    public func optimisticUpdate<Value: Sendable>(
        matching filter: QueryFilter,
        as type: Value.Type,
        by change: (QueryKey) -> (@Sendable (inout Value) -> Void)?
    ) -> [OptimisticUpdate<Value>] {
        if changes.areRefused { return [] }
        let updates = client.optimisticUpdate(matching: filter, as: type, by: change)
        for update in updates { changes.keep(update) }
        return updates
    }
}
