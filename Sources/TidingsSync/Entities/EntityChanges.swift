/// Shows changes of an entity before the server has made them, wherever the entity is in the cache: in its detail and in
/// each list. They are confirmed or rolled back with their mutation.
public struct EntityChanges<Entity: Sendable>: Sendable {
    private let entity: SyncedEntity<Entity>
    private let context: MutationContext
    private let confirmations: EntityConfirmations<Entity>

    init(_ entity: SyncedEntity<Entity>, _ context: MutationContext, _ confirmations: EntityConfirmations<Entity>) {
        self.entity = entity
        self.context = context
        self.confirmations = confirmations
    }

    /// Shows a new one in the lists that it belongs to.
    public func insert(_ new: Entity) {
        changeLists(entity.identifier(new), newcomer: new, { _ in })
    }

    /// Changes one wherever it is shown. It goes from lists that it does not belong to any more, and comes to those that it
    /// belongs to now.
    ///
    /// - Parameters:
    ///   - identifier: Which one.
    ///   - change: Changes it. As it is done again to newer data, it has to come to the same when it is done twice.
    public func update(_ identifier: String, _ change: @escaping @Sendable (inout Entity) -> Void) {
        let shown = context.client.data(of: entity.detail(identifier)) ?? entity.listed(identifier, in: context.client)
        let changed = shown.map { shown in
            var changed = shown
            change(&changed)
            return changed
        }
        let update = context.optimisticUpdate(entity.detail(identifier), change)
        confirmations.add { truth in
            update.confirm { truth.settle(&$0, otherwise: change) }
        }
        changeLists(identifier, newcomer: changed, from: shown, change)
    }

    /// Takes one out of all lists.
    ///
    /// - Parameter identifier: Which one.
    public func remove(_ identifier: String) {
        let entity = entity
        for form in entity.lists {
            _ = form.changeOptimistically(context, .under(entity.keys.lists)) { _ in
                { pages in pages.removeAll { entity.identifier($0) == identifier } }
            }
        }
    }

    /// - Parameters:
    ///   - newcomer: What comes to lists that it belongs to and was not in.
    ///   - old: What it was before: lists that this belonged to and that do not show it have it on another page.
    private func changeLists(
        _ identifier: String,
        newcomer: Entity?,
        from old: Entity? = nil,
        _ change: @escaping @Sendable (inout Entity) -> Void
    ) {
        let entity = entity
        for form in entity.lists {
            let updates = form.changeOptimistically(context, .under(entity.keys.lists)) { key in
                entity.listChange(identifier, newcomer: newcomer, from: old, in: key, change)
            }
            confirmations.add { truth in
                let settle: @Sendable (inout Entity) -> Void = { truth.settle(&$0, otherwise: change) }
                for update in updates {
                    let newcomer = truth.answer ?? newcomer
                    let settled = entity.listChange(identifier, newcomer: newcomer, from: old, in: update.key, settle)
                    if let settled { update.confirm(settled) }
                }
            }
        }
    }
}

extension SyncedEntity {
    /// What a change of one does to a list; nil if the key is no list's.
    fileprivate func listChange(
        _ identifier: String,
        newcomer: Entity?,
        from old: Entity?,
        in key: QueryKey,
        _ change: @escaping @Sendable (inout Entity) -> Void
    ) -> EntityListForm<Entity>.Change? {
        guard let parameters = ListParameters(key, of: keys) else { return nil }
        let wasMember = old.map { place($0, parameters) != nil } ?? false
        return { pages in
            let isListed = pages.update(
                where: { self.identifier($0) == identifier },
                { listed in
                    change(&listed)
                    return place(listed, parameters) != nil
                }
            )
            guard !isListed, !wasMember, let newcomer, let newPlace = place(newcomer, parameters) else { return }
            pages.insert(newcomer, at: newPlace)
        }
    }
}
