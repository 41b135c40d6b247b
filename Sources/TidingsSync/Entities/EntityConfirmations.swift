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

/// What a mutation that is under way needs until its answer has come: how what it shows is settled, and what was sent.
final class EntityConfirmations<Entity: Sendable>: Sendable {
    private let waiting = Mutex<[@Sendable (EntityTruth<Entity>) -> Void]>([])
    private let sent = Mutex<(request: APIRequest, version: Int64?)?>(nil)

    /// What all attempts send. Another request would not be the same change: a server that knows its key refuses it.
    func request(
        _ make: () throws -> (request: APIRequest, version: Int64?)
    ) rethrows -> (request: APIRequest, version: Int64?) {
        if let sent = sent.withLock({ $0 }) { return sent }
        let made = try make()
        sent.withLock { $0 = made }
        return made
    }

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

/// The confirmations of the mutations that are under way, by mutation.
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
        if confirmations.withLock({ $0.count }) >= Self.most {
            let known = Set(queries.mutations().map(\.identifier))
            confirmations.withLock { $0 = $0.filter { known.contains($0.key) } }
        }
        confirmations.withLock { $0[mutation] = new }
        return new
    }

    /// Those of a mutation; nil if it has ended.
    func current<Entity>(_ mutation: MutationIdentifier, _ type: Entity.Type) -> EntityConfirmations<Entity>? {
        confirmations.withLock { $0[mutation] as? EntityConfirmations<Entity> }
    }

    func end(_ mutation: MutationIdentifier) {
        confirmations.withLock { $0[mutation] = nil }
    }
}
