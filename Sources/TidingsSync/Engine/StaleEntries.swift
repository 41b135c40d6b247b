import TidingsWire

/// What a turn of events makes stale, found in one pass over each rule's entries.
struct StaleEntries {
    /// How an entry is fetched that is stale.
    struct Reason {
        /// Within what time, so that not everybody asks at once; nil is at once.
        var spread: Duration?
        var debounce: Duration?
    }

    fileprivate struct Heard {
        let heard: HeardEvent
        let channel: ChannelName
        let isFetched: Bool
    }

    /// The events of a rule, to be found by the entity that they are about.
    private struct Turn {
        var all: [Heard] = []
        var ofEntities: [String: [Heard]] = [:]
        /// Those that are about everything.
        var ofEverything: [Heard] = []

        mutating func add(_ item: Heard) {
            all.append(item)
            if let entity = item.heard.entityID {
                ofEntities[entity, default: []].append(item)
            } else {
                ofEverything.append(item)
            }
        }

        /// What may concern an entry about an entity, or a list; the latest first.
        func candidates(for entity: String?) -> [Heard] {
            guard let entity else { return all }
            return ((ofEntities[entity] ?? []) + ofEverything).latestFirst
        }

        mutating func sort() {
            all = all.latestFirst
        }
    }

    private var turns: [InvalidationRule: Turn] = [:]
    /// What is marked, by when the reason for it came.
    private(set) var keysByEpoch: [QueryEpoch: Set<QueryKey>] = [:]
    /// What is marked and fetched, if somebody wants it.
    private(set) var fetched: [QueryKey: Reason] = [:]
    /// What is about entities that are gone.
    private(set) var deleted: Set<QueryKey> = []

    var isEmpty: Bool { turns.isEmpty && keysByEpoch.isEmpty }

    /// Something was heard.
    ///
    /// - Parameter isFetched: Whether what goes stale by it is fetched.
    mutating func add(_ heard: HeardEvent, by rule: InvalidationRule, on channel: ChannelName, isFetched: Bool) {
        turns[rule, default: Turn()].add(Heard(heard: heard, channel: channel, isFetched: isFetched))
    }

    /// An entry is stale, whatever was heard.
    mutating func insert(_ info: QueryInfo, asOf epoch: QueryEpoch, isFetched: Bool) {
        keysByEpoch[epoch, default: []].insert(info.key)
        if isFetched { add(Reason(), to: info.key) }
    }

    /// Of several who wait, the one who waits least decides.
    private mutating func add(_ reason: Reason, to key: QueryKey) {
        guard var known = fetched[key] else {
            fetched[key] = reason
            return
        }
        known.spread = known.spread.flatMap { first in reason.spread.map { min(first, $0) } }
        known.debounce = known.debounce.flatMap { first in reason.debounce.map { min(first, $0) } }
        fetched[key] = known
    }

    /// Finds the entries.
    mutating func find(in queries: QueryClient, _ memory: ChannelMemory) {
        for (rule, var turn) in turns {
            turn.sort()
            for info in queries.entries(.under(rule.prefix)) { consider(info, rule, turn, memory) }
        }
        turns = [:]
    }

    private mutating func consider(_ info: QueryInfo, _ rule: InvalidationRule, _ turn: Turn, _ memory: ChannelMemory) {
        let entity = rule.shape.entity(of: info.key, under: rule.prefix)
        let candidates = turn.candidates(for: entity)
        let latest = candidates.first { item in
            let position = memory.position(of: info, by: rule, on: item.channel)
            return rule.concerns(info.key, item.heard) && !rule.isKnown(item.heard, to: info, at: position)
        }
        guard let latest else { return }
        // An entry that has said where it stands has not got it, whenever it was fetched.
        let isBehind = info.fetchStatus == .idle && info.position?.epoch == latest.heard.event.position?.epoch
        let epoch = isBehind && info.position != nil ? latest.heard.arrival : latest.heard.epoch
        keysByEpoch[epoch, default: []].insert(info.key)
        if let entity, candidates.contains(where: { $0.heard.event.name == .deleted && $0.heard.entityID == entity }) {
            deleted.insert(info.key)
        }
        guard candidates.contains(where: \.isFetched) else { return }
        // Somebody who looks at a change of their own does not wait for the others.
        let spread = info.hasOptimisticChanges ? nil : latest.heard.event.spread
        add(Reason(spread: spread, debounce: rule.debounce), to: info.key)
    }
}

extension [StaleEntries.Heard] {
    /// What does not know one of them does not know those before.
    fileprivate var latestFirst: Self { sorted { $0.heard.epoch > $1.heard.epoch } }
}
