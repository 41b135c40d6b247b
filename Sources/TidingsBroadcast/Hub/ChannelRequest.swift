import TidingsWire

/// A channel that a session asks for.
struct ChannelRequest {
    let channel: ChannelName
    /// Up to where the client knows it; nil if it does not.
    let since: EventPosition?
}

/// What became of it.
struct ChannelOutcome {
    let subscribed: SubscribedChannel
    /// What the client has to be sent before anything else on the channel.
    let missed: [PublishedEvent]
}
