/// Shows changes of an entity before the server has made them, wherever the entity is in the cache: in its detail and in
/// each list. They are confirmed or rolled back with their mutation.
public struct EntityChanges<Entity: Sendable>: Sendable {
    private let entity: SyncedEntity<Entity>
    private let context: MutationContext

    init(_ entity: SyncedEntity<Entity>, _ context: MutationContext) {
        self.entity = entity
        self.context = context
    }

    /// Shows a new one in the lists that it belongs to.
    public func insert(_ new: Entity) {
        let identifier = entity.identifier(new)
        changeLists { parameters in
            guard let place = entity.place(new, parameters) else { return nil }
            return { $0.insert(new, at: place, unless: { entity.identifier($0) == identifier }) }
        }
    }

    /// Changes one wherever it is shown. It goes from lists that it does not belong to any more, and comes to those that it
    /// belongs to now.
    ///
    /// - Parameters:
    ///   - identifier: Which one.
    ///   - change: Changes it. As it is done again to newer data, it has to come to the same when it is done twice.
    public func update(_ identifier: String, _ change: @escaping @Sendable (inout Entity) -> Void) {
        var changed = known(identifier)
        changed.mutate { change(&$0) }
        let newcomer = changed
        context.optimisticUpdate(entity.detail(identifier), change)
        let entity = entity
        changeLists { parameters in
            let newPlace = newcomer.flatMap { entity.place($0, parameters) }
            return { pages in
                let isListed = pages.update(where: { entity.identifier($0) == identifier }) { listed in
                    change(&listed)
                    return entity.place(listed, parameters) != nil
                }
                guard !isListed, let newcomer, let newPlace else { return }
                pages.insert(newcomer, at: newPlace, unless: { entity.identifier($0) == identifier })
            }
        }
    }

    /// Takes one out of all lists.
    ///
    /// - Parameter identifier: Which one.
    public func remove(_ identifier: String) {
        let entity = entity
        changeLists { _ in
            { pages in pages.removeAll { entity.identifier($0) == identifier } }
        }
    }

    /// One as it is shown now, wherever that is.
    private func known(_ identifier: String) -> Entity? {
        context.client.data(of: entity.detail(identifier)) ?? entity.listed(identifier, in: context.client)
    }

    private func changeLists(_ change: (ListParameters) -> (@Sendable (inout [[Entity]]) -> Void)?) {
        for form in entity.lists {
            form.changeOptimistically(context, .under(entity.keys.lists)) { key in
                ListParameters(key, of: entity.keys).flatMap(change)
            }
        }
    }
}

extension Optional {
    fileprivate mutating func mutate(_ change: (inout Wrapped) -> Void) {
        guard var value = self else { return }
        change(&value)
        self = value
    }
}

/// The pages of a list.
extension Array {
    fileprivate mutating func insert<Entity>(
        _ new: Entity,
        at place: ListPlace,
        unless isListed: (Entity) -> Bool
    ) where Element == [Entity] {
        guard !contains(where: { $0.contains(where: isListed) }) else { return }
        switch place {
        case .first: if isEmpty { append([new]) } else { self[0].insert(new, at: 0) }
        case .last: if isEmpty { append([new]) } else { self[count - 1].append(new) }
        }
    }

    /// - Parameter change: Changes what is found, and returns whether it stays.
    /// - Returns: Whether something was found.
    fileprivate mutating func update<Entity>(
        where isFound: (Entity) -> Bool,
        _ change: (inout Entity) -> Bool
    ) -> Bool where Element == [Entity] {
        for page in indices {
            guard let index = self[page].firstIndex(where: isFound) else { continue }
            if !change(&self[page][index]) { self[page].remove(at: index) }
            return true
        }
        return false
    }

    fileprivate mutating func removeAll<Entity>(
        where isFound: (Entity) -> Bool
    ) where Element == [Entity] {
        for page in indices { self[page].removeAll(where: isFound) }
    }
}
