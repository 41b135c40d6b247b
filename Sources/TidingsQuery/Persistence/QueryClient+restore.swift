import Logging

extension QueryClient {
    /// Brings back what was stored: first what is on screen, then the rest, then the mutations. ``run()`` does it by itself,
    /// and so does the first observer.
    ///
    /// Until it is done, observers show what is there and do not fetch. Of two values for one entry, the newer one stays.
    /// What cannot be read is dropped and reported, and never an error. Cancelling the task that waits ends only its wait.
    public func restore() async {
        await withCache { $0.restore(by: self) }?.finished()
    }

    fileprivate func load() async {
        if let persister = configuration.persister {
            do {
                let onScreen = keys(matching: .matching { $0.observerCount > 0 })
                for selection in [.keys(onScreen), .allExcept(onScreen)] as [PersistedSelection] {
                    if case .keys([]) = selection { continue }
                    install(try await persister.load(selection, in: persistenceScope), isStored: true)
                }
            } catch {
                configuration.logger.error("Stored queries could not be loaded: \(error)")
            }
            await restoreMutations(from: persister)
        }
        withCache { $0.endRestoring(by: self) }
    }

    var persistenceScope: PersistenceScope {
        let age = configuration.persistence.maxAge
        return PersistenceScope(
            buster: configuration.persistence.buster,
            oldest: (time.now + (.zero - age)).date
        )
    }

    /// Puts encoded entries into the cache. They stay encoded until somebody asks for them, so many are as quick as few.
    ///
    /// - Parameter isStored: Whether they come from this client's storage, which does not know what happened meanwhile.
    func install(_ loaded: PersistedEntries, isStored: Bool = false) {
        for key in loaded.corrupt { report(QueryKey(canonical: key) ?? [.string(key)], nil) }
        let keyed = loaded.entries.compactMap { stored -> (QueryKey, PersistedEntry)? in
            guard let key = QueryKey(canonical: stored.key) else {
                report([.string(stored.key)], nil)
                return nil
            }
            return (key, stored)
        }
        // In parts, so that nobody waits long for the critical section.
        for start in stride(from: 0, to: keyed.count, by: 256) {
            let part = keyed[start..<min(start + 256, keyed.count)]
            let restorers = withCache { cache in
                part.compactMap { key, stored in
                    let current = isStored ? cache.current(stored, at: key) : stored
                    return current.flatMap { cache.install($0, at: key, isStored: isStored) }
                }
            }
            for restore in restorers { restore(self) }
        }
    }

    /// Gives encoded data to an entry whose type is known already.
    func restore<Value>(
        _ stored: PersistedEntry,
        isStored: Bool,
        into query: Query<Value>,
        decoding codec: ValueCodec<Value>
    ) {
        do {
            let value = try codec.decode(stored.value)
            edit(
                find: { cache -> Entry<Value>? in
                    // Decoding takes time, in which it may have been removed.
                    guard let entry = cache.entry(query), !isStored || cache.current(stored, at: query.key) != nil
                    else {
                        return nil
                    }
                    return entry.machine.updatedAt.map { $0 < Timestamp(stored.updatedAt) } ?? true ? entry : nil
                },
                change: { overlay -> Void? in
                    overlay.replace(value)
                    return ()
                },
                commit: { cache, entry, edit, _ in
                    let current = isStored ? cache.current(stored, at: query.key) : nil
                    cache.restore(entry, edit, current ?? stored, isStored: isStored)
                }
            )
        } catch {
            report(query.key, error)
        }
    }

    func report(_ key: QueryKey, _ error: (any Error)?) {
        let error = QueryError(
            .corrupt,
            "The stored entry \(key) cannot be read and was dropped; give values of a new form another buster.",
            cause: error
        )
        configuration.logger.warning("\(error)")
        withCache { $0.inspection.record(.corrupt(key, error)) }
    }
}

extension Cache {
    /// Begins to load what is stored.
    ///
    /// - Returns: To wait for the end of it; nil if it has come.
    @discardableResult
    mutating func restore(by client: QueryClient) -> FetchTicket<Void>? {
        guard isRestoring else { return nil }
        if let restoration { return restoration }
        let ticket = FetchTicket<Void>()
        restoration = ticket
        // On a task of its own: whoever gives up waiting must not end what everybody waits for.
        effects.perform {
            _ = client.spawn {
                await client.inTurn { await client.load() }
                ticket.resolve(.success(()))
            }
        }
        return ticket
    }

    fileprivate mutating func endRestoring(by client: QueryClient) {
        isRestoring = false
        restoration = nil
        missedByStorage = []
        startScopes()
        for entry in select(.all, admitted: nil) {
            let wantsFetch = entry.registrations.contains { shouldFetch(entry, $0.settings, .start) }
            if wantsFetch { _ = entry.fetch(in: &self, by: client, restarting: false) }
        }
        guard !missedOccasions.isEmpty else { return }
        refetchActive(on: missedOccasions, by: client)
        missedOccasions = []
    }

    /// - Parameter isStored: Whether it comes from storage, and so need not be stored.
    /// - Returns: What gives the data to an entry whose type is known already.
    fileprivate mutating func install(
        _ stored: PersistedEntry,
        at key: QueryKey,
        isStored: Bool
    ) -> (@Sendable (QueryClient) -> Void)? {
        let entry: DormantEntry
        if isStored, Timestamp(stored.updatedAt) > now + .seconds(1) {
            // Stored by a clock that was wrong, by more than what is corrected now and then: nobody knows its age, and
            // nothing that comes would be newer.
            replaceStored(key)
            return nil
        }
        if let dormant = entries[key] as? DormantEntry {
            guard dormant.stored.updatedAt < stored.updatedAt else { return nil }
            dormant.replace(with: stored)
            recency.changeCost(of: dormant, to: stored.value.count)
            entry = dormant
        } else if let typed = entries[key] {
            return typed.restorer(stored, isStored: isStored)
        } else {
            entry = DormantEntry(stored, key: key, identifier: nextIdentifier(), at: now)
            entries.insert(entry, for: key)
            recency.touch(entry)
            dormantCount += 1
        }
        inspection.record(.restored(key))
        if !isStored { markUnsaved(entry) }
        return nil
    }

    fileprivate mutating func restore<Value>(
        _ entry: Entry<Value>,
        _ edit: Edit<Value>,
        _ stored: PersistedEntry,
        isStored: Bool
    ) {
        recency.changeCost(of: entry, to: edit.cost)
        let restored = QueryMachineRestored(
            updatedAt: Timestamp(stored.updatedAt),
            version: edit.version,
            isInvalidated: stored.isInvalidated,
            metadata: stored.metadata
        )
        modify(entry) { $0.restore(edit.overlay, restored, isSame: edit.isSame) }
        inspection.record(.restored(entry.key))
        if !isStored { markUnsaved(entry) }
        changed(entry)
    }
}
