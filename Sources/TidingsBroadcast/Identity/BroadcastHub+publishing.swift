import TidingsWire

extension BroadcastHub {
    /// Whether somebody may publish on a channel, as the policy says.
    ///
    /// - Parameters:
    ///   - channel: Any channel.
    ///   - identity: Who it is; nil if nobody is asked.
    public func mayPublish(on channel: ChannelName, identity: Identity?) async -> Bool {
        let question = Gatekeeper.Question(identity: identity, publish: channel)
        if let verdict = gatekeeper.immediateVerdict(on: question) { return verdict.mayPublish }
        // It has no token that could be refused.
        return (try? await gatekeeper.verdict(on: question))?.mayPublish ?? false
    }

    /// Whether an event may be published, whoever does it.
    ///
    /// - Throws: ``BroadcastError/Code/payloadTooLarge``, ``BroadcastError/Code/relayedChannel``.
    package func checkPublishable(_ event: BroadcastEvent) throws(BroadcastError) {
        let (size, most) = (event.payload.json.count, configuration.payloadBytes)
        guard size <= most else {
            throw BroadcastError(
                .payloadTooLarge,
                "The payload of \(event) has \(size) bytes of at most \(most). Send a hint and let clients refetch."
            )
        }
        _ = try sharedBackend(of: event.channel)
    }
}
