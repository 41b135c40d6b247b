import NIOCore
import TidingsWire

/// What a client asks for with the request for its connection: it is heard from the beginning on. A class, for the sake of
/// the many sessions that have none any more.
final class OpeningRequest {
    let subscribe: [ChannelName]
    /// Up to where the client knows the channels.
    let since: [ChannelName: EventPosition]
    /// What was wrong with what it asked for.
    let refused: [WireError]
    /// Whether the client named the channels, and is told which of them it may not hear.
    let isExplicit: Bool
    /// Whether it was decided already that the client may hear them.
    let isDecided: Bool
    /// What the connection begins with: the head of an answer over HTTP.
    let head: ByteBuffer?

    init(
        subscribe: [ChannelName],
        since: [ChannelName: EventPosition] = [:],
        refused: [WireError] = [],
        isExplicit: Bool,
        isDecided: Bool = false,
        head: ByteBuffer? = nil
    ) {
        self.subscribe = subscribe
        self.since = since
        self.refused = refused
        self.isExplicit = isExplicit
        self.isDecided = isDecided
        self.head = head
    }
}

extension WebSocketSession {
    /// Does what the client asked for with its connection, unless it has to say first who it is.
    func performOpening() {
        guard let opening, authentication.allowsRequests else { return }
        guard opening.isDecided else { return perform(ClientMessage()) }
        lookUp(withOpening(ClientMessage()), Gatekeeper.Verdict(subscribe: Set(opening.subscribe)))
    }

    /// A client that had to say who it is first is given what it asked for together with the answer to that.
    func withOpening(_ message: ClientMessage) -> ClientMessage {
        guard let opening, authentication.allowsRequests || message.authentication != nil else { return message }
        var message = message
        message.subscribe = opening.subscribe
        message.since = opening.since
        message.refused += opening.refused
        return message
    }

    /// What the client asked for is done. Of channels that it did not name it is not told which ones it may not hear.
    func endOpening(_ reply: inout ServerReply) {
        guard let opening else { return }
        if !opening.isExplicit { reply.refused.removeAll { $0.code == .forbidden } }
        self.opening = nil
    }
}
