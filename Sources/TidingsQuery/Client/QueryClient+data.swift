import Logging

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension QueryClient {
    /// What is in the cache for a query, optimistic changes included; nil if there is nothing. Asks nobody.
    public func data<Value>(of query: Query<Value>) -> Value? {
        withEntry(ifThere: query) { cache, entry -> Value? in
            if !entry.isObserved { cache.recency.touch(entry) }
            return entry.machine.data
        } ?? nil
    }

    /// What the server is known to have, without the optimistic changes on top.
    public func baseData<Value>(of query: Query<Value>) -> Value? {
        withEntry(ifThere: query) { $1.machine.overlay.base } ?? nil
    }

    /// What is in the cache for every entry that a filter finds and whose values have a type, optimistic changes included,
    /// in the order in which the entries came. Those without data are left out.
    ///
    /// - Parameters:
    ///   - filter: Which entries.
    ///   - type: The type of their values.
    public func data<Value: Sendable>(
        matching filter: QueryFilter,
        as type: Value.Type
    ) -> [(key: QueryKey, value: Value)] {
        keys(matching: filter, as: type).compactMap { key in
            data(of: Query<Value>(key: key)).map { (key, $0) }
        }
    }

    /// Everything that is known about a query; nil if it is not in the cache.
    public func state<Value>(of query: Query<Value>) -> QuerySnapshot<Value>? {
        withEntry(ifThere: query) { cache, entry in
            let staleTime = cache.options(of: query).staleTime ?? .zero
            return QuerySnapshot(entry.machine, isStale: entry.machine.isStale(staleTime, at: cache.now))
        }
    }

    /// Puts data into the cache, as if the server had just said it. A fetch that runs goes on; optimistic changes stay on
    /// top.
    ///
    /// - Parameters:
    ///   - value: The data.
    ///   - query: Whose it is. The entry is made if it is not there.
    ///   - updatedAt: How old the data is; nil is: of this moment.
    public func setData<Value>(_ value: Value, for query: Query<Value>, updatedAt: Date? = nil) {
        set(query, updatedAt) { _ in value }
    }

    /// Computes data from what is in the cache.
    ///
    /// - Parameters:
    ///   - query: Whose data it is. The entry is made if it is not there.
    ///   - updatedAt: How old the new data is; nil is: of this moment.
    ///   - value: Gets what the server is known to have, or nil, and returns what it should be; with nil nothing happens.
    ///     Called again if somebody else changes the entry meanwhile.
    public func setData<Value>(
        for query: Query<Value>,
        updatedAt: Date? = nil,
        _ value: (Value?) -> Value?
    ) {
        set(query, updatedAt, value)
    }

    /// Changes the data of a query in place, if there is any.
    ///
    /// - Parameters:
    ///   - query: Whose data it is.
    ///   - change: Changes what the server is known to have; the optimistic changes stay on top. Called again if somebody
    ///     else changes the entry meanwhile.
    /// - Returns: Whether there was data.
    @discardableResult
    public func updateData<Value>(of query: Query<Value>, _ change: (inout Value) -> Void) -> Bool {
        update(query, change)
    }

    /// Changes the data of every entry that a filter finds and whose values have a type, in place.
    ///
    /// - Parameters:
    ///   - filter: Which entries.
    ///   - type: The type of their values; others are left alone.
    ///   - change: As for ``updateData(of:_:)``.
    public func updateData<Value: Sendable>(
        matching filter: QueryFilter,
        as type: Value.Type,
        _ change: (inout Value) -> Void
    ) {
        batch {
            for key in keys(matching: filter, as: type) { updateData(of: Query<Value>(key: key), change) }
        }
    }

    /// What the fetch kept beside the data: ``FetchContext/record(_:as:)``.
    public func metadata(of key: QueryKey) -> QueryMetadata {
        withCache { $0.entries[key]?.metadata ?? QueryMetadata() }
    }

    /// Keeps something beside the data of an entry, if it is there.
    ///
    /// - Parameters:
    ///   - text: What to keep; nil for nothing.
    ///   - name: What it is.
    ///   - key: The key of the entry.
    public func record(_ text: String?, as name: QueryMetadata.Name, for key: QueryKey) {
        withCache { cache in
            guard let entry = cache.entries[key] else { return }
            var metadata = entry.metadata
            metadata[name] = text
            entry.setMetadata(metadata)
            cache.markUnsaved(entry)
            cache.changed(entry)
        }
    }

    /// As ``setData(for:updatedAt:_:)``, by somebody who knows something new and not all of it: what was out of date stays
    /// so, also if that is said at the same moment.
    package func amendData<Value>(for query: Query<Value>, _ value: (Value?) -> Value?) {
        set(query, nil, isWhole: false, value)
    }

    /// As ``updateData(matching:as:_:)``, by somebody who knows something new and not all of it.
    package func amendData<Value: Sendable>(
        matching filter: QueryFilter,
        as type: Value.Type,
        _ change: (inout Value) -> Void
    ) {
        batch {
            for key in keys(matching: filter, as: type) {
                update(Query<Value>(key: key), isWhole: false, change)
            }
        }
    }

    private func set<Value>(
        _ query: Query<Value>,
        _ updatedAt: Date?,
        isWhole: Bool = true,
        _ compute: (Value?) -> Value?
    ) {
        upsert(query) { overlay in
            guard let value = compute(overlay.base) else { return false }
            overlay.replace(value)
            return true
        } commit: { cache, entry, edit in
            cache.set(entry, edit, updatedAt: updatedAt, isWhole: isWhole)
        }
    }

    @discardableResult
    private func update<Value>(_ query: Query<Value>, isWhole: Bool = true, _ change: (inout Value) -> Void) -> Bool {
        withEntry(ifThere: query) { _, _ in }
        return edit(
            find: { $0.entry(query) },
            change: { overlay -> Void? in
                guard overlay.base != nil else { return nil }
                overlay.update(change)
                return ()
            },
            commit: { cache, entry, edit, _ in cache.set(entry, edit, updatedAt: nil, isWhole: isWhole) }
        ) != nil
    }
}

/// What came of putting back a draft.
private enum SetOutcome {
    case done
    /// Somebody else was faster.
    case overtaken
    case typeMismatch
}

private enum FoundEntry<Value: Sendable> {
    case entry(Entry<Value>)
    case overtaken
    case typeMismatch
}

extension Cache {
    /// The entry of a query, made if it is not there, if it is still as in a draft.
    fileprivate mutating func entry<Value>(
        _ query: Query<Value>,
        asIn draft: Draft<Value>?,
        isDefinition: Bool
    ) -> FoundEntry<Value> {
        if let draft {
            guard let entry = entry(query), entry.isAsIn(draft) else { return .overtaken }
            if !isDefinition { return .entry(entry) }
        } else if let existing = entries[query.key] {
            return existing is Entry<Value> || existing is DormantEntry ? .overtaken : .typeMismatch
        }
        return makeEntry(query, initial: .none).map { .entry($0) } ?? .typeMismatch
    }

    mutating func set<Value>(_ entry: Entry<Value>, _ edit: Edit<Value>, updatedAt: Date?, isWhole: Bool) {
        recency.changeCost(of: entry, to: edit.cost)
        let arrival = DataArrival(moment: updatedAt.map(Timestamp.init) ?? now, version: edit.version)
        // Storage keeps the newer one. What came before it is known is older than what is stored, or it is not.
        let isOlder = entry.machine.updatedAt.map { arrival.moment < $0 } ?? (updatedAt != nil && !isRestoring)
        if isOlder { replaceStored(entry.key) }
        modify(entry) { $0.set(edit.overlay, arrival, isSame: edit.isSame, isWhole: isWhole) }
        if !entry.isObserved { recency.touch(entry) }
        inspection.record(.dataSet(entry.key))
        markUnsaved(entry)
        changed(entry)
    }
}

// MARK: - Working outside of the critical section

extension QueryClient {
    /// Changes an entry's data with a caller's function, which runs outside of the critical section: it works on a copy,
    /// and begins anew if somebody else was faster.
    ///
    /// - Parameters:
    ///   - find: Finds the entry.
    ///   - change: Changes the copy; nil to leave it.
    ///   - commit: Puts it back.
    /// - Returns: Nil if there was nothing to change.
    @discardableResult
    func edit<Value, Note: Sendable, Outcome: Sendable>(
        find: @Sendable (inout Cache) -> Entry<Value>?,
        change: (inout Overlay<Value>) -> Note?,
        commit: @Sendable (inout Cache, Entry<Value>, Edit<Value>, Note) -> Outcome
    ) -> Outcome? {
        while true {
            guard let draft = withCache({ cache in find(&cache)?.draft }) else { return nil }
            var overlay = draft.overlay
            guard let note = change(&overlay) else { return nil }
            let edit = draft.edit(overlay)
            let outcome = withCache { cache -> Outcome? in
                guard let entry = find(&cache), entry.isAsIn(draft) else { return nil }
                return commit(&cache, entry, edit, note)
            }
            if let outcome { return outcome }
        }
    }

    /// As ``edit(find:change:commit:)``, and makes the entry if it is not there, together with what is put into it: an
    /// entry that is made before could be forgotten again before that.
    ///
    /// - Parameters:
    ///   - isNews: The value is known to be another one afterwards.
    ///   - isDefinition: The query says more than the key: an entry that is there takes it on.
    func upsert<Value>(
        _ query: Query<Value>,
        isNews: Bool = false,
        isDefinition: Bool = true,
        change: (inout Overlay<Value>) -> Bool,
        commit: @Sendable (inout Cache, Entry<Value>, Edit<Value>) -> Void
    ) {
        while true {
            let draft = withEntry(ifThere: query) { $1.draft }
            var overlay = draft?.overlay ?? Overlay()
            guard change(&overlay) else { return }
            let edit = (draft ?? Draft(query)).edit(overlay, isNews: isNews)
            let outcome = withCache { cache -> SetOutcome in
                switch cache.entry(query, asIn: draft, isDefinition: isDefinition) {
                case .overtaken: return .overtaken
                case .typeMismatch: return .typeMismatch
                case .entry(let entry):
                    commit(&cache, entry, edit)
                    return .done
                }
            }
            switch outcome {
            case .done: return
            case .overtaken: continue
            case .typeMismatch: return configuration.logger.error("\(QueryError.typeMismatch(query.key))")
            }
        }
    }

    /// The entries whose values have a type. Of what came back from storage it is known by name: trying to decode one could
    /// take a value for what it is not.
    func keys<Value: Sendable>(matching filter: QueryFilter, as type: Value.Type) -> [QueryKey] {
        withEntries(filter) { _, entries in entries.filter { $0.holds(type) }.map(\.key) }
    }

    func keys(matching filter: QueryFilter) -> [QueryKey] {
        withEntries(filter) { _, entries in entries.map(\.key) }
    }

    /// Does something to the entries that a filter finds. Its predicate runs outside of the critical section.
    func withEntries<Outcome: Sendable>(
        _ filter: QueryFilter,
        _ body: @Sendable (inout Cache, [AnyEntry]) -> Outcome
    ) -> Outcome {
        let admitted = filter.predicate.map { predicate in
            let candidates = withCache { cache in
                cache.select(filter, admitted: nil).map { ($0.identifier, $0.info(at: cache.now)) }
            }
            return Set(candidates.filter { predicate($0.1) }.map(\.0))
        }
        return withCache { cache in body(&cache, cache.select(filter, admitted: admitted)) }
    }
}
