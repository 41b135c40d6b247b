public import TidingsWire

/// What somebody wants of a channel: the engine's record of a ``ChannelHold``.
struct ChannelUse: Sendable {
    let identifier: UInt64
    let channel: ChannelName
    /// Which entries go stale; nil for somebody who only wants to hear.
    let rule: InvalidationRule?
    /// Whether it needs to hear only once there is data that can grow stale.
    let isLazy: Bool
    /// When it came. What was asked for after that missed nothing that its rule would not hear of.
    let epoch: QueryEpoch
    /// Whether what is stale is fetched. Otherwise it is only said to be stale.
    var isEnabled = true
    /// Called with each event, in order, on the task that runs the client.
    var onEvent: (@Sendable (BroadcastEvent) -> Void)?
    /// Called when it becomes known whether the server tells of the channel, and each time that this changes.
    var onChange: (@Sendable (_ isSubscribed: Bool) -> Void)?
}

/// Keeps a channel subscribed, for as long as somebody keeps it.
public final class ChannelHold: Sendable {
    /// What is heard.
    public let channel: ChannelName
    private let identifier: UInt64
    private let inbox: SyncInbox

    init(_ use: ChannelUse, in inbox: SyncInbox) {
        channel = use.channel
        identifier = use.identifier
        self.inbox = inbox
        inbox.put(.added(use))
    }

    deinit {
        inbox.put(.removed(identifier))
    }

    /// Whether what is stale is fetched.
    func setEnabled(_ isEnabled: Bool) {
        inbox.put(.enabled(identifier, isEnabled))
    }
}
