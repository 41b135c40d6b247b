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

/// What mutations that are under way, or may be tried once more, need: how they are settled, and what was sent.
final class ConfirmationTable: Sendable {
    /// A request with the version that it is based on.
    typealias Sent = (request: APIRequest, version: Int64?)

    private struct State {
        var confirmations: [MutationIdentifier: any AnyObject & Sendable] = [:]
        var sent: [MutationIdentifier: Sent] = [:]
    }

    private let state = Mutex(State())

    /// After so many, those of mutations that were given up are looked for.
    private static let most = 100

    /// A mutation begins, or begins anew.
    func begin<Entity>(
        _ mutation: MutationIdentifier,
        _ type: Entity.Type,
        in queries: QueryClient
    ) -> EntityConfirmations<Entity> {
        let new = EntityConfirmations<Entity>()
        let isFull = state.withLock { max($0.confirmations.count, $0.sent.count) >= Self.most }
        let known = isFull ? Set(queries.mutations().map(\.identifier)) : []
        state.withLock { state in
            if isFull {
                state.confirmations = state.confirmations.filter { known.contains($0.key) }
                state.sent = state.sent.filter { known.contains($0.key) }
            }
            state.confirmations[mutation] = new
        }
        return new
    }

    /// Those of a mutation; nil if it has ended.
    func current<Entity>(_ mutation: MutationIdentifier, _ type: Entity.Type) -> EntityConfirmations<Entity>? {
        state.withLock { $0.confirmations[mutation] as? EntityConfirmations<Entity> }
    }

    /// What all attempts of a mutation send. Another request would not be the same change: a server that knows its key
    /// refuses it.
    func request(of mutation: MutationIdentifier, _ make: () throws -> Sent) rethrows -> Sent {
        if let sent = state.withLock({ $0.sent[mutation] }) { return sent }
        let made = try make()
        state.withLock { $0.sent[mutation] = made }
        return made
    }

    /// A mutation is over.
    ///
    /// - Parameter isKnown: Whether it is known what the server did.
    func end(_ mutation: MutationIdentifier, isKnown: Bool) {
        state.withLock { state in
            state.confirmations[mutation] = nil
            if isKnown { state.sent[mutation] = nil }
        }
    }
}
