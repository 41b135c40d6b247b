import TidingsWire

/// Echoes of this client's own changes that came before the answers to them: it is not known yet what the cache will have
/// of them.
struct HeldEchoes {
    private let capacity: Int
    private var echoes: [(origin: MutationIdentifier, heard: HeardEvent)] = []

    init(capacity: Int = 1_024) {
        self.capacity = capacity
    }

    /// Keeps an event until its mutation is over.
    ///
    /// - Returns: What there is no room for: the oldest.
    mutating func hold(_ heard: HeardEvent, of origin: MutationIdentifier) -> [HeardEvent] {
        echoes.append((origin, heard))
        guard echoes.count > capacity else { return [] }
        return [echoes.removeFirst().heard]
    }

    /// The events whose mutations are over by now, in the order in which they came.
    mutating func takeSettled(in queries: QueryClient) -> [HeardEvent] {
        guard !echoes.isEmpty else { return [] }
        var settled: [HeardEvent] = []
        echoes.removeAll { origin, heard in
            guard let mutation = queries.mutation(origin) else {
                settled.append(heard)
                return true
            }
            guard !mutation.status.isPending else { return false }
            settled.append(mutation.confirmation.map { heard.known(since: $0) } ?? heard)
            return true
        }
        return settled
    }

    /// The events of a channel, whatever becomes of their mutations.
    mutating func takeAll(on channel: ChannelName) -> [HeardEvent] {
        let taken = echoes.filter { $0.heard.event.channel == channel }.map(\.heard)
        echoes.removeAll { $0.heard.event.channel == channel }
        return taken
    }
}
