/// An event as it travels from node to node, and as other programs hand it to the nodes:
///
/// ```
/// {"position":"k3f9:42","before":40,"event":"updated","payload":{"entity_id":"7"},"time":"2026-01-02T03:04:05.678Z"}
/// ```
///
/// Only `event` and `payload` have to be there, and `payload` may be missing. Whoever keeps the log puts `position` and
/// `before` in front; everything else is the same for everybody. The channel is said elsewhere.
package struct NodeMessage: Sendable {
    /// What happened, with its position if it has one.
    package let event: BroadcastEvent
    /// The offset of the event before it on its channel, 0 if there is none; nil if that is not told.
    package let before: UInt64?

    /// Everything but position, `before` and the opening brace: what whoever keeps the log puts those in front of.
    package static func body(of event: BroadcastEvent) -> [UInt8] {
        let object = JSONObjectWriter.write(capacity: event.payload.json.count + 128) {
            $0.member("event", event.name.rawValue)
            $0.member("payload", json: event.payload.json)
            if let time = event.time.flatMap(Timestamp.text) { $0.member("time", time) }
            if let trace = event.traceID { $0.member("trace_id", trace) }
            if let user = event.userID { $0.member("user_id", user) }
            if let name = event.topicName { $0.member("topic_event", name) }
        }
        return Array(object.dropFirst())
    }

    /// Reads a message.
    ///
    /// - Parameters:
    ///   - json: The whole message.
    ///   - channel: Where it is told.
    ///   - maximumPayloadBytes: What a payload may have.
    /// - Throws: ``WireError`` if it is none. Nothing of the message is in it.
    package init(json: [UInt8], on channel: ChannelName, maximumPayloadBytes: Int = .max) throws(WireError) {
        guard let object = JSONObject(message: json) else {
            throw WireError(.badJSON, "A message is one JSON object.")
        }
        guard let name = object.string("event").flatMap({ try? EventName($0) }) else {
            throw WireError(.badRequest, "A message has an \"event\", which is a name.")
        }
        var event = BroadcastEvent(
            channel: channel,
            name: name,
            payload: try Self.payload(of: object, atMost: maximumPayloadBytes)
        )
        event.position = object.position("position")
        event.time = object.string("time").flatMap(Timestamp.date)
        event.traceID = object.string("trace_id")
        event.userID = object.string("user_id")
        event.topicName = object.string("topic_event")
        self.event = event
        before = object["before"].flatMap(object.numeral).flatMap { UInt64($0) }
    }

    private static func payload(of object: JSONObject, atMost limit: Int) throws(WireError) -> EventPayload {
        guard let member = object["payload"] else { return EventPayload() }
        let json = object.json(of: member)
        guard json.count <= limit else { throw WireError(.tooLarge, "A payload has at most \(limit) bytes.") }
        return try EventPayload(json: json)
    }
}
