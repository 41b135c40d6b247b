/// How a feed's value stands in a frame of ``Dialect/feed``. On a channel it is always `{"data": …}`.
public struct FeedFrame: Hashable, Sendable {
    private enum Kind {
        case data
        case flat
    }

    private let kind: Kind

    /// `{"type": "system_status_update", "data": {…}}`: for values of any kind.
    public static let data = FeedFrame(kind: .data)

    /// `{"type": "queue_update", "queue_id": "7", "status": "completed"}`: the members of the value stand beside the type.
    /// For values that are JSON objects of at most 255 members, none of them named `type`.
    public static let flat = FeedFrame(kind: .flat)
}

extension FeedFrame {
    /// Writes an event. One that is none of a feed's is written as in the plain dialect.
    package func encode(_ event: BroadcastEvent) -> [UInt8] {
        guard event.name == FeedName.eventName, let name = FeedName(channel: event.channel),
            let payload = try? JSONObject(event.payload.json), let data = payload["data"]
        else { return PlainDialect.encode(event) }
        let flat = kind == .flat && Self.fault(in: event.payload) == nil ? payload.object(of: data) : nil
        return JSONObjectWriter.write(capacity: event.payload.json.count + name.rawValue.utf8.count + 32) {
            $0.member("type", name.rawValue + FeedDialect.typeSuffix)
            if let flat {
                for member in flat.members { $0.member(json: flat.written(member)) }
            } else {
                $0.member("data", json: payload.json(of: data))
            }
        }
    }

    /// Why a payload cannot be told in such a frame, in a sentence; nil if it can.
    package func fault(in payload: EventPayload) -> String? {
        kind == .flat ? Self.fault(in: payload) : nil
    }

    private static func fault(in payload: EventPayload) -> String? {
        guard let object = try? JSONObject(payload.json), let data = object.object("data") else {
            return "The value of a feed with flat frames is a JSON object."
        }
        guard data["type"] == nil else {
            return "The value of a feed with flat frames has no member \"type\": that is the frame's."
        }
        guard data.members.count < WireLimits.messageMembers else {
            return "The value of a feed with flat frames has at most \(WireLimits.messageMembers - 1) members."
        }
        return nil
    }
}
