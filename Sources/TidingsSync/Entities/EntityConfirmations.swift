import Synchronization

/// What the server said of a change that it has made.
struct EntityTruth<Entity: Sendable>: Sendable {
    /// The entity, if it was in the answer.
    let answer: Entity?
    /// The version that the change has led to, if that is known.
    let version: Int64?
    let versionOf: @Sendable (Entity) -> Int64?

    /// Does to an entity what the server did: takes the answer, or does the change. One that is as new already has it.
    func settle(_ entity: inout Entity, otherwise change: (inout Entity) -> Void) {
        if let version, let own = versionOf(entity), own >= version { return }
        if let answer { entity = answer } else { change(&entity) }
    }
}

/// How what a mutation shows is settled when its answer has come.
final class EntityConfirmations<Entity: Sendable>: Sendable {
    private let waiting = Mutex<[@Sendable (EntityTruth<Entity>) -> Void]>([])

    func add(_ confirm: @escaping @Sendable (EntityTruth<Entity>) -> Void) {
        waiting.withLock { $0.append(confirm) }
    }

    func confirm(as truth: EntityTruth<Entity>, in queries: QueryClient) {
        let waiting = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        queries.batch {
            for confirm in waiting { confirm(truth) }
        }
    }
}

/// How mutations that are under way, or may be tried once more, are settled.
final class ConfirmationTable: Sendable {
    private let confirmations = Mutex<[MutationIdentifier: any AnyObject & Sendable]>([:])

    /// After so many, those of mutations that were given up are looked for.
    private static let most = 100

    /// A mutation begins, or begins anew.
    func begin<Entity>(
        _ mutation: MutationIdentifier,
        _ type: Entity.Type,
        in queries: QueryClient
    ) -> EntityConfirmations<Entity> {
        let new = EntityConfirmations<Entity>()
        let isFull = confirmations.withLock { $0.count >= Self.most }
        let known = isFull ? Set(queries.mutations().map(\.identifier)) : []
        confirmations.withLock { confirmations in
            if isFull { confirmations = confirmations.filter { known.contains($0.key) } }
            confirmations[mutation] = new
        }
        return new
    }

    /// Those of a mutation; nil if it has ended.
    func current<Entity>(_ mutation: MutationIdentifier, _ type: Entity.Type) -> EntityConfirmations<Entity>? {
        confirmations.withLock { $0[mutation] as? EntityConfirmations<Entity> }
    }

    /// A mutation is over.
    func end(_ mutation: MutationIdentifier) {
        confirmations.withLock { $0[mutation] = nil }
    }
}
