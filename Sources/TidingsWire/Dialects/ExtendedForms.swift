// How the extended dialect writes and reads the parts that only it has.

// MARK: - A client's message

extension RequestReader {
    /// The identifier of the request.
    func identifier() throws(WireError) -> RequestIdentifier? {
        guard object["id"] != nil else { return nil }
        guard let identifier = object.identifier else {
            throw WireError(
                .badRequest,
                "\"id\" takes a string or an integer of at most \(RequestIdentifier.maximumBytes) bytes."
            )
        }
        return identifier
    }

    /// Reads from where the channels of `subscribe` are to be resumed. What stands there for another channel means
    /// nothing, and what is no position does not make the message wrong.
    func since(into message: inout ClientMessage) throws(WireError) {
        guard let member = object["since"] else { return }
        guard let entries = object.object(of: member) else {
            throw WireError(.badRequest, "\"since\" takes an object that has positions by channel.")
        }
        let subscribed = Set(message.subscribe)
        for entry in entries.members {
            guard let channel = try? ChannelName(entry.name), subscribed.contains(channel) else { continue }
            if let position = entries.string(of: entry).flatMap({ EventPosition($0) }) {
                message.since[channel] = position
            } else {
                message.unreadableSince.insert(channel)
            }
        }
    }
}

extension JSONObject {
    var identifier: RequestIdentifier? {
        self["id"].flatMap { RequestIdentifier($0, of: self) }
    }

    func position(_ name: String) -> EventPosition? {
        string(name).flatMap { EventPosition($0) }
    }

    /// A number of milliseconds.
    func duration(_ name: String) -> Duration? {
        integer(name).flatMap { Duration(wireMilliseconds: $0) }
    }
}

// MARK: - A server's message

extension JSONObjectWriter {
    mutating func members(of welcome: Welcome) {
        member("connection", welcome.connection)
        member("server", welcome.server)
        member("heartbeat_ms", welcome.heartbeat.wireMilliseconds)
        if let authenticated = welcome.authenticated { object("authenticated") { $0.members(of: authenticated) } }
    }

    mutating func members(of authenticated: Authenticated) {
        if let subject = authenticated.subject { member("subject", subject) }
        if let time = authenticated.expiresAt.flatMap(Timestamp.text) { member("expires_at", time) }
    }

    /// A channel that was subscribed twice is written once.
    mutating func members(of subscribed: [SubscribedChannel]) {
        var written: Set<ChannelName> = []
        for one in subscribed where written.insert(one.channel).inserted {
            object(one.channel.rawValue) {
                if let position = one.position { $0.member("position", position.description) }
                $0.member("recovered", one.recovered)
                if let spread = one.spread { $0.member("spread_ms", spread.wireMilliseconds) }
            }
        }
    }

    mutating func members(of errors: [(channel: String, error: WireError)]) {
        for (channel, error) in errors {
            object(channel) {
                $0.member("code", error.code.rawValue)
                $0.member("message", error.message)
            }
        }
    }
}

extension BroadcastEvent {
    /// The event with what the message tells of its way.
    func carrying(_ object: JSONObject) -> BroadcastEvent {
        var event = self
        event.position = object.position("position")
        event.spread = object.duration("spread_ms")
        return event
    }
}

extension Welcome {
    init?(_ object: JSONObject) {
        guard let connection = object.string("connection"), let server = object.string("server"),
            let heartbeat = object.duration("heartbeat_ms")
        else { return nil }
        self.init(
            connection: connection,
            server: server,
            heartbeat: heartbeat,
            authenticated: object.object("authenticated").map { Authenticated($0) }
        )
    }
}

extension ServerReply {
    /// Reads what can be read; the rest is left out.
    init(_ object: JSONObject) {
        self.init(
            id: object.identifier,
            subscribed: object.object("subscribed").map(Self.subscribed) ?? [],
            refused: object.object("errors").map(Self.refused) ?? [],
            unsubscribed: (object.strings("unsubscribed") ?? []).compactMap { try? ChannelName($0) },
            pong: object.integer("pong"),
            authenticated: object.object("authenticated").map { Authenticated($0) },
            published: object.object("published")?.position("position")
        )
    }

    private static func subscribed(_ object: JSONObject) -> [SubscribedChannel] {
        object.members.compactMap { member in
            guard let channel = try? ChannelName(member.name), let value = object.object(of: member) else { return nil }
            return SubscribedChannel(
                channel: channel,
                position: value.position("position"),
                recovered: value.boolean("recovered") ?? false,
                spread: value.duration("spread_ms")
            )
        }
    }

    private static func refused(_ object: JSONObject) -> [WireError] {
        object.members.compactMap { member in
            object.object(of: member).flatMap { WireError($0, channel: member.name) }
        }
    }
}

extension Authenticated {
    fileprivate init(_ object: JSONObject) {
        self.init(
            subject: object.string("subject"),
            expiresAt: object.string("expires_at").flatMap { Timestamp.date($0) }
        )
    }
}
