extension QueryClient {
    /// Marks entries as out of date, whatever their age, and fetches those that are being observed.
    ///
    /// A fetch that runs is not cut short: it began before what happened, so its result is stored but stays stale, and
    /// exactly one more fetch follows it if somebody observes it, or asks for it before it has ended.
    ///
    /// - Parameters:
    ///   - filter: Which entries; also those that nobody observes, and those that are switched off.
    ///   - refetch: Which of them are fetched now.
    ///   - epoch: When the reason for it happened; nil is now. What was asked for after that is left alone.
    /// - Returns: The fetches, for those who want to wait for them.
    @discardableResult
    public func invalidate(
        _ filter: QueryFilter = .all,
        refetch: RefetchScope = .active,
        asOf epoch: QueryEpoch? = nil
    ) -> RefetchBatch {
        let storedKeys = filter.storedKeys
        let tickets = withEntries(filter) { cache, entries -> [any AnyFetchTicket] in
            let epoch = epoch ?? cache.epoch
            if let storedKeys { cache.change(stored: .invalidate(storedKeys)) }
            return entries.compactMap { entry in
                let outcome = cache.invalidate(entry, asOf: epoch, isStoredToo: storedKeys == nil)
                return cache.refetch(entry, refetch, after: outcome, by: self)
            }
        }
        return RefetchBatch(tickets: tickets)
    }

    /// Marks the entry of a query as out of date: ``invalidate(_:refetch:asOf:)``.
    @discardableResult
    public func invalidate<Value>(_ query: Query<Value>, refetch: RefetchScope = .active) -> RefetchBatch {
        invalidate(.exactly(query.key), refetch: refetch)
    }

    /// The present moment in the order of fetches. Somebody who learns of an event keeps it, to invalidate later what was
    /// asked for before it.
    public var epoch: QueryEpoch { withCache { $0.epoch } }

    /// Fetches entries, fresh or not. Those that all their observers have switched off, and static ones, are left alone.
    ///
    /// - Parameters:
    ///   - filter: Which entries.
    ///   - isRestarting: Whether a fetch that runs is given up for a new one, if there is data to show meanwhile.
    /// - Returns: The fetches, for those who want to wait for them.
    @discardableResult
    public func refetch(_ filter: QueryFilter = .all, isRestarting: Bool = true) -> RefetchBatch {
        let tickets = withEntries(filter) { cache, entries -> [any AnyFetchTicket] in
            entries.compactMap { entry in
                guard !entry.isDisabled, !entry.isStatic else { return nil }
                return entry.fetch(in: &cache, by: self, restarting: isRestarting)
            }
        }
        return RefetchBatch(tickets: tickets)
    }

    /// Takes entries back to how they began, and fetches those that are being observed.
    ///
    /// - Parameter filter: Which entries.
    /// - Returns: The fetches, for those who want to wait for them.
    @discardableResult
    public func reset(_ filter: QueryFilter = .all) -> RefetchBatch {
        // What an entry begins with is a caller's function.
        let initials = withEntries(filter) { _, entries in entries.map { $0.initializer } }
            .map { $0() }
            .reduce(into: [UInt64: any Sendable]()) { $0[$1.entry] = $1.value }
        let tickets = withEntries(filter) { cache, entries -> [any AnyFetchTicket] in
            if let keys = filter.storedKeys { cache.change(stored: .remove(keys)) }
            for entry in entries { entry.reset(to: initials, in: &cache) }
            return entries.compactMap { entry in
                guard entry.isActive, !entry.isStatic else { return nil }
                return entry.fetch(in: &cache, by: self, restarting: true)
            }
        }
        return RefetchBatch(tickets: tickets)
    }

    /// Forgets entries, also in storage. Who awaits one of their fetches gets an error; who observes one observes an empty
    /// entry from then on, and fetches it when there is the next reason to.
    ///
    /// - Parameter filter: Which entries.
    public func remove(_ filter: QueryFilter = .all) {
        withEntries(filter) { cache, entries in
            for entry in entries { cache.remove(entry, isForgotten: filter.storedKeys == nil) }
            if let keys = filter.storedKeys { cache.change(stored: .remove(keys)) }
        }
    }

    /// Cancels fetches. Each entry is as it was before its fetch, or as it was set during the fetch; who awaits it gets
    /// that data, or an error if there is none.
    ///
    /// - Parameter filter: Which entries.
    public func cancel(_ filter: QueryFilter = .all) {
        withEntries(filter) { cache, entries in
            for entry in entries { entry.cancel(in: &cache, revertsTo: .data) }
        }
    }

    /// What is in the cache, in the order in which it came.
    ///
    /// - Parameter filter: Which entries.
    public func entries(_ filter: QueryFilter = .all) -> [QueryInfo] {
        withEntries(filter) { cache, entries in entries.map { $0.info(at: cache.now) } }
    }

    /// How many entries are being fetched.
    ///
    /// - Parameter filter: Which entries count.
    public func isFetching(_ filter: QueryFilter = .all) -> Int {
        var filter = filter
        filter.fetchStatus = .fetching
        return withEntries(filter) { _, entries in entries.count }
    }

    /// Forgets all entries and all mutations, also in storage. Mutations that are under way are given up:
    /// ``discard(_:)``.
    public func clear() {
        for run in withCache({ $0.discardMutations() }) { run.discard(by: self) }
        remove()
    }
}

extension Cache {
    /// - Parameter isStoredToo: Whether the entry is stored anew, because nobody marks it in storage.
    fileprivate mutating func invalidate(
        _ entry: AnyEntry,
        asOf epoch: QueryEpoch,
        isStoredToo: Bool
    ) -> InvalidationOutcome {
        let outcome = entry.invalidate(asOf: epoch)
        if outcome != .known {
            inspection.record(.invalidated(entry.key))
            changed(entry)
            if isStoredToo { keep(.invalidate(.exactly(entry.key))) }
        }
        // What is marked in storage does not know what the entry knows.
        if isStoredToo == (outcome != .known) { markUnsaved(entry) }
        return outcome
    }

    fileprivate mutating func refetch(
        _ entry: AnyEntry,
        _ scope: RefetchScope,
        after outcome: InvalidationOutcome,
        by client: QueryClient
    ) -> (any AnyFetchTicket)? {
        guard scope.includes(entry), !entry.isDisabled, !entry.isStatic else { return nil }
        switch outcome {
        case .known: return entry.fetchStatus == .fetching ? entry.fetch(in: &self, by: client, restarting: false) : nil
        case .overtook: return entry.fetchStatus == .fetching ? entry.wantFollowUp() : nil
        case .marked: return entry.fetch(in: &self, by: client, restarting: false)
        }
    }
}
