import Logging

/// What is in a client, in a form that can be sent to another one: from a server that renders to the browser it renders
/// for, or from an application to its extension.
public struct DehydratedState: Sendable, Codable {
    /// The entries.
    public var entries: [PersistedEntry]
    /// The mutations that wait to be sent.
    public var mutations: [PersistedMutation]

    /// Makes a state.
    public init(entries: [PersistedEntry] = [], mutations: [PersistedMutation] = []) {
        self.entries = entries
        self.mutations = mutations
    }
}

extension QueryClient {
    /// What is in the cache, encoded. Values that are not `Codable`, entries whose last fetch failed, and optimistic
    /// changes are left out; of the mutations, those are in it that have a name, can be encoded, and wait.
    ///
    /// - Parameter filter: Which entries.
    public func dehydrate(_ filter: QueryFilter = .all) -> DehydratedState {
        let records = withEntries(filter) { _, entries in
            entries.filter { $0.status == .success }.compactMap { $0.record() }
        }
        let waiting = withCache { cache in
            cache.mutations.items.filter { $0.machine.isWaitingForConditions }.compactMap { $0.run?.stored($0) }
        }
        return DehydratedState(
            entries: records.compactMap { record in
                do { return try record.encoded() } catch {
                    configuration.logger.error("The entry \(record.key) cannot be encoded and is left out: \(error)")
                    return nil
                }
            },
            mutations: waiting.compactMap { stored in
                do { return try stored() } catch {
                    configuration.logger.error("A mutation cannot be encoded and is left out: \(error)")
                    return nil
                }
            }
        )
    }

    /// Takes over what another client had. Of two values for one entry, the newer one stays; mutations are sent by this
    /// client as soon as their definition is registered: ``register(_:)``.
    ///
    /// - Parameter state: What ``dehydrate(_:)`` gave.
    public func hydrate(_ state: DehydratedState) {
        install(PersistedEntries(entries: state.entries))
        for mutation in state.mutations { take(mutation) }
    }
}
