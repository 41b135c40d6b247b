// How the plain and the extended dialect write what both have. Keys that only the extended one has are added by it, and the
// topic dialect has forms of its own.

extension JSONObjectWriter {
    mutating func members(of event: BroadcastEvent) {
        member("channel", event.channel.rawValue)
        member("event", event.name.rawValue)
        member("payload", json: event.payload.json)
    }

    mutating func members(of error: WireError) {
        member("code", error.code.rawValue)
        member("message", error.message)
        if let channel = error.channel { member("channel", channel) }
    }

    mutating func members(of message: ClientMessage, withSince: Bool) {
        if let token = message.authentication { member("auth", token) }
        if !message.subscribe.isEmpty { member("subscribe", message.subscribe.lazy.map(\.rawValue)) }
        if withSince { members(ofSince: message) }
        if !message.unsubscribe.isEmpty { member("unsubscribe", message.unsubscribe.lazy.map(\.rawValue)) }
        if let publish = message.publish {
            member("publish", publish.channel.rawValue)
            if publish.name != .updated { member("event", publish.name.rawValue) }
            member("payload", json: publish.payload.json)
        }
        if let ping = message.ping { member("ping", ping) }
    }

    /// The positions of the channels that are subscribed, in their order.
    private mutating func members(ofSince message: ClientMessage) {
        var positions = message.since
        let since = message.subscribe.compactMap { channel in
            positions.removeValue(forKey: channel).map { (channel, $0) }
        }
        guard !since.isEmpty else { return }
        object("since") {
            for (channel, position) in since { $0.member(channel.rawValue, position.description) }
        }
    }
}

extension BroadcastEvent {
    /// Reads channel, name and payload; nil if the message is no event.
    init?(_ object: JSONObject) {
        guard let payload = object["payload"], payload.kind == .object,
            let channel = object.channel("channel"),
            let name = object.string("event").flatMap({ try? EventName($0) })
        else { return nil }
        self.init(channel: channel, name: name, payload: EventPayload(uncheckedJSON: object.json(of: payload)))
    }
}

extension WireError {
    /// Reads an error; nil if it has no code. A message that it lacks is empty.
    ///
    /// - Parameter channel: The channel that it is about; dialects name it in different places.
    init?(_ object: JSONObject, channel: String?) {
        guard let code = object.string("code") else { return nil }
        self.init(Code(rawValue: code), object.string("message") ?? "", channel: channel)
    }
}

extension JSONObject {
    /// The error of a message that has one.
    var error: WireError? {
        object("error").flatMap { WireError($0, channel: $0.string("channel")) }
    }

    func channel(_ name: String) -> ChannelName? {
        string(name).flatMap { try? ChannelName($0) }
    }
}
