/// The codec of ``Dialect/extended``.
///
/// ```
/// client → {"id": 1, "subscribe": ["order", "secret"], "since": {"order": "k3f9:41"}}
/// server → {"id": 1, "subscribed": {"order": {"position": "k3f9:45", "recovered": true}},
///           "errors": {"secret": {"code": "forbidden", "message": "…"}}}
/// server → {"channel": "order", "event": "updated", "payload": {"entity_id": "42"}, "position": "k3f9:46"}
/// ```
///
/// A reply is one message with the identifier of its request. What was refused without the name of a channel, or a second
/// time for another reason, finds no place in the object `errors`: it goes before the reply as an error of its own, which
/// has no identifier, so that a request still has one answer.
enum ExtendedDialect {}

// MARK: - The server's side

extension ExtendedDialect: DialectCodec {
    static func decodeClientMessage(_ text: [UInt8]) throws(WireError) -> ClientMessage {
        let reader = try RequestReader(text, example: #"{"id": 1, "subscribe": ["order"]}"#)
        var message = try reader.message()
        message.id = try reader.identifier()
        try reader.since(into: &message)
        return message
    }

    static func requestIdentifier(of text: [UInt8]) -> RequestIdentifier? {
        (try? JSONObject(text))?.identifier
    }

    static func encode(_ message: ServerMessage) -> [[UInt8]] {
        switch message {
        case .event(let event): [encode(event)]
        case .reply(let reply): encode(reply)
        case .error(let error, let id): [encode(error, id: id)]
        case .welcome(let welcome): [JSONObjectWriter.write { $0.object("welcome") { $0.members(of: welcome) } }]
        case .draining(let time):
            [
                JSONObjectWriter.write {
                    $0.object("draining") { $0.member("reconnect_within_ms", time.wireMilliseconds) }
                }
            ]
        }
    }

    static func encode(_ event: BroadcastEvent) -> [UInt8] {
        JSONObjectWriter.write(capacity: event.payload.json.count + event.channel.rawValue.utf8.count + 160) {
            $0.members(of: event)
            if let position = event.position { $0.member("position", position.description) }
            if let spread = event.spread { $0.member("spread_ms", spread.wireMilliseconds) }
        }
    }

    private static func encode(_ error: WireError, id: RequestIdentifier?) -> [UInt8] {
        JSONObjectWriter.write {
            if let id { $0.member("id", json: id.json) }
            $0.object("error") { $0.members(of: error) }
        }
    }

    private static func encode(_ reply: ServerReply) -> [[UInt8]] {
        let refused = Refused(reply.refused)
        let text = JSONObjectWriter.write { writer in
            if let id = reply.id { writer.member("id", json: id.json) }
            if let authenticated = reply.authenticated {
                writer.object("authenticated") { $0.members(of: authenticated) }
            }
            if !reply.subscribed.isEmpty { writer.object("subscribed") { $0.members(of: reply.subscribed) } }
            if !refused.byChannel.isEmpty { writer.object("errors") { $0.members(of: refused.byChannel) } }
            if !reply.unsubscribed.isEmpty { writer.member("unsubscribed", reply.unsubscribed.lazy.map(\.rawValue)) }
            if let position = reply.published {
                writer.object("published") { $0.member("position", position.description) }
            }
            if let pong = reply.pong { writer.member("pong", pong) }
        }
        return refused.apart.map { encode($0, id: nil) } + [text]
    }

    /// What was refused, by its place in the answer.
    private struct Refused {
        /// The first error of each channel, in order.
        var byChannel: [(channel: String, error: WireError)] = []
        /// What has no channel, and what is different from the first of its channel.
        var apart: [WireError] = []

        init(_ errors: [WireError]) {
            var first: [ExactText: WireError] = [:]
            for error in errors {
                guard let channel = error.channel else {
                    apart.append(error)
                    continue
                }
                if let known = first[ExactText(channel)] {
                    if known != error { apart.append(error) }
                } else {
                    first[ExactText(channel)] = error
                    byChannel.append((channel, error))
                }
            }
        }
    }
}

// MARK: - The client's side

extension ExtendedDialect {
    static func encode(_ message: ClientMessage) -> [[UInt8]] {
        [
            JSONObjectWriter.write {
                if let id = message.id { $0.member("id", json: id.json) }
                $0.members(of: message, withSince: true)
            }
        ]
    }

    static func decodeServerMessage(_ text: [UInt8]) -> ServerMessage? {
        guard let object = JSONObject(message: text) else { return nil }
        if let event = BroadcastEvent(object) { return .event(event.carrying(object)) }
        if let error = object.error { return .error(error, id: object.identifier) }
        if let welcome = object.object("welcome") { return Welcome(welcome).map(ServerMessage.welcome) }
        if let draining = object.object("draining") {
            return draining.duration("reconnect_within_ms").map { .draining(reconnectWithin: $0) }
        }
        let reply = ServerReply(object)
        // Nothing of it was understood: a message of a later version. A request that asked for nothing and has no
        // identifier gets a reply that is just as empty.
        guard reply != ServerReply() || object.members.isEmpty else { return nil }
        return .reply(reply)
    }
}
