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
