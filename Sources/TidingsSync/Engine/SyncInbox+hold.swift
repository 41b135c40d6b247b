import TidingsWire

extension SyncInbox {
    /// Makes known that somebody wants to hear a channel, for as long as the result is kept.
    func hold(
        _ channel: ChannelName,
        _ rule: InvalidationRule?,
        isLazy: Bool,
        isEnabled: Bool = true,
        onEvent: (@Sendable (BroadcastEvent) -> Void)? = nil,
        onChange: (@Sendable (_ isSubscribed: Bool) -> Void)? = nil
    ) -> ChannelHold {
        let use = ChannelUse(
            identifier: nextIdentifier(),
            channel: channel,
            rule: rule,
            isLazy: isLazy,
            epoch: epoch(),
            isEnabled: isEnabled,
            onEvent: onEvent,
            onChange: onChange
        )
        return ChannelHold(use, in: self)
    }
}
