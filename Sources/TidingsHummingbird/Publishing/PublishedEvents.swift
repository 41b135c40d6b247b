import Hummingbird
import TidingsBroadcast
import TidingsWire

/// The events of a request that publishes: `{"channel", "event", "payload"}`, or `{"events": […]}` with several of them.
enum PublishedEvents {
    /// Reads a body.
    ///
    /// - Parameters:
    ///   - body: What the client sent.
    ///   - most: Events in one request.
    /// - Throws: ``Problem`` that says which event is wrong.
    static func read(_ body: [UInt8], atMost most: Int) throws -> [BroadcastEvent] {
        let node: JSONNode
        do throws(WireError) {
            // An event in an array in the body's object.
            node = try JSONNode(parsing: body, maximumDepth: WireLimits.jsonDepth + 2)
        } catch {
            throw Problem(.badRequest, code: error.code.rawValue, detail: error.message)
        }
        guard case .object = node else { throw shape }
        guard let events = node["events"] else { return [try event(node, at: nil)] }
        guard case .array(let elements) = events, node["channel"] == nil else { throw shape }
        guard !elements.isEmpty else { throw shape }
        guard elements.count <= most else {
            throw Problem(.contentTooLarge, code: "too_large", detail: "A request publishes at most \(most) events.")
        }
        return try elements.enumerated().map { try event($0.element, at: $0.offset) }
    }

    private static func event(_ node: JSONNode, at index: Int?) throws -> BroadcastEvent {
        guard case .string(let channel) = node["channel"], let payload = node["payload"] else { throw shape }
        let name: String
        switch node["event"] {
        case .string(let text): name = text
        case nil: name = EventName.updated.rawValue
        default: throw shape
        }
        do throws(WireError) {
            return BroadcastEvent(
                channel: try ChannelName(channel),
                name: try EventName(name),
                payload: try EventPayload(json: payload.json)
            )
        } catch {
            var problem = Problem(.badRequest, code: error.code.rawValue, detail: error.message)
            if let index { problem.members = [.init("index", .integer(index))] }
            throw problem
        }
    }

    private static let shape = Problem(
        .badRequest,
        code: "bad_request",
        detail: """
            Publish {"channel": "order", "event": "updated", "payload": {…}}, or several of them as {"events": […]}.
            """
    )
}
