import NIOCore
import TidingsWire

/// What a client asks for with the request for its connection: it is heard from the beginning on.
struct OpeningRequest {
    var subscribe: [ChannelName]
    /// Up to where the client knows the channels.
    var since: [ChannelName: EventPosition] = [:]
    /// What was wrong with what it asked for.
    var refused: [WireError] = []
    /// Whether the client named the channels, and is told which of them it may not hear.
    let isExplicit: Bool
    /// Whether it was decided already that the client may hear them.
    var isDecided = false
    /// What the connection begins with: the head of an answer over HTTP.
    var head: ByteBuffer?
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
