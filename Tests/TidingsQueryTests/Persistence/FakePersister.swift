import Synchronization
import Testing
import TidingsTesting

@testable import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Storage in memory, that tells what was asked of it.
final class FakePersister: QueryPersister {
    struct State {
        var entries: [QueryKey: PersistedEntry] = [:]
        /// The format of those that do not have the first one.
        var busters: [QueryKey: String] = [:]
        var mutations: [PersistedMutation] = []
        var loads: [[String]] = []
        var saves: [Int] = []
        /// How often something was to be stored.
        var attempts = 0
        var corrupt: [String] = []
        var corruptMutations: [String] = []
        var isBroken = false
        /// What takes time before each use.
        var delay: (@Sendable () async throws -> Void)?
        /// What takes time before a mutation is stored.
        var mutationDelay: (@Sendable () async throws -> Void)?
        var scope: PersistenceScope?
    }

    private let state = Mutex(State())

    func read<Value: Sendable>(_ body: (State) -> Value) -> Value { state.withLock { body($0) } }
    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    /// Puts an entry in as if an earlier process had.
    func put(_ key: QueryKey, _ json: String, updatedAt: Date = Bench.start, isInvalidated: Bool = false) {
        let entry = PersistedEntry(
            key: key.description,
            value: Data(json.utf8),
            updatedAt: updatedAt,
            version: nil,
            isInvalidated: isInvalidated,
            metadata: QueryMetadata()
        )
        change { $0.entries[key] = entry }
    }

    func stored(_ key: QueryKey) -> String? {
        read { $0.entries[key].map { String(decoding: $0.value, as: UTF8.self) } }
    }

    /// A database does nothing for a task that is cancelled.
    private func wait() async throws {
        try await read(\.delay)?()
        try Task.checkCancellation()
    }

    func load(_ selection: PersistedSelection, in scope: PersistenceScope) async throws -> PersistedEntries {
        try await wait()
        return try state.withLock { state in
            if state.isBroken { throw TestError(name: "broken") }
            state.scope = scope
            let useful = state.entries
                .filter { $1.updatedAt >= scope.oldest && state.busters[$0, default: ""] == scope.buster }
                .sorted { $0.value.key < $1.value.key }
            var result = PersistedEntries()
            switch selection {
            case .keys(let keys): result.entries = useful.filter { keys.contains($0.key) }.map(\.value)
            case .allExcept(let keys):
                result.entries = useful.filter { !keys.contains($0.key) }.map(\.value)
                result.corrupt = state.corrupt
            }
            state.loads.append(result.entries.map(\.key))
            return result
        }
    }

    func save(_ changes: [PersistedChange], in scope: PersistenceScope) async throws {
        try await wait()
        try state.withLock { state in
            state.attempts += 1
            if state.isBroken { throw TestError(name: "broken") }
            state.saves.append(changes.count)
            for change in changes {
                switch change {
                case .save(let entry):
                    guard let key = QueryKey(canonical: entry.key) else { continue }
                    let isOther = state.busters[key, default: ""] != scope.buster
                    let old = state.entries[key]?.updatedAt ?? .distantPast
                    guard isOther || old <= entry.updatedAt else { continue }
                    state.entries[key] = entry
                    state.busters[key] = scope.buster
                case .remove(let keys):
                    for key in state.entries.keys where keys.contains(key) { state.entries[key] = nil }
                case .invalidate(let keys):
                    for key in state.entries.keys where keys.contains(key) {
                        state.entries[key]?.isInvalidated = true
                    }
                }
            }
        }
    }

    func loadMutations() async throws -> PersistedMutations {
        read { state in
            PersistedMutations(
                mutations: state.mutations.sorted { $0.order < $1.order },
                corrupt: state.corruptMutations
            )
        }
    }

    func save(_ mutation: PersistedMutation) async throws {
        try await read(\.mutationDelay)?()
        change { state in
            if let index = state.mutations.firstIndex(where: { $0.identifier == mutation.identifier }) {
                state.mutations[index] = mutation
            } else {
                state.mutations.append(mutation)
            }
        }
    }

    func removeMutation(_ identifier: MutationIdentifier) async throws {
        try Task.checkCancellation()
        try state.withLock { state in
            if state.isBroken { throw TestError(name: "broken") }
            state.mutations.removeAll { $0.identifier == identifier }
        }
    }
}

@Suite("Storage in memory")
struct FakePersisterTests {
    @Test("keeps what every persister promises", arguments: QueryPersisterConformance.checks)
    func conforms(_ check: ConformanceCheck<any QueryPersister>) async throws {
        try await check.run(against: FakePersister())
    }
}
