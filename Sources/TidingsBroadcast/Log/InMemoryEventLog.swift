import Synchronization
public import TidingsWire

/// A log in this process's memory: a ring for each channel, bounded by count, age and bytes. Its epoch is new with each
/// process.
///
/// Every method returns at once and can be called from any thread, event loops included.
public final class InMemoryEventLog: EventLog {
    /// How much is kept. Whichever bound is reached first makes the oldest events leave.
    public struct Limits: Hashable, Sendable {
        /// Events of one channel.
        public var eventsPerChannel: Int
        /// Time since an event was kept.
        public var age: Duration
        /// Bytes of all channels together, with what it costs to keep them.
        public var bytes: Int

        /// Sets the bounds.
        ///
        /// - Parameters:
        ///   - eventsPerChannel: Events of one channel.
        ///   - age: Time since an event was kept.
        ///   - bytes: Bytes of all channels together.
        public init(eventsPerChannel: Int = 10_000, age: Duration = .seconds(300), bytes: Int = 64 * 1024 * 1024) {
            self.eventsPerChannel = eventsPerChannel
            self.age = age
            self.bytes = bytes
        }
    }

    private let ring: Mutex<EventRing>
    private let limits: Limits
    private let now: @Sendable () -> Duration

    /// Makes an empty log with a new epoch.
    ///
    /// - Parameters:
    ///   - limits: How much is kept.
    ///   - clock: What measures age.
    public init(limits: Limits = Limits(), clock: some Clock<Duration> = ContinuousClock()) {
        ring = Mutex(EventRing(epoch: Self.makeEpoch(), limits: limits))
        self.limits = limits
        let start = clock.now
        now = { start.duration(to: clock.now) }
    }

    private init(_ ring: EventRing, now: @escaping @Sendable () -> Duration) {
        limits = ring.limits
        self.ring = Mutex(ring)
        self.now = now
    }

    /// Keeps an event.
    ///
    /// - Parameter event: What happened.
    /// - Returns: Its position, after that of every event kept before.
    public func append(_ event: BroadcastEvent) -> EventPosition {
        keep { [PublishedEvent(event: event, position: $0)] }.position
    }

    /// The position of the newest event of all channels.
    public func head() -> EventPosition {
        ring.withLock(\.position)
    }

    /// What happened on a channel after a position.
    ///
    /// - Parameters:
    ///   - channel: Any channel.
    ///   - position: The last position that the reader knows of.
    ///   - limit: How many events the reader takes.
    public func events(on channel: ChannelName, after position: EventPosition, atMost limit: Int = .max) -> EventReplay
    {
        let time = now()
        return ring.withLock { ring in
            switch ring.events(on: channel, after: position, at: time) {
            case .success(let events) where events.count > limit: .notRecoverable(.gap)
            case .success(let events): .events(events.map(\.event), through: ring.position)
            case .failure(let failure): .notRecoverable(failure.reason)
            }
        }
    }
}

// MARK: - For the hub

extension InMemoryEventLog {
    /// Keeps an event in the form in which it goes to sessions, now and when it is replayed.
    ///
    /// - Parameters:
    ///   - offset: Where it stands, if the log is kept elsewhere: after the head.
    ///   - makeEvents: Makes the event of each of its channels, given the position that they share.
    func keep(
        at offset: UInt64? = nil,
        _ makeEvents: (EventPosition) -> [PublishedEvent]
    ) -> (events: [PublishedEvent], position: EventPosition) {
        let time = now()
        return ring.withLock { ring in
            let events = ring.append(at: offset, time: time, makeEvents)
            return (events, ring.position)
        }
    }

    func missed(
        on channel: ChannelName,
        after position: EventPosition
    ) -> Result<[PublishedEvent], EventRing.NotRecoverable> {
        let time = now()
        return ring.withLock { $0.events(on: channel, after: position, at: time) }
    }

    /// Whether an event at a position comes after everything that is kept.
    func isNext(_ position: EventPosition) -> Bool {
        ring.withLock { $0.epoch == position.epoch && $0.head < position.offset }
    }

    /// Whether no event of a channel after a position of this epoch has left.
    func reaches(back position: EventPosition, on channel: ChannelName) -> Bool {
        let time = now()
        return ring.withLock { $0.reaches(back: position.offset, on: channel, at: time) }
    }

    /// What is kept when the memory of a log that is kept elsewhere begins, anew or for the first time.
    ///
    /// - Parameters:
    ///   - head: Where the log stands.
    ///   - recent: What happened last up to there, oldest first: for each position the event of each of its channels.
    func makeRing(upTo head: EventPosition, keeping recent: [[PublishedEvent]]) -> EventRing {
        let time = now()
        // What came before the first of them is not known.
        let start = recent.first?.first.map { max($0.position.offset, 1) - 1 } ?? head.offset
        var ring = EventRing(epoch: head.epoch, head: start, limits: limits)
        for events in recent {
            guard let position = events.first?.position else { continue }
            _ = ring.append(at: position.offset, time: time) { _ in events }
        }
        ring.advance(to: head.offset)
        return ring
    }

    /// Takes on another beginning.
    func begin(with ring: consuming EventRing) {
        self.ring.withLock { swap(&$0, &ring) }
    }

    // MARK: A log that several nodes share

    /// A log with the same limits that knows nothing yet: what is followed of a log that several nodes share.
    func makeEmptyLike() -> InMemoryEventLog {
        InMemoryEventLog(EventRing(epoch: Self.makeEpoch(), limits: limits, followed: []), now: now)
    }

    /// Another log begins. What was followed is, from here on.
    func beginShared(after position: EventPosition) {
        ring.withLock { ring in
            ring = EventRing(
                epoch: position.epoch,
                head: position.offset,
                limits: limits,
                followed: ring.followedChannels ?? []
            )
        }
    }

    func isFollowing(_ channel: ChannelName) -> Bool { ring.withLock { $0.isFollowing(channel) } }
    func follow(_ channel: ChannelName) { ring.withLock { $0.follow(channel) } }
    func unfollow(_ channel: ChannelName) { ring.withLock { $0.unfollow(channel) } }
    func forget(_ channel: ChannelName) { ring.withLock { $0.forget(channel) } }
    func advance(to offset: UInt64) { ring.withLock { $0.advance(to: offset) } }

    func unfollowAll() {
        ring.withLock { ring in
            for channel in ring.followedChannels ?? [] { ring.unfollow(channel) }
        }
    }

    private static func makeEpoch() -> String {
        String(UInt64.random(in: 0...UInt64.max), radix: 36)
    }
}
