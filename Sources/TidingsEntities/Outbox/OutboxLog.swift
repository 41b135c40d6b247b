import TidingsBroadcast
import TidingsWire

/// The outbox as the event log of its channels: what a client missed is read from the database.
struct OutboxLog: EventLog {
    let entities: Entities
    private let topicNames: [String: [EventName: String]]

    init(entities: Entities) {
        self.entities = entities
        topicNames = entities.topicNames
    }

    func head() async throws -> EventPosition {
        try await entities.store.read { try OutboxHead.read(on: $0).position }
    }

    func events(
        on channel: ChannelName,
        after position: EventPosition,
        atMost limit: Int
    ) async throws -> EventReplay {
        try await entities.store.read { [topicNames] connection in
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
}
