public import NIOCore
import Synchronization
public import TidingsWire

/// What a client that asks for an event stream is granted.
public struct EventStreamOpening: Sendable {
    /// The channels that it hears.
    public let granted: [ChannelName]
    /// Why it does not hear the others.
    public let refused: [WireError]
    let identity: Identity?
    let lastEventID: LastEventID?
}

extension BroadcastHub {
    /// Decides what a client may hear over an event stream (server-sent events), before it is answered.
    ///
    /// The task may wait for the channel policy. Nothing is subscribed yet.
    ///
    /// - Parameters:
    ///   - channels: What it asks for. Those beyond ``Configuration/channelsPerSession`` are refused.
    ///   - lastEventID: What it says of up to where it knows them: the value of `Last-Event-ID`; nil if it says nothing. What
    ///     cannot be read there is not recovered.
    ///   - identity: Who it is; nil if nobody is asked.
    public func eventStreamOpening(
        hearing channels: [ChannelName],
        after lastEventID: String? = nil,
        identity: Identity? = nil
    ) async -> EventStreamOpening {
        var seen: Set<ChannelName> = []
        let distinct = channels.filter { seen.insert($0).inserted }
        let most = configuration.channelsPerSession
        let asked = Array(distinct.prefix(most))
        let question = Gatekeeper.Question(identity: identity, subscribe: asked)
        let answer: Gatekeeper.Verdict
        if let verdict = gatekeeper.immediateVerdict(on: question) {
            answer = verdict
        } else {
            // It has no token that could be refused.
            answer = (try? await gatekeeper.verdict(on: question)) ?? Gatekeeper.Verdict()
        }
        let forbidden = asked.filter { !answer.subscribe.contains($0) }.map {
            WireError(.forbidden, "This connection may not subscribe to this channel.", channel: $0.rawValue)
        }
        let tooMany = distinct.dropFirst(most).map {
            WireError(.tooManyChannels, "A connection holds at most \(most) channels.", channel: $0.rawValue)
        }
        return EventStreamOpening(
            granted: asked.filter(answer.subscribe.contains),
            refused: forbidden + tooMany,
            identity: identity,
            lastEventID: lastEventID.map { LastEventID($0) }
        )
    }

    /// Why a new session of a subject is not welcome now; nil if it is. A session that is opened all the same is closed.
    ///
    /// - Parameter subject: Whose session it would be.
    public func refusal(of subject: String) -> CloseCode? {
        state.withLock { state in
            let (most, now) = (configuration.connectionsPerSubject, configuration.now())
            return state.subjects.refusal(of: subject, counting: 1, atMost: most, now: now)?.code
        }
    }

    /// Makes the handler that tells one client what happens, as an event stream, over a connection whose request was read.
    ///
    /// Add it to the end of the channel's pipeline, which has nothing left but the transport and TLS. The session counts
    /// from then on until the channel is closed.
    ///
    /// - Parameters:
    ///   - eventLoop: The channel's event loop. Call this on it.
    ///   - opening: What the client is granted.
    ///   - head: The head of the answer, whose body ends with the connection. It is sent before all else.
    ///   - writesDirectly: Whether bytes may go straight to the channel's socket. Only if no other handler, such as TLS,
    ///     changes them on the way.
    public func makeEventStreamHandler(
        on eventLoop: any EventLoop,
        opening: EventStreamOpening,
        head: ByteBuffer,
        writesDirectly: Bool
    ) -> any ChannelHandler {
        WebSocketSession(
            shard: shard(on: eventLoop),
            writesDirectly: writesDirectly,
            language: .eventStream,
            authentication: opening.identity.map { .identified($0) } ?? .notRequired,
            isCompressed: false,
            opening: OpeningRequest(
                subscribe: opening.granted,
                since: since(opening),
                refused: opening.refused,
                isExplicit: true,
                isDecided: true,
                head: head
            )
        )
    }

    /// Up to where the client knows each channel. One of which it does not say is not recovered.
    private func since(_ opening: EventStreamOpening) -> [ChannelName: EventPosition] {
        guard let known = opening.lastEventID else { return [:] }
        let pairs = opening.granted.map { channel in
            (channel, position(of: channel, in: known) ?? EventPosition(epoch: "unknown", offset: 0))
        }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    private func position(of channel: ChannelName, in known: LastEventID) -> EventPosition? {
        let relay = relay(of: channel)
        if let position = known.position(in: (relay?.memory ?? log).head().epoch) { return position }
        // Which epoch a log has that was not read yet is not known: it is none of the others.
        guard let relay, !relay.hasBegun else { return nil }
        let others = otherEpochs
        return known.positions.first { !others.contains($0.epoch) }
    }

    private var otherEpochs: Set<String> {
        var epochs: Set = [log.head().epoch]
        var relay = firstRelay.load()
        while let known = relay {
            if known.hasBegun { epochs.insert(known.memory.head().epoch) }
            relay = known.next.load()
        }
        return epochs
    }
}
