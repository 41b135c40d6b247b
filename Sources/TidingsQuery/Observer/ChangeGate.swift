import Synchronization

/// Decides what an observer has to say when an entry has changed, if it shows the entry's data as it is.
final class ChangeGate: Sendable {
    private struct State {
        var last: EntryFacts?
        var wasStale = false
    }

    private let state = Mutex(State())

    /// - Returns: What is news; an equal value that came once more is none.
    func pass(_ facts: EntryFacts, staleTime: StaleTime, isEnabled: Bool) -> ObservationSignals.Signal {
        let isStale = isEnabled && facts.isStale(staleTime)
        return state.withLock { state in
            guard let last = state.last else {
                state.last = facts
                state.wasStale = isStale
                return .all
            }
            guard !facts.isOlder(than: last) else { return [] }
            let news = facts.news(since: last, isStale != state.wasStale)
            state.last = facts
            state.wasStale = isStale
            return news
        }
    }
}

extension EntryFacts {
    fileprivate func news(since last: EntryFacts, _ isOtherwiseStale: Bool) -> ObservationSignals.Signal {
        guard entry == last.entry else { return .all }
        var news: ObservationSignals.Signal = []
        if dataRevision != last.dataRevision { news.insert(.data) }
        if errorStamp != last.errorStamp { news.insert(.error) }
        if status != last.status { news.insert([.status, .data]) }
        if fetchStatus != last.fetchStatus { news.insert(.fetchStatus) }
        let isOther =
            isOtherwiseStale || failures != last.failures || hasPatches != last.hasPatches
            || direction != last.direction || metadata != last.metadata
        if isOther || !news.isEmpty { news.insert(.snapshot) }
        return news
    }
}

extension ObservationSignals.Signal {
    static var all: ObservationSignals.Signal { [.snapshot, .data, .error, .status, .fetchStatus] }

    /// What somebody who showed one snapshot has to show anew.
    static func difference<Value>(
        _ old: QuerySnapshot<Value>,
        _ new: QuerySnapshot<Value>
    ) -> ObservationSignals.Signal {
        guard !old.looksLike(new) else { return [] }
        guard old.origin == new.origin else { return .all }
        var news = ObservationSignals.Signal.snapshot
        if old.dataStamp != new.dataStamp || old.isPlaceholder != new.isPlaceholder { news.insert(.data) }
        if old.errorStamp != new.errorStamp { news.insert(.error) }
        if old.status != new.status { news.insert(.status) }
        if old.fetchStatus != new.fetchStatus { news.insert(.fetchStatus) }
        return news
    }
}
