import Synchronization
import TidingsQuery

/// Storage in memory that outlives a client.
final class MemoryPersister: QueryPersister {
    private let mutations = Mutex<[PersistedMutation]>([])

    func load(_ selection: PersistedSelection, in scope: PersistenceScope) async throws -> PersistedEntries {
        PersistedEntries()
    }

    func save(_ changes: [PersistedChange], in scope: PersistenceScope) async throws {}

    func loadMutations() async throws -> PersistedMutations {
        PersistedMutations(mutations: mutations.withLock { $0.sorted { $0.order < $1.order } })
    }

    func save(_ mutation: PersistedMutation) async throws {
        mutations.withLock { mutations in
            mutations.removeAll { $0.identifier == mutation.identifier }
            mutations.append(mutation)
        }
    }

    func removeMutation(_ identifier: MutationIdentifier) async throws {
        mutations.withLock { $0.removeAll { $0.identifier == identifier } }
    }
}
