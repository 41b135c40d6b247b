import Logging

extension QueryClient {
    /// Stores what has changed since it was last done, now. ``run()`` does it a little after each change, and once more
    /// when it ends; an application about to be suspended may call it too.
    public func flush() async {
        guard let persister = configuration.persister else { return }
        let discarded = withCache { cache in
            defer { cache.discarded = [] }
            return cache.discarded
        }
        for identifier in discarded { await forget(identifier) }
        let unsaved = withCache { $0.takeUnsaved() }
        let changes = unsaved.compactMap { encoded($0.change, of: $0.key) }
        guard !changes.isEmpty else { return }
        do {
            try await persister.save(changes, in: persistenceScope)
        } catch {
            configuration.logger.error("\(changes.count) changes could not be stored: \(error)")
        }
    }

    private func encoded(_ change: UnsavedChange, of key: QueryKey) -> PersistedChange? {
        switch change {
        case .nothing: return nil
        case .remove: return .remove(key.description)
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
        while !Task.isCancelled {
            await savingDoorbell.wait(after: known)
            known = savingDoorbell.rings
            try? await time.sleep(until: time.now + configuration.persistence.saveDelay)
            await flush()
        }
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
    /// What has to be done in storage, in the order in which it came.
    fileprivate mutating func takeUnsaved() -> [(key: QueryKey, change: UnsavedChange)] {
        defer { unsaved = [] }
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
