/// A value that waited in stored form, decoded outside of the critical section.
struct Awakening<Value: Sendable>: Sendable {
    /// Which entry it was, and as of when: something else may have come in its place meanwhile.
    let entry: UInt64
    let updatedAt: Timestamp
    let value: InitialData<Value>
}

/// What came of looking for an entry.
private enum Lookup<Outcome: Sendable>: Sendable {
    case done(Outcome)
    /// There is none, or it belongs to another type.
    case nothing
    /// One has come that is not decoded.
    case asleep
}

extension QueryClient {
    /// Does something to the entry of a query, if it is there. One that waits in stored form is decoded before, and takes
    /// its form in the same critical section: in between, it could be forgotten.
    ///
    /// - Returns: Nil if there is none, or if the key belongs to another type.
    @discardableResult
    func withEntry<Value, Outcome: Sendable>(
        ifThere query: Query<Value>,
        _ body: @Sendable (inout Cache, Entry<Value>) -> Outcome
    ) -> Outcome? {
        lookUp(query, body) { $0.entry(query) }
    }

    /// As ``withEntry(ifThere:_:)``, and makes the entry if it is not there.
    ///
    /// - Returns: Nil if the key belongs to another type.
    func withEntry<Value, Outcome: Sendable>(
        of query: Query<Value>,
        _ body: @Sendable (inout Cache, Entry<Value>) -> Outcome
    ) -> Outcome? {
        let initial = InitialData(query)
        return lookUp(query, body) { $0.makeEntry(query, initial: initial) }
    }

    private func lookUp<Value, Outcome: Sendable>(
        _ query: Query<Value>,
        _ body: @Sendable (inout Cache, Entry<Value>) -> Outcome,
        find: @Sendable (inout Cache) -> Entry<Value>?
    ) -> Outcome? {
        while true {
            let awakening = awaken(query)
            let lookup = withCache { cache -> Lookup<Outcome> in
                guard cache.wake(query, awakening) else { return .asleep }
                return find(&cache).map { .done(body(&cache, $0)) } ?? .nothing
            }
            switch lookup {
            case .done(let outcome): return outcome
            case .nothing: return nil
            case .asleep: continue
            }
        }
    }

    /// Decodes what waits in stored form at the key of a query.
    ///
    /// - Returns: Nil if nothing does. What cannot be decoded is dropped.
    private func awaken<Value>(_ query: Query<Value>) -> Awakening<Value>? {
        guard hasDormantEntries else { return nil }
        let dormant = withCache { cache in
            (cache.entries[query.key] as? DormantEntry).map { ($0.identifier, $0.stored) }
        }
        guard let (identifier, stored) = dormant else { return nil }
        let updatedAt = Timestamp(stored.updatedAt)
        do {
            guard let codec = query.codec else { throw QueryError.typeMismatch(query.key) }
            let value = InitialData(try codec.decode(stored.value), updatedAt: nil, of: query)
            return Awakening(entry: identifier, updatedAt: updatedAt, value: value)
        } catch {
            let isDropped = withCache { cache in
                guard let dormant = cache.entries[query.key] as? DormantEntry, dormant.identifier == identifier,
                    dormant.updatedAt == updatedAt
                else { return false }
                cache.remove(dormant, isForgotten: true)
                return true
            }
            if isDropped { report(query.key, error) }
            return nil
        }
    }
}

extension Cache {
    /// Gives an entry that waits in stored form its type.
    ///
    /// - Returns: Whether nothing waits there any more; otherwise something has come that is not decoded.
    fileprivate mutating func wake<Value>(_ query: Query<Value>, _ awakening: Awakening<Value>?) -> Bool {
        guard let dormant = entries[query.key] as? DormantEntry else { return true }
        guard let awakening, awakening.entry == dormant.identifier, awakening.updatedAt == dormant.updatedAt else {
            return false
        }
        let restored = dormant.restored
        recency.remove(dormant)
        agenda.remove(dormant)
        dormant.isRemoved = true
        entries.remove(query.key)
        dormantCount -= 1
        guard let value = awakening.value.value, let entry = makeEntry(query, initial: .none) else { return true }
        recency.changeCost(of: entry, to: awakening.value.cost)
        entry.machine.restore(Overlay(base: value), restored, isSame: false)
        if dormant.isUnsaved {
            dormant.isUnsaved = false
            markUnsaved(entry)
        }
        return true
    }
}
