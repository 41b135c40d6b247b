/// How values of a type hold a list of entities.
public struct EntityListForm<Entity: Sendable>: Sendable {
    /// Changes the pages of a list.
    typealias Change = @Sendable (inout [[Entity]]) -> Void

    /// A change that is shown in one list.
    struct Update: Sendable {
        let key: QueryKey
        /// The server has made the change, and this is what it did.
        let confirm: @Sendable (@escaping Change) -> Void
    }

    /// Shows changes until the server has made them: each list's own, by its key.
    let changeOptimistically: @Sendable (MutationContext, QueryFilter, (QueryKey) -> Change?) -> [Update]
    let change: @Sendable (QueryClient, QueryFilter, Change) -> Void
    let entities: @Sendable (QueryClient, QueryFilter) -> [[Entity]]

    private init<Value: Sendable>(
        as type: Value.Type,
        pages: @escaping @Sendable (Value) -> [[Entity]],
        replace: @escaping @Sendable (inout Value, [[Entity]]) -> Void
    ) {
        let edit: @Sendable (inout Value, Change) -> Void = { value, change in
            var changed = pages(value)
            change(&changed)
            replace(&value, changed)
        }
        changeOptimistically = { context, filter, changes in
            let updates = context.optimisticUpdate(matching: filter, as: type) { key in
                guard let change = changes(key) else { return nil }
                return { edit(&$0, change) }
            }
            return updates.map { update in
                Update(key: update.key) { truth in update.confirm { edit(&$0, truth) } }
            }
        }
        change = { client, filter, change in
            client.amendData(matching: filter, as: type) { edit(&$0, change) }
        }
        entities = { client, filter in
            client.data(matching: filter, as: type).flatMap { pages($0.value) }
        }
    }

    /// An array.
    public static var array: EntityListForm {
        EntityListForm(as: [Entity].self) {
            [$0]
        } replace: {
            $0 = $1.first ?? []
        }
    }

    /// A page with the entities in a property.
    ///
    /// - Parameter items: The property.
    public static func page<Page: Sendable>(
        _ items: any WritableKeyPath<Page, [Entity]> & Sendable
    ) -> EntityListForm {
        EntityListForm(as: Page.self) {
            [$0[keyPath: items]]
        } replace: {
            $0[keyPath: items] = $1.first ?? []
        }
    }

    /// Pages of a list that goes on.
    ///
    /// - Parameters:
    ///   - items: The property of a page with the entities.
    ///   - cursor: The type of the cursors.
    public static func pages<Page: Sendable, Cursor: Sendable>(
        _ items: any WritableKeyPath<Page, [Entity]> & Sendable,
        cursor: Cursor.Type
    ) -> EntityListForm {
        EntityListForm(as: InfiniteData<Page, Cursor>.self) { data in
            data.pages.map { $0[keyPath: items] }
        } replace: { data, pages in
            for (index, page) in zip(data.pages.indices, pages) { data.pages[index][keyPath: items] = page }
        }
    }
}

/// The pages of a list.
extension Array {
    mutating func insert<Entity>(
        _ new: Entity,
        at place: ListPlace
    ) where Element == [Entity] {
        if isEmpty { append([]) }
        switch place {
        case .first: self[0].insert(new, at: 0)
        case .last: self[count - 1].append(new)
        }
    }

    /// - Parameter change: Changes what is found, and returns whether it stays.
    /// - Returns: Whether something was found.
    mutating func update<Entity>(
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

    mutating func removeAll<Entity>(
        where isFound: (Entity) -> Bool
    ) where Element == [Entity] {
        for page in indices { self[page].removeAll(where: isFound) }
    }
}
