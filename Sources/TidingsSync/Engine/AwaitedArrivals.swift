import TidingsWire

/// Fetches that ran when the server began to tell of a channel. When one has come, its answer says whether it missed
/// something.
struct AwaitedArrivals {
    struct Arrival {
        let info: QueryInfo
        /// What was asked for after it is not meant.
        let epoch: QueryEpoch
        /// What follows the position is told; nil if the server does not say.
        let known: EventPosition?
    }

    private var arrivals: [QueryKey: Arrival] = [:]

    mutating func add(_ arrival: Arrival) {
        // Of two channels, the one that is heard from later on asks for more.
        if let other = arrivals[arrival.info.key], let known = arrival.known, let earlier = other.known,
            earlier.covers(known)
        {
            return
        }
        arrivals[arrival.info.key] = arrival
    }

    /// The arrivals that missed something, as far as is known.
    mutating func takeArrived(in queries: QueryClient) -> [Arrival] {
        guard !arrivals.isEmpty else { return [] }
        let entries = queries.entries(.exactly(Set(arrivals.keys)))
        let infos = Dictionary(entries.map { ($0.key, $0) }, uniquingKeysWith: { $1 })
        var stale: [Arrival] = []
        arrivals = arrivals.filter { key, arrival in
            guard let info = infos[key], let epoch = info.fetchEpoch else { return false }
            if epoch > arrival.epoch {
                // What is there may be what was waited for, and what is fetched now may be cancelled.
                if info.fetchStatus != .idle, info.hasData, !arrival.isCovered(by: info) { stale.append(arrival) }
                return false
            }
            guard info.fetchStatus == .idle else { return true }
            if info.hasData, !arrival.isCovered(by: info) { stale.append(arrival) }
            return false
        }
        return stale
    }
}

extension AwaitedArrivals.Arrival {
    fileprivate func isCovered(by info: QueryInfo) -> Bool {
        guard let known, let position = info.position else { return false }
        return position.covers(known)
    }
}
