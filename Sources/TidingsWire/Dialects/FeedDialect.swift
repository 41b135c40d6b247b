/// The codec of ``Dialect/feed``.
///
/// ```
/// server → {"type": "system_status_update", "data": {"load": 0.5}}
/// server → {"type": "queue_update", "queue_id": "7", "status": "completed"}
/// ```
///
/// Which feeds are heard is said with the request for the connection. What is left to say, who the client is and that it
/// lives, is said as in the plain dialect, and so is what the server has to say besides: errors, pongs, and events of
/// channels that tell no feed.
enum FeedDialect {
    static let typeSuffix = "_update"
}

// MARK: - The server's side

extension FeedDialect: DialectCodec {
    static func decodeClientMessage(_ text: [UInt8]) throws(WireError) -> ClientMessage {
        let reader = try RequestReader(text, example: #"{"ping": 1}"#)
        return ClientMessage(authentication: try reader.string("auth", "a token"), ping: try reader.integer("ping"))
    }

    static func requestIdentifier(of text: [UInt8]) -> RequestIdentifier? { nil }

    static func encode(_ message: ServerMessage) -> [[UInt8]] {
        if case .event(let event) = message { return [encode(event)] }
        return PlainDialect.encode(message)
    }

    static func encode(_ event: BroadcastEvent) -> [UInt8] {
        FeedFrame.data.encode(event)
    }
}

// MARK: - The client's side

extension FeedDialect {
    static func encode(_ message: ClientMessage) -> [[UInt8]] {
        PlainDialect.encode(ClientMessage(authentication: message.authentication, ping: message.ping))
    }

    static func decodeServerMessage(_ text: [UInt8]) -> ServerMessage? {
        guard let object = JSONObject(message: text) else { return nil }
        guard let type = object.string("type") else { return PlainDialect.decodeServerMessage(text) }
        return update(object, type).map(ServerMessage.event)
    }

    /// A frame with nothing but `data` beside its type has the value there; in every other one the members are the value.
    private static func update(_ object: JSONObject, _ type: String) -> BroadcastEvent? {
        guard type.hasSuffix(typeSuffix), let name = try? FeedName(type.dropLast(typeSuffix.count)) else { return nil }
        let members = object.members.filter { $0.name != "type" }
        let json = JSONObjectWriter.write { payload in
            if members.count == 1, let data = object["data"] {
                payload.member("data", json: object.json(of: data))
            } else {
                payload.object("data") { data in
                    for member in members { data.member(json: object.written(member)) }
                }
            }
        }
        guard let payload = try? EventPayload(json: json) else { return nil }
        return BroadcastEvent(channel: name.channel, name: FeedName.eventName, payload: payload)
    }
}
