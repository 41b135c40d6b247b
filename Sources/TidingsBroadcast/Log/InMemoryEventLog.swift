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
    private let now: @Sendable () -> Duration

    /// Makes an empty log with a new epoch.
    ///
    /// - Parameters:
    ///   - limits: How much is kept.
    ///   - clock: What measures age.
    public init(limits: Limits = Limits(), clock: some Clock<Duration> = ContinuousClock()) {
        ring = Mutex(EventRing(epoch: Self.makeEpoch(), limits: limits))
        let start = clock.now
        now = { start.duration(to: clock.now) }
    }

    /// Keeps an event.
    ///
    /// - Parameter event: What happened.
    public func append(_ event: BroadcastEvent) -> EventPosition {
        keep { [PublishedEvent(event: event, position: $0)] }.position
    }

    /// The position of the newest event of all channels.
    ///
    /// - Parameter channel: Any channel: they all have the same head.
    public func head(of channel: ChannelName) -> EventPosition {
        ring.withLock { EventPosition(epoch: $0.epoch, offset: $0.head) }
    }

    /// What happened on a channel after a position.
    ///
    /// - Parameters:
    ///   - channel: Any channel.
    ///   - position: The last position that the reader knows of.
    public func events(on channel: ChannelName, after position: EventPosition) -> EventReplay {
        switch missed(on: channel, after: position) {
        case .success(let events): .events(events.map(\.event))
        case .failure(let failure): .notRecoverable(failure.reason)
        }
    }

    /// Keeps an event in the form in which it goes to sessions, now and when it is replayed.
    ///
    /// - Parameter makeEvents: Makes the event of each of its channels, given the position that they share.
    func keep(
        _ makeEvents: (EventPosition) -> [PublishedEvent]
    ) -> (events: [PublishedEvent], position: EventPosition) {
        let time = now()
        return ring.withLock { ring in
            let events = ring.append(at: time, makeEvents)
            return (events, EventPosition(epoch: ring.epoch, offset: ring.head))
        }
    }

    func missed(
        on channel: ChannelName,
        after position: EventPosition
    ) -> Result<[PublishedEvent], EventRing.NotRecoverable> {
        let time = now()
        return ring.withLock { $0.events(on: channel, after: position, at: time) }
    }

    private static func makeEpoch() -> String {
        String(UInt64.random(in: 0...UInt64.max), radix: 36)
    }
}
