import TidingsBroadcast
import TidingsWire

// What generators of clients read to make changes optimistic and to know what an event makes stale.

extension OpenAPIEntity {
    /// The extensions of the entity's first path; the paths below it inherit them.
    var extensions: [JSONNode.Member] { [JSONNode.Member("x-sync", sync)] + stateExtension }

    private var sync: JSONNode {
        [
            "local_first": true,
            "broadcast": .members([
                "channel": hasChannelOfAll ? .string(schema.name) : nil,
                "events": .strings(events),
                "channels": .strings(schema.telling.channels.map(template)),
                "delivery": .string(schema.telling.delivery.name),
                "payload": .string(schema.telling.payload.name),
            ]),
            "entity": .members([
                "name": .string(schema.name),
                "plural": schema.isSingleton ? nil : .string(schema.plural),
                "id": .string(schema.columns[schema.roles.key].name),
                "version": schema.roles.version.map { .string(schema.columns[$0].name) },
                "state": schema.roles.state.map { .string(schema.columns[$0.place].name) },
                "list": schema.isSingleton ? nil : "items",
            ]),
        ]
    }

    private var hasChannelOfAll: Bool {
        schema.telling.channels.contains { if case .all = $0 { true } else { false } }
    }

    /// A channel's name, with fields in braces.
    private func template(_ channel: EntityTelling.Channel) -> String {
        switch channel {
        case .all: schema.name
        case .one: "\(schema.name):{\(schema.columns[schema.roles.key].name)}"
        case .each(let prefix, let place): "\(prefix):{\(schema.columns[place].name)}"
        }
    }

    /// What may be told of it: what is declared, or whatever can happen.
    private var events: [String] {
        if let declared = schema.telling.events { return declared.map(\.rawValue) }
        var events: [EventName] = schema.isSingleton ? [.updated] : [.created, .updated, .deleted]
        if schema.roles.state != nil { events.append(.statusChanged) }
        events += schema.children.flatMap { child in ["added", "updated", "removed"].map(child.event) }
        return events.map(\.rawValue)
    }
}

// MARK: - States

extension OpenAPIEntity {
    /// How it goes from one state to another; nothing if it has no states.
    var stateExtension: [JSONNode.Member] {
        guard let (place, machine) = schema.roles.state else { return [] }
        let transitions = machine.states.map { state in
            JSONNode.Member(state, .strings(machine.allowedTransitions(from: state)))
        }
        let states: JSONNode = [
            "field": .string(schema.columns[place].name), "initial": .string(machine.initial),
            "transitions": .object(transitions),
        ]
        return [JSONNode.Member("x-states", states)]
    }
}

extension ChannelDelivery {
    fileprivate var name: String {
        switch self {
        case .stream: "stream"
        case .snapshot: "snapshot"
        default: "signal"
        }
    }
}

extension EntityPayload {
    fileprivate var name: String {
        switch self {
        case .hint: "hint"
        case .entity: "entity"
        }
    }
}
