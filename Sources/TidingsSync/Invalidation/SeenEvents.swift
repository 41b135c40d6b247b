import TidingsWire

/// The last events that a rule has acted on. An event may arrive on several channels, and counts once.
struct SeenEvents {
    /// An event has the same position on all channels. One change may be several events, so the position is not enough.
    struct Identity: Hashable {
        let position: EventPosition
        let name: EventName
        let entityID: String?
    }

    private let capacity: Int
    /// With whether what went stale was fetched.
    private var identities: [Identity: Bool] = [:]
    /// In the order in which they came, from ``first`` on, round and round.
    private var order: [Identity] = []
    private var first = 0

    init(capacity: Int = 1_024) {
        self.capacity = capacity
    }

    /// - Parameter isFetched: Whether what goes stale by it is fetched.
    /// - Returns: Whether it is new, or what went stale by it before was not fetched. Of those that came long ago this is not
    ///   known any more.
    mutating func insert(_ identity: Identity, isFetched: Bool) -> Bool {
        if let wasFetched = identities[identity] {
            guard isFetched, !wasFetched else { return false }
            identities[identity] = true
            return true
        }
        identities[identity] = isFetched
        if order.count < capacity {
            order.append(identity)
        } else {
            identities[order[first]] = nil
            order[first] = identity
            first = (first + 1) % capacity
        }
        return true
    }
}
