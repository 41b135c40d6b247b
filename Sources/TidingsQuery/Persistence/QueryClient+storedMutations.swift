import Logging

/// A mutation's definition, whatever its types.
protocol AnyMutationDefinition: Sendable {
    func resume(_ stored: PersistedMutation, by client: QueryClient) throws
}

extension Mutation: AnyMutationDefinition {
    func resume(_ stored: PersistedMutation, by client: QueryClient) throws {
        guard let codec else {
            throw QueryError(.notRegistered, "The input of the mutation \(stored.name) is not Codable.")
        }
        client.resume(self, stored, with: try codec.decode(stored.input))
    }
}

extension QueryClient {
    /// Tells the client what a stored mutation does, so that it can be sent after a restart. Register all that have a name
    /// before ``run()``; those that were stored under a name that nobody registers wait until somebody does, and a warning
    /// in the log says so.
    ///
    /// - Parameter mutation: A mutation with a name and a `Codable` input.
    public func register<Input, Output>(_ mutation: Mutation<Input, Output>) {
        guard let name = mutation.name else { return }
        let waiting = withCache { cache -> [PersistedMutation] in
            cache.mutations.definitions[name] = mutation
            defer { cache.mutations.orphans.removeAll { $0.name == name } }
            return cache.mutations.orphans.filter { $0.name == name }
        }
        for stored in waiting { resume(stored, mutation) }
    }

    func restoreMutations(from persister: any QueryPersister) async {
        await discardStoredMutations()
        do {
            let loaded = try await persister.loadMutations()
            for identifier in loaded.corrupt { report(MutationIdentifier(identifier)) }
            for stored in loaded.mutations { take(stored) }
        } catch {
            configuration.logger.error("Stored mutations could not be loaded: \(error)")
        }
    }

    private func report(_ identifier: MutationIdentifier) {
        let error = QueryError(
            .corrupt,
            "The stored mutation \(identifier) cannot be read and was dropped; ask for the change once more."
        )
        configuration.logger.error("\(error)")
        withCache { $0.inspection.record(.corruptMutation(identifier, error)) }
    }

    /// Takes those out of storage that were given up before it was known which ones there are.
    ///
    /// - Returns: Whether it is done.
    @discardableResult
    func discardStoredMutations() async -> Bool {
        guard let persister = configuration.persister, withCache({ $0.mutations.isCleared }) else { return true }
        do {
            let stored = try await persister.loadMutations().mutations
            withCache { cache in
                // What was started since then is known.
                for mutation in stored where cache.mutations.index(of: mutation.identifier) == nil {
                    cache.markDiscarded(mutation.identifier)
                }
                cache.mutations.isCleared = false
            }
            return true
        } catch {
            configuration.logger.error("Stored mutations could not be loaded: \(error)")
            return false
        }
    }

    /// Takes up a mutation of another client, when it is known what it does.
    func take(_ stored: PersistedMutation) {
        let (isWanted, definition) = withCache { cache -> (Bool, (any AnyMutationDefinition)?) in
            // It was given up, and is about to be taken out of storage.
            guard !cache.discarded.contains(stored.identifier) else { return (false, nil) }
            let definition = cache.mutations.definitions[stored.name]
            if definition == nil { cache.mutations.orphans.append(stored) }
            return (true, definition)
        }
        if let definition {
            resume(stored, definition)
        } else if isWanted {
            configuration.logger.warning(
                """
                The stored mutation \(stored.identifier) waits: register a mutation with its name, \(stored.name), \
                before run().
                """
            )
        }
    }

    private func resume(_ stored: PersistedMutation, _ definition: any AnyMutationDefinition) {
        do {
            try definition.resume(stored, by: self)
        } catch {
            configuration.logger.error("A stored mutation cannot be read: \(error)")
        }
    }

    /// Takes up a mutation where the process before left it. Its optimistic changes are made anew: they were never stored.
    fileprivate func resume<Input, Output>(
        _ mutation: Mutation<Input, Output>,
        _ stored: PersistedMutation,
        with input: Input
    ) {
        let identity = MutationIdentity(identifier: stored.identifier, idempotencyKey: stored.idempotencyKey)
        let run = MutationRun(mutation, input: input, identity: identity) {}
        let scope = mutation.scope(input)
        let isNew = withCache { cache -> Bool in
            guard cache.mutations.index(of: stored.identifier) == nil else { return false }
            var item = MutationTable.Item(
                identifier: stored.identifier,
                name: stored.name,
                scope: scope,
                submittedAt: Timestamp(stored.submittedAt),
                order: stored.order,
                idempotencyKey: stored.idempotencyKey,
                isStored: true,
                metadata: stored.metadata,
                run: run
            )
            if let failure = stored.failure {
                item.machine = .failed(StoredFailure(description: failure), at: cache.now)
            }
            cache.mutations.insert(item)
            return true
        }
        if isNew, stored.failure == nil { run.start(by: self) }
    }

    /// Stores a mutation as it is now: before it is sent for the first time, when its function keeps something, and when it
    /// has failed for good.
    func store(_ identifier: MutationIdentifier) async {
        guard let persister = configuration.persister else { return }
        let stored = withCache { cache in
            cache.mutations.index(of: identifier).map { cache.mutations.items[$0] }.flatMap { $0.run?.stored($0) }
        }
        guard let stored else { return }
        do {
            try await persister.save(try stored())
        } catch {
            configuration.logger.error("The mutation \(identifier) could not be stored: \(error)")
        }
        // Somebody may have given it up meanwhile, and taken out of storage what was not there yet.
        withCache { cache in
            if cache.mutations.index(of: identifier) == nil { cache.markDiscarded(identifier) }
        }
    }

    /// Takes a mutation out of storage; if it cannot be done now, when changes are stored next.
    ///
    /// - Returns: Whether it is done.
    @discardableResult
    func forget(_ identifier: MutationIdentifier) async -> Bool {
        guard let persister = configuration.persister else { return true }
        do {
            try await persister.removeMutation(identifier)
            return true
        } catch {
            if !(error is CancellationError) {
                configuration.logger.error("The mutation \(identifier) could not be taken out of storage: \(error)")
            }
            withCache { $0.markDiscarded(identifier) }
            return false
        }
    }
}

/// What a stored mutation failed with in an earlier process.
struct StoredFailure: Error, CustomStringConvertible {
    let description: String
}
