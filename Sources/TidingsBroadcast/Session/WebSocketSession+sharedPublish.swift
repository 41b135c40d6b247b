import NIOCore
import TidingsWire

// What a client publishes, where it goes to a backend first: one that several nodes share, or one with handlers.
extension WebSocketSession {
    /// Publishes what a message asks for through the backend, before the rest of the message is carried out. Until there is
    /// a position what the client asks for waits, so its events keep their order.
    ///
    /// - Parameters:
    ///   - excerpts: What logs that are kept elsewhere say of what the client missed.
    ///   - holds: What has to be followed until the message is carried out.
    func publishShared(
        _ message: ClientMessage,
        _ verdict: Gatekeeper.Verdict,
        _ excerpts: [ChannelName: LogExcerpt] = [:],
        holding holds: [ChannelHold] = []
    ) {
        guard let context, let (publish, event) = sharedPublish(of: message, verdict) else {
            return carryOut(message, verdict, excerpts)
        }
        // A session that is refused together with its token must not have published.
        guard message.authentication == nil || authentication.identity != nil else {
            let error = WireError(.unauthenticated, "Say who you are first, and publish in a message after that.")
            return carryOut(message, verdict, excerpts, published: .failure(error))
        }
        let eventLoop = context.eventLoop
        let session = NIOLoopBound(self, eventLoop: eventLoop)
        let task = Task(executorPreference: shard.hub.configuration.executor) {
            let result = await WebSocketSession.publish(event, by: publish)
            eventLoop.execute {
                withExtendedLifetime(holds) { session.value.published(result, message, verdict, excerpts) }
            }
        }
        consultation = Consultation(task: task, maximumBytes: shard.hub.configuration.clientMessageBytes)
    }

    private func published(
        _ result: Result<EventPosition, WireError>,
        _ message: ClientMessage,
        _ verdict: Gatekeeper.Verdict,
        _ excerpts: [ChannelName: LogExcerpt]
    ) {
        goOn { carryOut(message, verdict, excerpts, published: result) }
    }

    /// What has to be published elsewhere; nil if nothing has, or may.
    private func sharedPublish(
        of message: ClientMessage,
        _ verdict: Gatekeeper.Verdict
    ) -> (BroadcastHub.ClientPublish, BroadcastEvent)? {
        let hub = shard.hub
        guard let request = message.publish, verdict.mayPublish,
            request.payload.json.count <= hub.configuration.payloadBytes,
            let publish = try? hub.clientPublish(on: request.channel)
        else { return nil }
        return (publish, request.event.happened(at: hub.configuration.now()))
    }

    private static func publish(
        _ event: BroadcastEvent,
        by publish: BroadcastHub.ClientPublish
    ) async -> Result<EventPosition, WireError> {
        do {
            return .success(try await publish(event))
        } catch {
            // What is wrong with the backend is not the client's business.
            let message = "The event could not be published now. Try again later."
            return .failure(WireError(.unavailable, message, channel: event.channel.rawValue))
        }
    }
}
