/// The dialect of `GET /ws/broadcast`: JSON objects in text messages, one for each thing said.
///
/// ```
/// client → {"subscribe": ["order", "contact"]}
/// server → {"channel": "order", "event": "item_added", "payload": {"entity_id": "42"}}
/// ```
public enum PlainDialect {}

// MARK: - The server's side

extension PlainDialect {
    /// Reads a client's message.
    ///
    /// - Parameter text: The message: valid UTF-8, as RFC 6455 §8.1 demands of a text message.
    /// - Throws: ``WireError``: ``WireError/Code/badJSON``, or ``WireError/Code/badRequest`` when a known key has a
    ///   value of the wrong type; then nothing of the message holds. Unknown keys are ignored.
    public static func decodeClientMessage(_ text: [UInt8]) throws(WireError) -> ClientMessage {
        var message = ClientMessage()
        for member in try object(text) {
            let value = Array(text[member.value])
            switch member.name {
            case "auth": message.authentication = try token(value)
            case "subscribe": message.subscribe = try channels(value, of: member.name, refused: &message.refused)
            case "unsubscribe": message.unsubscribe = try channels(value, of: member.name, refused: &message.refused)
            case "ping": message.ping = try number(value)
            default: break
            }
        }
        return message
    }

    /// Writes what the server says, as JSON text.
    ///
    /// - Parameter message: An event, an error or a pong.
    public static func encode(_ message: ServerMessage) -> [UInt8] {
        var bytes: [UInt8] = []
        switch message {
        case .event(let event):
            bytes.reserveCapacity(event.payload.json.count + event.channel.rawValue.utf8.count + 64)
            append("{", named: "channel", event.channel.rawValue, to: &bytes)
            append(",", named: "event", event.name.rawValue, to: &bytes)
            bytes.append(UInt8(ascii: ","))
            JSONWriter.appendName("payload", to: &bytes)
            bytes.append(contentsOf: event.payload.json)
        case .error(let error):
            bytes.append(UInt8(ascii: "{"))
            JSONWriter.appendName("error", to: &bytes)
            append("{", named: "code", error.code.rawValue, to: &bytes)
            append(",", named: "message", error.message, to: &bytes)
            if let channel = error.channel { append(",", named: "channel", channel, to: &bytes) }
            bytes.append(UInt8(ascii: "}"))
        case .pong(let value):
            bytes.append(UInt8(ascii: "{"))
            JSONWriter.appendName("pong", to: &bytes)
            bytes.append(contentsOf: String(value).utf8)
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}

// MARK: - The client's side

extension PlainDialect {
    /// Reads what a server said; nil if it is nothing that this version knows, which a client ignores.
    ///
    /// - Parameter text: The message: valid UTF-8.
    public static func decodeServerMessage(_ text: [UInt8]) -> ServerMessage? {
        guard let members = try? JSONScanner.members(of: text) else { return nil }
        func member(_ name: String, _ kind: JSONScanner.Kind) -> [UInt8]? {
            members.first { $0.name == name && $0.kind == kind }.map { Array(text[$0.value]) }
        }
        func string(_ name: String) -> String? {
            member(name, .string).flatMap { try? JSONScanner.string(of: $0) }
        }
        if let payload = member("payload", .object),
            let channel = string("channel").flatMap({ try? ChannelName($0) }),
            let name = string("event").flatMap({ try? EventName($0) })
        {
            return .event(BroadcastEvent(channel: channel, name: name, payload: EventPayload(uncheckedJSON: payload)))
        }
        if let error = member("error", .object) { return decodeError(error).map(ServerMessage.error) }
        if let pong = member("pong", .number) { return (try? number(pong)).map(ServerMessage.pong) }
        return nil
    }

    /// Writes what a client says, as JSON text.
    ///
    /// - Parameter message: What it asks for. `refused` is not sent.
    public static func encode(_ message: ClientMessage) -> [UInt8] {
        var bytes = Array("{".utf8)
        func separate() {
            if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        }
        if let token = message.authentication {
            JSONWriter.appendName("auth", to: &bytes)
            JSONWriter.append(token, to: &bytes)
        }
        if !message.subscribe.isEmpty {
            separate()
            JSONWriter.appendName("subscribe", to: &bytes)
            JSONWriter.append(message.subscribe.map(\.rawValue), to: &bytes)
        }
        if !message.unsubscribe.isEmpty {
            separate()
            JSONWriter.appendName("unsubscribe", to: &bytes)
            JSONWriter.append(message.unsubscribe.map(\.rawValue), to: &bytes)
        }
        if let ping = message.ping {
            separate()
            JSONWriter.appendName("ping", to: &bytes)
            bytes.append(contentsOf: String(ping).utf8)
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}

// MARK: - Parts of a message

extension PlainDialect {
    private static func object(_ text: [UInt8]) throws(WireError) -> [JSONScanner.Member] {
        let members: [JSONScanner.Member]?
        do throws(JSONScanner.Fault) {
            members = try JSONScanner.members(of: text)
        } catch {
            throw WireError(.badJSON, "The message is not JSON: \(error.message) (byte \(error.offset)).")
        }
        guard let members else {
            throw WireError(.badRequest, "A message is a JSON object, for example {\"subscribe\": [\"order\"]}.")
        }
        return members
    }

    private static func channels(
        _ value: [UInt8],
        of key: String,
        refused: inout [WireError]
    ) throws(WireError) -> [ChannelName] {
        guard let names = try? JSONScanner.strings(of: value) else {
            throw WireError(.badRequest, "\"\(key)\" takes an array of channel names.")
        }
        var channels: [ChannelName] = []
        for name in names {
            do throws(WireError) {
                channels.append(try ChannelName(name))
            } catch {
                refused.append(error)
            }
        }
        return channels
    }

    private static func token(_ value: [UInt8]) throws(WireError) -> String {
        guard let token = try? JSONScanner.string(of: value) else {
            throw WireError(.badRequest, "\"auth\" takes a token as a string.")
        }
        return token
    }

    private static func number(_ value: [UInt8]) throws(WireError) -> Int {
        guard let number = Int(String(decoding: value, as: UTF8.self)) else {
            throw WireError(.badRequest, "\"ping\" takes an integer.")
        }
        return number
    }

    private static func decodeError(_ text: [UInt8]) -> WireError? {
        guard let members = try? JSONScanner.members(of: text) else { return nil }
        func string(_ name: String) -> String? {
            members.first { $0.name == name && $0.kind == .string }
                .flatMap { try? JSONScanner.string(of: Array(text[$0.value])) }
        }
        guard let code = string("code") else { return nil }
        return WireError(.init(rawValue: code), string("message") ?? "", channel: string("channel"))
    }

    private static func append(
        _ prefix: Unicode.Scalar,
        named name: StaticString,
        _ value: String,
        to bytes: inout [UInt8]
    ) {
        bytes.append(UInt8(ascii: prefix))
        JSONWriter.appendName(name, to: &bytes)
        JSONWriter.append(value, to: &bytes)
    }
}
