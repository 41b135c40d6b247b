public import TidingsWire

/// Keeps the entries under a key right by what happens on a topic, with a word in it.
///
/// ```swift
/// let sync = RealtimeSync(of: ["gifts", "123"], on: "gift-list:123", debounce: .milliseconds(500), in: client)
/// ```
///
/// It works for as long as somebody keeps it.
public final class RealtimeSync: Sendable {
    private let hold: ChannelHold

    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - key: The entries that it is about: everything at the key and below it.
    ///   - topic: What is heard.
    ///   - events: The events that count; nil is every one.
    ///   - debounce: How long nothing has to happen before what is stale is fetched; at most five times as long is waited
    ///     for that. Nil is to fetch at once, and then not more often than the client's throttle allows.
    ///   - isEnabled: Whether what is stale is fetched: ``setEnabled(_:)``.
    ///   - onSubscribed: Called when the server tells of the topic from here on, each time that it begins to.
    ///   - onUnsubscribed: Called when it does not any more, for as long as it did.
    ///   - onEvent: Gets each event in place of what is done otherwise, to change the cache itself. It may get one that some of
    ///     the entries have already: compare versions. What is being fetched meanwhile is fetched once more, and a topic
    ///     that is stale makes the entries stale all the same. Called on the task that runs the client, in order; not while
    ///     it is switched off.
    ///   - client: Whose cache it is.
    public init(
        of key: QueryKey,
        on topic: ChannelName,
        events: Set<EventName>? = nil,
        debounce: Duration? = nil,
        isEnabled: Bool = true,
        onSubscribed: (@Sendable () -> Void)? = nil,
        onUnsubscribed: (@Sendable () -> Void)? = nil,
        onEvent: (@Sendable (BroadcastEvent, QueryClient) -> Void)? = nil,
        in client: SyncClient
    ) {
        let rule = InvalidationRule(
            prefix: key,
            shape: .whole,
            events: onEvent == nil ? events : [],
            debounce: debounce
        )
        let queries = client.queries
        let hear: @Sendable (BroadcastEvent) -> Void = { event in
            guard let onEvent, !event.isStale, events?.contains(event.name) ?? true else { return }
            onEvent(event, queries)
        }
        let change: @Sendable (Bool) -> Void = { isSubscribed in
            if isSubscribed { onSubscribed?() } else { onUnsubscribed?() }
        }
        hold = client.inbox.hold(
            topic,
            rule,
            isLazy: false,
            isEnabled: isEnabled,
            onEvent: onEvent == nil ? nil : hear,
            onChange: change
        )
    }

    /// Says whether what is stale is fetched. If not, entries are marked as stale, and fetched once when it is enabled
    /// again.
    public func setEnabled(_ isEnabled: Bool) {
        hold.setEnabled(isEnabled)
    }
}
