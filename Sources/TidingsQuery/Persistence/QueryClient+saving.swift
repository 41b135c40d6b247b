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
        let records = withCache { cache -> [(key: QueryKey, record: UnencodedRecord?)] in
            defer { cache.unsaved = [] }
            return cache.unsaved.map { entry in
                entry.isUnsaved = false
                return (entry.key, entry.isRemoved ? nil : entry.record())
            }
        }
        guard !records.isEmpty else { return }
        let changes = records.compactMap { key, record -> PersistedChange? in
            guard let record else { return .remove(key.description) }
            do {
                return .save(try record.encoded())
            } catch {
                configuration.logger.error("The entry \(key) cannot be encoded and is not stored: \(error)")
                return nil
            }
        }
        do {
            try await persister.save(changes, in: persistenceScope)
        } catch {
            configuration.logger.error("\(changes.count) changes could not be stored: \(error)")
        }
    }

    func runSaving() async {
        while !Task.isCancelled {
            await savingDoorbell.wait()
            try? await time.sleep(until: time.now + configuration.persistence.saveDelay)
            await flush()
        }
    }
}
