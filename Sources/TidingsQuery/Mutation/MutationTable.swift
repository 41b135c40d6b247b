/// The mutations of a client, in the order in which they were asked for.
struct MutationTable {
    struct Item {
        let identifier: MutationIdentifier
        let name: String?
        let scope: String?
        let submittedAt: Timestamp
        /// Its place among the others, which is the same after a restart.
        var order: Int64
        let idempotencyKey: String
        let isStored: Bool
        /// What its function has kept for the next attempt.
        var metadata = QueryMetadata()
        var machine = MutationMachine()
        /// Nil for one that came back from storage and whose definition is not known yet.
        var run: (any AnyMutationRun)?
    }

    /// Mutations that were let go when the device or the application came back. When each of them has come to something,
    /// what is observed is fetched.
    struct Resumption {
        let occasion: Return
        var remaining: Set<MutationIdentifier>
    }

    private(set) var items: [Item] = []
    private var lastOrder: Int64 = .min
    /// When the next of those that are over may be forgotten.
    var nextCollection: Timestamp?
    /// Those that have not come to something, one for each time that the device or the application came back.
    var resumptions: [Resumption] = []
    var definitions: [String: any AnyMutationDefinition] = [:]
    /// Came back from storage before their definition was registered.
    var orphans: [PersistedMutation] = []
    /// All were given up before it was known which ones are stored.
    var isCleared = false

    func index(of identifier: MutationIdentifier) -> Int? {
        items.firstIndex { $0.identifier == identifier }
    }

    /// The place of one that is asked for now. Places are moments as far as these differ, so that a later process, which
    /// may not know yet what is stored, goes on after them.
    mutating func nextOrder(at moment: Timestamp) -> Int64 {
        lastOrder = max(lastOrder < .max ? lastOrder + 1 : .max, moment.nanoseconds)
        return lastOrder
    }

    mutating func insert(_ item: Item) {
        lastOrder = max(lastOrder, item.order)
        let place = items.lastIndex { $0.order <= item.order }.map { $0 + 1 } ?? 0
        items.insert(item, at: place)
    }

    /// Changes one, if it is there.
    mutating func change<Outcome>(_ identifier: MutationIdentifier, _ body: (inout Item) -> Outcome) -> Outcome? {
        guard let index = index(of: identifier) else { return nil }
        return body(&items[index])
    }

    @discardableResult
    mutating func remove(_ identifier: MutationIdentifier) -> Item? {
        index(of: identifier).map { items.remove(at: $0) }
    }

    /// Whether it may have to wait for others.
    func hasScope(_ identifier: MutationIdentifier) -> Bool {
        index(of: identifier).map { items[$0].scope != nil } ?? false
    }

    /// Whether nothing of the same scope goes before it, or is on its way. One that was sent keeps its turn until it is
    /// over or has to wait for the network.
    func isFirstInScope(_ identifier: MutationIdentifier) -> Bool {
        guard let own = items.first(where: { $0.identifier == identifier }), let scope = own.scope,
            !own.machine.isUnderWay
        else { return true }
        let others = items.filter { $0.scope == scope && $0.identifier != identifier && !$0.machine.isOver }
        return !others.contains { $0.order < own.order || $0.machine.isUnderWay }
    }

    /// Tries one once more that has failed. Others of its scope may have been sent since then, so it goes to the end.
    ///
    /// - Returns: Nil if it has not failed.
    mutating func restart(_ identifier: MutationIdentifier, at moment: Timestamp) -> Item? {
        guard let index = index(of: identifier), items[index].machine.restart() else { return nil }
        var item = items.remove(at: index)
        item.order = nextOrder(at: moment)
        insert(item)
        return item
    }

    /// The next one of a scope that waits.
    func next(inScope scope: String) -> Item? {
        items.first { $0.scope == scope && !$0.machine.isOver }
    }

    /// The one that waits for another of its scope.
    func next(after identifier: MutationIdentifier) -> MutationIdentifier? {
        guard let own = items.first(where: { $0.identifier == identifier }), let scope = own.scope else { return nil }
        return items.first { $0.scope == scope && $0.order > own.order && !$0.machine.isOver }?.identifier
    }

    /// Forgets all of them, and those that came back from storage before their definition was registered.
    mutating func removeAll() -> (items: [Item], orphans: [PersistedMutation]) {
        defer {
            items = []
            orphans = []
            resumptions = []
        }
        return (items, orphans)
    }
}

extension MutationTable.Item {
    var info: MutationInfo {
        MutationInfo(
            identifier: identifier,
            name: name,
            status: machine.status,
            scope: scope,
            submittedAt: submittedAt.date,
            failureCount: machine.failures,
            failureReason: machine.failureReason,
            idempotencyKey: idempotencyKey,
            confirmation: machine.confirmation
        )
    }
}
