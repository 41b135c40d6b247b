import Testing
import TidingsWire

/// What somebody was told of a channel that nobody but the tests publishes on, so that its positions have no holes: every one
/// of them was heard once, or a `stale` says of it that it may have been missed.
struct ChannelAccount {
    /// Up to where everything is accounted for.
    private(set) var position: EventPosition
    /// Names of the events that were heard, in their order.
    private(set) var heard: [String] = []
    /// How often somebody was told to refetch.
    private(set) var refetches = 0
    /// Whether what is before the next event may have been missed.
    private var mayLack = false

    /// Begins with the answer to a subscribe.
    init(_ answer: SubscribedChannel) throws {
        position = try #require(answer.position)
    }

    /// Takes the answer to a subscribe that named ``position``.
    mutating func resume(_ answer: SubscribedChannel) throws {
        guard !answer.recovered else { return }
        refetches += 1
        position = try #require(answer.position)
    }

    /// Takes an event.
    mutating func take(_ event: BroadcastEvent, _ location: SourceLocation = #_sourceLocation) {
        guard !event.isStale else { return refetch(event) }
        guard let found = event.position else { return }
        let isNext = found.epoch == position.epoch && found.offset == position.offset + 1
        let isLater = found.epoch != position.epoch || found.offset > position.offset
        #expect(
            isNext || (mayLack && isLater),
            "\(event) after \(position): something is missing, or came twice, and nobody said so",
            sourceLocation: location
        )
        mayLack = false
        position = found
        heard.append(event.name.rawValue)
    }

    /// What was refetched by then is known. Only where it is the event that comes next which shows that others are missing
    /// (`gap`), and where another log begins (`epoch`), nobody knows up to where.
    private mutating func refetch(_ event: BroadcastEvent) {
        refetches += 1
        if event.staleReason != .backendRestored { mayLack = true }
        guard let found = event.position else { return }
        if found.epoch != position.epoch || found.offset > position.offset { position = found }
    }
}
