import Logging

extension QueryClient {
    /// Brings back what was stored: first what is on screen, then the rest, then the mutations. ``run()`` does it by itself.
    ///
    /// Until it is done, observers show what is there and do not fetch. Of two values for one entry, the newer one stays.
    /// What cannot be read is dropped and reported, and never an error.
    public func restore() async {
        guard let persister = configuration.persister, withCache({ $0.isRestoring }) else { return }
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
        endRestoring()
    }

    var persistenceScope: PersistenceScope {
        let age = configuration.persistence.maxAge
        return PersistenceScope(
            buster: configuration.persistence.buster,
            oldest: (time.now + (.zero - age)).date
        )
    }

    private func endRestoring() {
        withCache { cache in
            cache.isRestoring = false
            cache.missedByStorage = []
            for entry in cache.select(.all, admitted: nil) {
                let wantsFetch = entry.registrations.contains {
                    cache.shouldFetch(entry, $0.settings, .start)
                }
                if wantsFetch { _ = entry.fetch(in: &cache, by: self, restarting: false) }
            }
        }
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
                    return current.flatMap { cache.install($0, at: key) }
                }
            }
            for restore in restorers { restore(self) }
        }
    }

    /// Decodes a stored entry, if the entry of a query is one.
    func wake<Value>(_ query: Query<Value>) {
        guard hasDormantEntries else { return }
        do {
            // Something newer may come while it is decoded.
            while let stored = withCache({ ($0.entries[query.key] as? DormantEntry)?.stored }) {
                guard let codec = query.codec else { throw QueryError.typeMismatch(query.key) }
                let value = try codec.decode(stored.value)
                let initial = InitialData(value, updatedAt: nil, of: query)
                withCache { $0.wake(query, initial, of: stored) }
            }
        } catch {
            withCache { cache in
                guard let entry = cache.entries[query.key] as? DormantEntry else { return }
                cache.remove(entry, isForgotten: true)
            }
            report(query.key, error)
        }
    }

    /// Gives stored data to an entry whose type is known already.
    func restore<Value>(_ stored: PersistedEntry, into query: Query<Value>, decoding codec: ValueCodec<Value>) {
        do {
            let value = try codec.decode(stored.value)
            edit(
                find: { cache in
                    let updatedAt = cache.entry(query)?.machine.updatedAt
                    return updatedAt.map { $0 < Timestamp(stored.updatedAt) } ?? true ? cache.entry(query) : nil
                },
                change: { overlay -> Void? in
                    overlay.replace(value)
                    return ()
                },
                commit: { cache, entry, edit, _ in cache.restore(entry, edit, stored) }
            )
        } catch {
            report(query.key, error)
        }
    }

    private func report(_ key: QueryKey, _ error: (any Error)?) {
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
    /// - Returns: What gives the data to an entry whose type is known already.
    mutating func install(_ stored: PersistedEntry, at key: QueryKey) -> (@Sendable (QueryClient) -> Void)? {
        if let dormant = entries[key] as? DormantEntry {
            guard dormant.stored.updatedAt < stored.updatedAt else { return nil }
            dormant.replace(with: stored)
            recency.changeCost(of: dormant, to: stored.value.count)
            inspection.record(.restored(key))
            return nil
        }
        if let entry = entries[key] { return entry.restorer(stored) }
        let entry = DormantEntry(stored, key: key, identifier: nextIdentifier(), at: now)
        entries.insert(entry, for: key)
        recency.touch(entry)
        dormantCount += 1
        inspection.record(.restored(key))
        schedule(entry)
        return nil
    }

    mutating func wake<Value>(_ query: Query<Value>, _ initial: InitialData<Value>, of stored: PersistedEntry) {
        guard let dormant = entries[query.key] as? DormantEntry, dormant.stored.updatedAt == stored.updatedAt else {
            return
        }
        let restored = dormant.restored
        recency.remove(dormant)
        dormant.isRemoved = true
        entries.remove(query.key)
        dormantCount -= 1
        guard let value = initial.value, let entry = makeEntry(query, initial: .none) else { return }
        entry.prolong(dormant.gcTime)
        recency.changeCost(of: entry, to: initial.cost)
        entry.machine.restore(Overlay(base: value), restored, isSame: false)
        if dormant.isUnsaved {
            dormant.isUnsaved = false
            markUnsaved(entry)
        }
    }

    mutating func restore<Value>(_ entry: Entry<Value>, _ edit: Edit<Value>, _ stored: PersistedEntry) {
        recency.changeCost(of: entry, to: edit.cost)
        entry.machine.restore(
            edit.overlay,
            QueryMachineRestored(
                updatedAt: Timestamp(stored.updatedAt),
                version: edit.version,
                isInvalidated: stored.isInvalidated,
                metadata: stored.metadata
            ),
            isSame: edit.isSame
        )
        inspection.record(.restored(entry.key))
        changed(entry)
    }
}
