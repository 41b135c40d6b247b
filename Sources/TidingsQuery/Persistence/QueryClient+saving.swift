import Logging

extension QueryClient {
    /// Stores what has changed since it was last done, now. ``run()`` does it a little after each change, and once more
    /// when it ends; an application about to be suspended may call it too. What cannot be stored is kept for the next
    /// time.
    public func flush() async {
        _ = await spawn { await self.save() }.value
    }

    /// Stores what waits for it, on a task that nobody cancels: storage may refuse to work for one that is cancelled.
    ///
    /// - Returns: Whether everything is stored.
    @discardableResult
    func save() async -> Bool {
        guard let persister = configuration.persister else { return true }
        let isDone = await inTurn { await self.save(to: persister) }
        withCache { cache in
            let waiting = cache.unsaved.count + cache.unstored.count
            cache.savesAt = isDone ? Cache.mostUnsaved : max(Cache.mostUnsaved, 2 * waiting)
        }
        // Who gives the client time tries again.
        if !isDone { savingDoorbell.ring() }
        return isDone
    }

    private func save(to persister: any QueryPersister) async -> Bool {
        var isDone = await discardStoredMutations()
        let discarded = withCache { cache in
            defer { cache.discarded = [] }
            return cache.discarded
        }
        for identifier in discarded where !(await forget(identifier)) { isDone = false }
        let (unstored, unsaved) = withCache { ($0.takeUnstored(), $0.takeUnsaved()) }
        let changes = unstored + unsaved.compactMap { encoded($0.change, of: $0.key) }
        guard !changes.isEmpty else { return isDone }
        do {
            try await persister.save(changes, in: persistenceScope)
            return isDone
        } catch {
            configuration.logger.error("\(changes.count) changes could not be stored: \(error)")
            withCache { $0.keep(unstored: changes) }
            return false
        }
    }

    /// Uses storage when nobody else does.
    func inTurn<Outcome>(_ use: () async -> Outcome) async -> Outcome {
        let own = FetchTicket<Void>()
        while let other = withCache({ $0.takeTurn(own) }) { await other.finished() }
        let outcome = await use()
        withCache { $0.storing = nil }
        own.resolve(.success(()))
        return outcome
    }

    private func encoded(_ change: UnsavedChange, of key: QueryKey) -> PersistedChange? {
        switch change {
        case .nothing: return nil
        case .remove: return .remove(.exactly(key))
        case .save(let record):
            do {
                return .save(try record.encoded())
            } catch {
                configuration.logger.error("The entry \(key) cannot be encoded and is not stored: \(error)")
                return nil
            }
        }
    }

    func runSaving() async {
        var known: UInt64 = 0
        var failures = 0
        while !Task.isCancelled {
            if failures == 0 { await savingDoorbell.wait(after: known) }
            known = savingDoorbell.rings
            do { try await time.sleep(until: time.now + saveDelay(after: failures)) } catch { break }
            failures = await spawn { await self.save() }.value ? 0 : failures + 1
        }
        await flush()
    }

    /// Storage that fails is asked less and less often.
    private func saveDelay(after failures: Int) -> Duration {
        let delay = configuration.persistence.saveDelay
        return failures == 0 ? delay : max(delay, .seconds(1)) * (1 << min(failures, 6))
    }
}

/// What has to be done in storage for an entry.
enum UnsavedChange: Sendable {
    case save(UnencodedRecord)
    /// What is stored has to go.
    case remove
    /// There is nothing to store, and nothing against what is stored.
    case nothing
}

extension AnyEntry {
    /// What has to be done in storage, for what happened to it. That it leaves the cache is no reason to do anything.
    final var unsavedChange: UnsavedChange {
        if let parting = parting.value { return parting }
        if let record = record() { return .save(record) }
        // What is not to be stored is newer than what is.
        return isForgotten || hasData ? .remove : .nothing
    }
}

extension Cache {
    /// - Returns: Who has to be waited for.
    fileprivate mutating func takeTurn(_ own: FetchTicket<Void>) -> FetchTicket<Void>? {
        if storing == nil {
            storing = own
            return nil
        }
        return storing
    }

    /// What could not be stored the last time, and what happened to entries that are in storage only.
    fileprivate mutating func takeUnstored() -> [PersistedChange] {
        compactUnstored()
        defer {
            unstored = []
            compactedCount = 0
        }
        return unstored
    }

    /// Keeps what could not be stored, without what was changed again. There is an end to it: what is stored is a cache, and
    /// is emptied when storage works again.
    fileprivate mutating func keep(unstored changes: [PersistedChange]) {
        unstored = changes + unstored
        compactUnstored()
        guard compactedCount > 10 * Cache.mostUnsaved else { return }
        unstored = [.remove(.under([]))]
        compactedCount = 1
    }

    /// What has to be done in storage, in the order in which it came.
    fileprivate mutating func takeUnsaved() -> [(key: QueryKey, change: UnsavedChange)] {
        defer { unsaved = [] }
        for entry in unsaved where entry.isRemoved { effects.release(entry.belongings) }
        return unsaved.compactMap { entry in
            // Another one may have taken its place.
            guard entry.isUnsaved else { return nil }
            let change = entry.unsavedChange
            entry.isUnsaved = false
            entry.isForgotten = false
            return (entry.key, change)
        }
    }
}
