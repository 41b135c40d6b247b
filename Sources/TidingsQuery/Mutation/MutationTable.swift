/// The mutations of a client, in the order in which they were asked for.
struct MutationTable {
    struct Item {
        let identifier: MutationIdentifier
        let name: String?
        let scope: String?
        let submittedAt: Timestamp
        let idempotencyKey: String
        let isStored: Bool
        var machine = MutationMachine()
        /// Nil for one that came back from storage and whose definition is not known yet.
        var run: (any AnyMutationRun)?
    }

    /// Mutations that were let go when the device or the application came back. When each of them has come to something,
    /// what is observed is fetched.
    struct Resumption {
        var occasions: Set<Return>
        var remaining: Set<MutationIdentifier>
    }

    private(set) var items: [Item] = []
    /// When somebody may look away from those that are over.
    var agenda = Agenda<MutationIdentifier>()
    /// Nil unless mutations were let go before what is observed is fetched.
    var resumption: Resumption?
    var definitions: [String: any AnyMutationDefinition] = [:]
    /// Came back from storage before their definition was registered.
    var orphans: [PersistedMutation] = []
    /// All were given up before it was known which ones are stored.
    var isCleared = false

    func index(of identifier: MutationIdentifier) -> Int? {
        items.firstIndex { $0.identifier == identifier }
    }

    mutating func append(_ item: Item) {
        items.append(item)
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

    /// Whether nothing of the same scope goes before it.
    func isFirstInScope(_ identifier: MutationIdentifier) -> Bool {
        guard let own = items.first(where: { $0.identifier == identifier }), let scope = own.scope else { return true }
        return next(inScope: scope)?.identifier == identifier
    }

    /// Tries one once more that has failed. Others of its scope may have been sent since then, so it goes to the end.
    ///
    /// - Returns: Nil if it has not failed.
    mutating func restart(_ identifier: MutationIdentifier) -> Item? {
        guard let index = index(of: identifier), items[index].machine.restart() else { return nil }
        let item = items.remove(at: index)
        items.append(item)
        return item
    }

    /// The next one of a scope that waits.
    func next(inScope scope: String) -> Item? {
        items.first { $0.scope == scope && !$0.machine.isOver }
    }

    /// Forgets all of them, and those that came back from storage before their definition was registered.
    mutating func removeAll() -> (items: [Item], orphans: [PersistedMutation]) {
        defer {
            items = []
            orphans = []
            resumption = nil
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
            idempotencyKey: idempotencyKey
        )
    }
}
