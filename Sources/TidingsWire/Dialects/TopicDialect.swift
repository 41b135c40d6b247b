/// The codec of ``Dialect/topic``.
///
/// ```
/// client → {"action": "subscribe", "topic": "gift:456"}
/// server → {"action": "subscribed", "topic": "gift:456"}
/// server → {"topic": "gift:456", "event": "UPDATED", "data": {"entity_id": "456", "payload": {},
///           "user_id": "789", "timestamp": "2026-01-02T03:04:05.678Z"}}
/// ```
///
/// A message is about one topic, so what is asked for, and what is answered, in one message of the others takes several.
enum TopicDialect {}

// MARK: - The server's side

extension TopicDialect: DialectCodec {
    static func decodeClientMessage(_ text: [UInt8]) throws(WireError) -> ClientMessage {
        let reader = try RequestReader(text, example: #"{"action": "subscribe", "topic": "order:42"}"#)
        var message = ClientMessage()
        switch try reader.string("action", "what to do") {
        case "subscribe": message.subscribe = try reader.topic(refused: &message.refused)
        case "unsubscribe": message.unsubscribe = try reader.topic(refused: &message.refused)
        case "ping": message.ping = 0
        case "auth": message.authentication = try reader.token()
        default:
            throw WireError(
                .badRequest,
                #"The "action" of a message is "subscribe", "unsubscribe", "ping" or "auth"."#
            )
        }
        return message
    }

    static func requestIdentifier(of text: [UInt8]) -> RequestIdentifier? { nil }

    static func encode(_ message: ServerMessage) -> [[UInt8]] {
        switch message {
        case .event(let event): [encode(event)]
        case .reply(let reply): encode(reply)
        case .error(let error, id: _): [encode(error)]
        case .welcome, .draining: []
        }
    }

    private static func encode(_ reply: ServerReply) -> [[UInt8]] {
        var texts: [[UInt8]] = []
        if reply.authenticated != nil { texts.append(encode(action: "authenticated")) }
        texts += reply.subscribed.map { encode(action: "subscribed", topic: $0.channel) }
        texts += reply.refused.map(encode)
        texts += reply.unsubscribed.map { encode(action: "unsubscribed", topic: $0) }
        if reply.pong != nil { texts.append(encode(action: "pong")) }
        return texts
    }

    private static func encode(_ error: WireError) -> [UInt8] {
        JSONObjectWriter.write {
            $0.member("action", "error")
            if let topic = error.channel { $0.member("topic", topic) }
            $0.member("code", error.code.rawValue)
            $0.member("message", error.message)
        }
    }

    private static func encode(action: String, topic: ChannelName? = nil) -> [UInt8] {
        JSONObjectWriter.write {
            $0.member("action", action)
            if let topic { $0.member("topic", topic.rawValue) }
        }
    }
}

extension RequestReader {
    /// The one topic of a message, or none if its name is refused.
    fileprivate func topic(refused: inout [WireError]) throws(WireError) -> [ChannelName] {
        guard let topic = try string("topic", "the name of a channel") else {
            throw WireError(.badRequest, "The \"topic\" is missing.")
        }
        return Self.channel(topic, refused: &refused).map { [$0] } ?? []
    }

    fileprivate func token() throws(WireError) -> String {
        guard let token = try string("token", "a token") else {
            throw WireError(.badRequest, "The \"token\" is missing.")
        }
        return token
    }
}

// MARK: - The client's side

extension TopicDialect {
    static func encode(_ message: ClientMessage) -> [[UInt8]] {
        var texts: [[UInt8]] = []
        if let token = message.authentication {
            texts.append(
                JSONObjectWriter.write {
                    $0.member("action", "auth")
                    $0.member("token", token)
                }
            )
        }
        texts += message.subscribe.map { encode(action: "subscribe", topic: $0) }
        texts += message.unsubscribe.map { encode(action: "unsubscribe", topic: $0) }
        if message.ping != nil { texts.append(encode(action: "ping")) }
        return texts
    }

    static func decodeServerMessage(_ text: [UInt8]) -> ServerMessage? {
        guard let object = JSONObject(message: text) else { return nil }
        switch object.string("action") {
        case nil: return decodeEvent(object).map(ServerMessage.event)
        case "subscribed": return object.channel("topic").map { .reply(ServerReply(subscribed: [.init(channel: $0)])) }
        case "unsubscribed": return object.channel("topic").map { .reply(ServerReply(unsubscribed: [$0])) }
        case "pong": return .reply(ServerReply(pong: 0))
        case "authenticated": return .reply(ServerReply(authenticated: Authenticated()))
        case "error": return WireError(object, channel: object.string("topic")).map { .error($0, id: nil) }
        default: return nil
        }
    }
}
