import TidingsBroadcast
import TidingsWire

/// The outbox as the event log of its channels: what a client missed is read from the database.
struct OutboxLog: EventLog {
    let entities: Entities

    func head() async throws -> EventPosition {
        try await entities.store.read { try OutboxHead.read(on: $0).position }
    }

    func events(
        on channel: ChannelName,
        after position: EventPosition,
        atMost limit: Int
    ) async throws -> EventReplay {
        let topicNames = entities.topicNames
        return try await entities.store.read { connection in
            try OutboxReader(connection: connection, topicNames: topicNames)
                .events(on: channel, after: position, limit: limit)
        }
    }
}

extension Entities {
    /// What the topic dialect calls events, by entity.
    var topicNames: [String: [EventName: String]] {
        Dictionary(uniqueKeysWithValues: catalog.schemas.map { ($0.name, $0.telling.topicNames) })
            .filter { !$0.value.isEmpty }
    }

    /// Whether entities are told of on a channel.
    var tellsOn: @Sendable (ChannelName) -> Bool {
        var names: Set<String> = []
        var prefixes: Set<String> = []
        for schema in catalog.schemas {
            for channel in schema.telling.channels {
                switch channel {
                case .all: names.insert(schema.name)
                case .one: prefixes.insert(schema.name)
                case .each(let prefix, _): prefixes.insert(prefix)
                }
            }
        }
        return { [names, prefixes] channel in
            let name = channel.rawValue
            guard let colon = name.utf8.firstIndex(of: UInt8(ascii: ":")) else { return names.contains(name) }
            return prefixes.contains(String(name[..<colon]))
        }
    }
}
