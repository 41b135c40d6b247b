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
    private var identities: Set<Identity> = []
    /// In the order in which they came, from ``first`` on, round and round.
    private var order: [Identity] = []
    private var first = 0

    init(capacity: Int = 1_024) {
        self.capacity = capacity
    }

    /// - Returns: Whether it is new. Of those that came long ago this is not known any more.
    mutating func insert(_ identity: Identity) -> Bool {
        guard identities.insert(identity).inserted else { return false }
        if order.count < capacity {
            order.append(identity)
        } else {
            identities.remove(order[first])
            order[first] = identity
            first = (first + 1) % capacity
        }
        return true
    }
}
