public import TidingsWire

/// Makes the entries under a key stale by what happens on a channel, and has those on screens fetched.
///
/// ```swift
/// let invalidation = BroadcastInvalidation(of: ["orders"], on: "order", in: sync)
/// ```
///
/// An event with an `entity_id` is about that entity and about lists; one without, and a channel that is stale, about
/// everything under the key. An entry that has the change already is left alone. It works for as long as somebody keeps it.
public final class BroadcastInvalidation: Sendable {
    private let hold: ChannelHold

    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - prefix: The entries that it is about.
    ///   - channel: What is heard.
    ///   - shape: How keys tell which entity they are about.
    ///   - isEnabled: Whether what is stale is fetched: ``setEnabled(_:)``.
    ///   - client: Whose cache it is.
    public init(
        of prefix: QueryKey,
        on channel: ChannelName,
        shape: EntityKeyShape = .detail,
        isEnabled: Bool = true,
        in client: SyncClient
    ) {
        let rule = InvalidationRule(prefix: prefix, shape: shape)
        hold = client.inbox.hold(channel, rule, isLazy: false, isEnabled: isEnabled)
    }

    /// Says whether what is stale is fetched. If not, events are not lost: entries are marked as stale, and fetched once
    /// when it is enabled again.
    public func setEnabled(_ isEnabled: Bool) {
        hold.setEnabled(isEnabled)
    }
}
