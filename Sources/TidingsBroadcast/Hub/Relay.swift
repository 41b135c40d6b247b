import Synchronization
import TidingsWire

/// A log that is kept elsewhere, its channels, and what of it was told here.
final class Relay: Sendable {
    let log: any EventLog
    /// The newest events, with the positions that they have in the log. Changed under the hub's lock only, together with
    /// what is put before the loops.
    let memory: InMemoryEventLog
    let contains: @Sendable (ChannelName) -> Bool
    /// What is followed of a log that several nodes share; nil if everything is told here.
    let following: ChannelFollowing?
    /// The epoch of the memory before the log's is known.
    private let firstEpoch: String
    /// What is told has changed.
    private let progress = AsyncCondition()
    /// The relay that was added to the hub after this one.
    let next = AtomicLazyReference<Relay>()

    init(
        log: some EventLog,
        memory: InMemoryEventLog,
        following: ChannelFollowing? = nil,
        contains: @escaping @Sendable (ChannelName) -> Bool
    ) {
        self.log = log
        self.memory = memory
        self.following = following
        self.contains = contains
        firstEpoch = memory.head().epoch
    }

    var hasBegun: Bool { memory.head().epoch != firstEpoch }

    /// Whether what happens on a channel from now on comes here.
    func isReady(for channel: ChannelName) -> Bool {
        hasBegun && (following == nil || memory.isFollowing(channel))
    }

    /// Where a position stands to what is kept here.
    enum Standing {
        /// Everything after it is here, or it is of another epoch: there is nothing to ask.
        case known
        /// Something after it is in the log alone.
        case before
        /// It was not told here so far.
        case ahead
    }

    func standing(of position: EventPosition, on channel: ChannelName) -> Standing {
        let head = memory.head()
        guard position.epoch == head.epoch else { return .known }
        guard position.offset <= head.offset else { return .ahead }
        return memory.reaches(back: position, on: channel) ? .known : .before
    }

    // MARK: Waiting

    /// What was told has changed.
    func progressed() {
        progress.changed()
    }

    func waitUntilReady(for channel: ChannelName) async {
        await progress.wait { self.isReady(for: channel) }
    }

    func waitUntilBegun() async {
        await progress.wait { self.hasBegun }
    }

    func waitUntilDelivered(_ position: EventPosition) async -> Bool {
        await waitUntilBegun()
        await progress.wait {
            let head = self.memory.head()
            return head.epoch != position.epoch || head.offset >= position.offset
        }
        let head = memory.head()
        return head.epoch == position.epoch && head.offset >= position.offset
    }
}
