/// A change of what is stored.
public enum PersistedChange: Sendable {
    /// Store an entry.
    case save(PersistedEntry)
    /// Forget entries.
    case remove(PersistedKeys)
    /// Mark entries as out of date.
    case invalidate(PersistedKeys)
}

/// Which stored entries a change is about.
public enum PersistedKeys: Hashable, Sendable {
    /// The one at a key.
    case exactly(QueryKey)
    /// Those at a key and below it; under the empty key are all.
    case under(QueryKey)

    /// Whether the entry of a key is one of them.
    public func contains(_ key: QueryKey) -> Bool {
        switch self {
        case .exactly(let own): key == own
        case .under(let prefix): key.starts(with: prefix)
        }
    }
}

extension QueryFilter {
    /// Which stored entries are meant; nil if it asks for something that storage does not know.
    var storedKeys: PersistedKeys? {
        guard keys == nil, activity == .all, isStale == nil, fetchStatus == nil, predicate == nil else { return nil }
        guard isExact, let key else { return .under(key ?? []) }
        return .exactly(key)
    }
}

extension [PersistedChange] {
    /// Leaves out what later changes make of no account.
    func compacted() -> [PersistedChange] {
        // Texts that are encoded differently are different keys, also if Swift takes them for equal.
        var saved: Set<[UInt8]> = []
        var (removed, invalidated): (Set<PersistedKeys>, Set<PersistedKeys>) = ([], [])
        let kept = reversed().filter { change in
            if removed.contains(.under([])) { return false }
            return switch change {
            case .save(let entry): saved.insert([UInt8](entry.key.utf8)).inserted
            case .remove(let keys): removed.insert(keys).inserted
            case .invalidate(let keys): invalidated.insert(keys).inserted
            }
        }
        return kept.reversed()
    }
}

// MARK: - What changes without a look at what is stored

extension Cache {
    /// Something happens to entries that may be in storage only.
    mutating func change(stored change: PersistedChange) {
        guard isPersisting else { return }
        // What has left the cache before it was stored is stored as it would be now.
        for entry in unsaved {
            effects.release(entry.parting)
            entry.part(after: change)
        }
        keep(change)
        unstored.append(change)
        // Somebody may say the same again and again, while storage fails.
        if unstored.count > 2 * compactedCount + 16 { compactUnstored() }
        wantsSaving = true
    }

    /// What is stored goes, also if it is newer than what takes its place.
    mutating func replaceStored(_ key: QueryKey) {
        guard isPersisting else { return }
        unstored.append(.remove(.exactly(key)))
        wantsSaving = true
    }

    mutating func compactUnstored() {
        unstored = unstored.compacted()
        compactedCount = unstored.count
    }

    /// Remembers what happened to entries before it is known what is stored of them.
    mutating func keep(_ change: PersistedChange) {
        guard isRestoring else { return }
        missedByStorage.append(change)
        guard missedByStorage.count > 2 * compactedMissed + 16 else { return }
        missedByStorage = missedByStorage.compacted()
        // There is an end to it: nothing of what is stored comes back.
        if missedByStorage.count > 10 * Cache.mostUnsaved { missedByStorage = [.remove(.under([]))] }
        compactedMissed = missedByStorage.count
    }

    /// What is stored, after what happened before it was loaded; nil if it is gone.
    func current(_ stored: PersistedEntry, at key: QueryKey) -> PersistedEntry? {
        var stored = stored
        for change in missedByStorage {
            switch change {
            case .remove(let keys): if keys.contains(key) { return nil }
            case .invalidate(let keys): if keys.contains(key) { stored.isInvalidated = true }
            case .save: continue
            }
        }
        return stored
    }
}

extension AnyEntry {
    /// An entry that is on its way to storage, and nowhere else any more, is changed there.
    fileprivate final func part(after change: PersistedChange) {
        guard case .save(var record) = parting.value else { return }
        switch change {
        case .remove(let keys): if keys.contains(key) { parting = .some(.nothing) }
        case .invalidate(let keys):
            guard keys.contains(key) else { return }
            record.isInvalidated = true
            parting = .some(.save(record))
        case .save: return
        }
    }
}
