import Synchronization
public import TidingsWire

/// Says what happens on a channel to something that is not in the cache: what ``BroadcastInvalidation`` does, without the
/// cache.
///
/// It works for as long as somebody keeps it.
public final class BroadcastSync: Sendable {
    private final class Reactions: Sendable {
        struct State {
            var isEnabled: Bool
            var hasMissed = false
        }

        let state: Mutex<State>
        let onInvalidate: @Sendable (String?) -> Void
        let onStale: @Sendable () -> Void

        init(
            isEnabled: Bool,
            onInvalidate: @escaping @Sendable (String?) -> Void,
            onStale: @escaping @Sendable () -> Void
        ) {
            state = Mutex(State(isEnabled: isEnabled))
            self.onInvalidate = onInvalidate
            self.onStale = onStale
        }

        func hear(_ event: BroadcastEvent) {
            let isEnabled = state.withLock { state in
                if !state.isEnabled { state.hasMissed = true }
                return state.isEnabled
            }
            if isEnabled { onInvalidate(event.isStale ? nil : event.payload.entityID) } else { onStale() }
        }

        func setEnabled(_ isEnabled: Bool) {
            let hasMissed = state.withLock { state in
                state.isEnabled = isEnabled
                guard isEnabled, state.hasMissed else { return false }
                state.hasMissed = false
                return true
            }
            if hasMissed { onInvalidate(nil) }
        }
    }

    private let hold: ChannelHold
    private let reactions: Reactions

    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - channel: What is heard.
    ///   - isEnabled: Which of the functions is called: ``setEnabled(_:)``.
    ///   - onInvalidate: Called with the entity that has changed; nil is any of them. On the task that runs the client, in
    ///     order.
    ///   - onStale: Called instead while it is not enabled.
    ///   - client: Who hears.
    public init(
        on channel: ChannelName,
        isEnabled: Bool = true,
        onInvalidate: @escaping @Sendable (_ entityID: String?) -> Void,
        onStale: @escaping @Sendable () -> Void = {},
        in client: SyncClient
    ) {
        let reactions = Reactions(isEnabled: isEnabled, onInvalidate: onInvalidate, onStale: onStale)
        self.reactions = reactions
        hold = client.inbox.hold(channel, nil, isLazy: false, onEvent: { reactions.hear($0) })
    }

    /// Says whether something is done about what happens. If something happened while nothing was, `onInvalidate` is called
    /// once for all of it, before this returns.
    public func setEnabled(_ isEnabled: Bool) {
        reactions.setEnabled(isEnabled)
    }
}
