/// A change that is shown before the server has made it.
///
/// It is kept as a function and done again to whatever the server answers meanwhile, so several can be under way, and a
/// failed one goes without touching the others. The function has to come to the same when it is done twice: set a value
/// or replace an element by its identity rather than counting up or appending blindly.
public struct OptimisticUpdate<Value: Sendable>: Sendable {
    let client: QueryClient
    let query: Query<Value>
    /// Whose data is changed.
    public var key: QueryKey { query.key }
    let identifier: UInt64

    /// The server has made the change: it is part of the data from here on, also for fetches that were asked for before.
    ///
    /// After a confirmation or a rollback, further ones do nothing.
    public func confirm() {
        settle(.changeConfirmed(query.key), isConfirmed: true) { [identifier] in $0.confirm(identifier, as: nil) }
    }

    /// The server has made the change, and has said what came of it.
    ///
    /// - Parameter truth: Does what the server did, in place of what was shown until now.
    public func confirm(as truth: @escaping @Sendable (inout Value) -> Void) {
        settle(.changeConfirmed(query.key), isConfirmed: true) { [identifier] in $0.confirm(identifier, as: truth) }
    }

    /// The server did not make the change: everything looks as if it had never been asked for.
    public func rollback() {
        settle(.changeRolledBack(query.key), isConfirmed: false) { [identifier] in $0.remove(identifier) }
    }

    private func settle(_ event: QueryEvent, isConfirmed: Bool, _ change: (inout Overlay<Value>) -> Void) {
        client.edit(
            find: { $0.entry(query) },
            change: { overlay -> Void? in
                guard overlay.hasPatch(identifier) else { return nil }
                change(&overlay)
                return ()
            },
            commit: { cache, entry, edit, _ in
                cache.change(entry, edit, isBaseChanged: isConfirmed)
                cache.inspection.record(event)
                if isConfirmed { cache.markUnsaved(entry) }
                guard entry.isDisposable else { return }
                entry.idleSince = cache.now
                // It was there for the change alone.
                if entry.isUntouched, !entry.hasData { cache.remove(entry, isForgotten: false) }
            }
        )
    }
}

extension QueryClient {
    /// Shows a change before the server has made it. Call ``OptimisticUpdate/confirm()`` or
    /// ``OptimisticUpdate/rollback()`` when it is known; within a mutation use ``MutationContext``, which does it by
    /// itself.
    ///
    /// - Parameters:
    ///   - query: Whose data is changed. Without data, the change is shown when there is some.
    ///   - change: Changes it. It is called whenever there is new data below it, so it has to come to the same when it is
    ///     done twice, and must not depend on anything that changes.
    public func optimisticUpdate<Value>(
        _ query: Query<Value>,
        _ change: @escaping @Sendable (inout Value) -> Void
    ) -> OptimisticUpdate<Value> {
        optimisticUpdate(query, isDefinition: true, change)
    }

    private func optimisticUpdate<Value>(
        _ query: Query<Value>,
        isDefinition: Bool,
        _ change: @escaping @Sendable (inout Value) -> Void
    ) -> OptimisticUpdate<Value> {
        let identifier = withCache { $0.nextIdentifier() }
        // Whoever asks for a change sees one: comparing a long list would take longer than making it.
        upsert(query, isNews: true, isDefinition: isDefinition) { overlay in
            overlay.add(.init(identifier: identifier, change: change))
            return true
        } commit: { cache, entry, edit in
            cache.change(entry, edit, isBaseChanged: false)
            cache.inspection.record(.changedOptimistically(entry.key))
        }
        return OptimisticUpdate(client: self, query: query, identifier: identifier)
    }

    /// Shows a change in every entry that a filter finds and whose values have a type.
    ///
    /// - Parameters:
    ///   - filter: Which entries, such as all lists.
    ///   - type: The type of their values; others are left alone.
    ///   - change: As for ``optimisticUpdate(_:_:)``.
    /// - Returns: One for each entry.
    public func optimisticUpdate<Value: Sendable>(
        matching filter: QueryFilter,
        as type: Value.Type,
        _ change: @escaping @Sendable (inout Value) -> Void
    ) -> [OptimisticUpdate<Value>] {
        optimisticUpdate(matching: filter, as: type, by: { _ in change })
    }

    /// Shows a change of its own in each entry that a filter finds and whose values have a type, such as in those lists
    /// that an entity belongs to.
    ///
    /// - Parameters:
    ///   - filter: Which entries.
    ///   - type: The type of their values; others are left alone.
    ///   - change: Gives the change of an entry by its key; nil leaves it alone.
    /// - Returns: One for each entry that is changed.
    public func optimisticUpdate<Value: Sendable>(
        matching filter: QueryFilter,
        as type: Value.Type,
        by change: (QueryKey) -> (@Sendable (inout Value) -> Void)?
    ) -> [OptimisticUpdate<Value>] {
        let changes = keys(matching: filter, as: type).compactMap { key in change(key).map { (key, $0) } }
        return batch {
            changes.map { key, change in optimisticUpdate(Query<Value>(key: key), isDefinition: false, change) }
        }
    }
}

extension Cache {
    /// - Parameter isBaseChanged: Whether what the server is known to have is another; otherwise its version stays, also
    ///   if the definition that is known by now cannot tell it.
    mutating func change<Value>(_ entry: Entry<Value>, _ edit: Edit<Value>, isBaseChanged: Bool) {
        recency.changeCost(of: entry, to: edit.cost)
        let version = isBaseChanged ? edit.version : entry.machine.baseVersion
        modify(entry) { $0.change(edit.overlay, version: version, isSame: edit.isSame) }
        changed(entry)
    }
}
