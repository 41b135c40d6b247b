/// The codec of ``Dialect/plain``.
///
/// ```
/// client → {"subscribe": ["order", "contact"]}
/// server → {"channel": "order", "event": "item_added", "payload": {"entity_id": "42"}}
/// ```
///
/// Of a reply it has words for what was refused, each in an error, and for the pong, which comes last.
enum PlainDialect {}

// MARK: - The server's side

extension PlainDialect: DialectCodec {
    static func decodeClientMessage(_ text: [UInt8]) throws(WireError) -> ClientMessage {
        try RequestReader(text, example: #"{"subscribe": ["order"]}"#).message()
    }

    static func requestIdentifier(of text: [UInt8]) -> RequestIdentifier? { nil }

    static func encode(_ message: ServerMessage) -> [[UInt8]] {
        switch message {
        case .event(let event): [encode(event)]
        case .reply(let reply): reply.refused.map(encode) + (reply.pong.map { [encode(pong: $0)] } ?? [])
        case .error(let error, id: _): [encode(error)]
        case .welcome, .draining: []
        }
    }

    static func encode(_ event: BroadcastEvent) -> [UInt8] {
        JSONObjectWriter.write(capacity: event.payload.json.count + event.channel.rawValue.utf8.count + 64) {
            $0.members(of: event)
        }
    }

    private static func encode(_ error: WireError) -> [UInt8] {
        JSONObjectWriter.write { $0.object("error") { $0.members(of: error) } }
    }

    private static func encode(pong: Int) -> [UInt8] {
        JSONObjectWriter.write { $0.member("pong", pong) }
    }
}

// MARK: - The client's side

extension PlainDialect {
    static func encode(_ message: ClientMessage) -> [[UInt8]] {
        [JSONObjectWriter.write { $0.members(of: message, withSince: false) }]
    }

    static func decodeServerMessage(_ text: [UInt8]) -> ServerMessage? {
        guard let object = JSONObject(message: text) else { return nil }
        if let event = BroadcastEvent(object) { return .event(event) }
        if let error = object.error { return .error(error, id: nil) }
        return object.integer("pong").map { .reply(ServerReply(pong: $0)) }
    }
}
