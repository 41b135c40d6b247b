/// Reads the parts of a client's message. A part that is missing is nothing; one of the wrong type is a mistake of the
/// client, and then nothing of its message holds.
struct RequestReader {
    let object: JSONObject

    /// Reads a message.
    ///
    /// - Parameter example: A message of the dialect, for people.
    init(_ text: [UInt8], example: String) throws(WireError) {
        let object: JSONObject?
        do throws(JSONScanner.Fault) {
            object = try JSONObject(text)
        } catch {
            throw WireError(.badJSON, "The message is not JSON: \(error.message) (byte \(error.offset)).")
        }
        guard let object else {
            throw WireError(.badRequest, "A message is a JSON object, for example \(example).")
        }
        guard object.members.count <= WireLimits.messageMembers else {
            throw WireError(.badRequest, "The message has too many members, more than \(WireLimits.messageMembers).")
        }
        self.object = object
    }

    func string(_ name: String, _ what: String) throws(WireError) -> String? {
        guard let member = object[name] else { return nil }
        guard let string = object.string(of: member) else {
            throw WireError(.badRequest, "\"\(name)\" takes \(what) as a string.")
        }
        return string
    }

    func integer(_ name: String) throws(WireError) -> Int? {
        guard let member = object[name] else { return nil }
        guard let integer = object.integer(of: member) else {
            throw WireError(.badRequest, "\"\(name)\" takes an integer.")
        }
        return integer
    }

    /// Names that are no channel names do not make the message wrong: they go to `refused`.
    func channels(_ name: String, refused: inout [WireError]) throws(WireError) -> [ChannelName] {
        guard let member = object[name] else { return [] }
        guard let names = object.strings(of: member) else {
            throw WireError(.badRequest, "\"\(name)\" takes an array of channel names.")
        }
        return names.compactMap { Self.channel($0, refused: &refused) }
    }

    /// Reads a name; nil if it is no channel name, which goes to `refused`.
    static func channel(_ name: String, refused: inout [WireError]) -> ChannelName? {
        do throws(WireError) {
            return try ChannelName(name)
        } catch {
            refused.append(error)
            return nil
        }
    }
}

// MARK: - Parts of the plain and the extended dialect

extension RequestReader {
    /// The parts that both have.
    func message() throws(WireError) -> ClientMessage {
        var message = ClientMessage()
        message.authentication = try string("auth", "a token")
        message.subscribe = try channels("subscribe", refused: &message.refused)
        message.unsubscribe = try channels("unsubscribe", refused: &message.refused)
        message.publish = try publish(refused: &message.refused)
        message.ping = try integer("ping")
        return message
    }

    /// `event` and `payload` mean something only beside `publish`.
    private func publish(refused: inout [WireError]) throws(WireError) -> PublishRequest? {
        guard let channel = try string("publish", "the name of a channel") else { return nil }
        guard let payload = object["payload"] else {
            throw WireError(.badRequest, "\"publish\" takes a \"payload\" beside it, which is a JSON object.")
        }
        let name = try string("event", "the name of an event").map { (name) throws(WireError) in try EventName(name) }
        let checked = try EventPayload(json: object.json(of: payload))
        return Self.channel(channel, refused: &refused).map {
            PublishRequest(channel: $0, name: name ?? .updated, payload: checked)
        }
    }
}
