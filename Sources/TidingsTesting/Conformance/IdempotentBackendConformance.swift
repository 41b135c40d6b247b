public import TidingsBroadcast
import TidingsWire

/// What every ``TidingsBroadcast/IdempotentBroadcastBackend`` promises besides what every backend and every log does.
public enum IdempotentBackendConformance {
    /// Each check needs a backend of its own, on whose log nobody else publishes.
    public static let checks: [ConformanceCheck<any IdempotentBroadcastBackend>] = [
        again, events, otherRequests, reused, together, otherChannels,
    ]

    private static let again = check("an event that is published again has the position of the first time") { backend in
        let before = try await backend.head()
        let first = try await publish(on: backend, key())
        for _ in 0..<3 { try expect(try await publish(on: backend, key()), first, "the position") }
        try expect(try await published(on: backend, after: before), 1, "events in the log")
    }

    private static let events = check("each event of a request is published once") { backend in
        let before = try await backend.head()
        var first: [EventPosition] = []
        for index in 0..<3 { first.append(try await publish(on: backend, key(index: index))) }
        try expect(Set(first).count, 3, "positions")
        for index in 0..<5 {
            let position = try await publish(on: backend, key(index: index))
            if index < 3 { try expect(position, first[index], "the position of event \(index)") }
        }
        try expect(try await published(on: backend, after: before), 5, "events in the log")
    }

    private static let otherRequests = check("requests of other names have nothing to do with each other") { backend in
        let before = try await backend.head()
        for name in ["1:a:b", "1:a:c", "2:a::b"] { _ = try await publish(on: backend, key(name)) }
        try expect(try await published(on: backend, after: before), 3, "events in the log")
    }

    private static let reused = check("a key that comes with another request is refused, and nobody is told") {
        backend in
        let first = try await publish(on: backend, key())
        for index in 0..<2 {
            do {
                _ = try await publish(on: backend, key(fingerprint: "other", index: index))
                throw ConformanceFailure("the key was taken for another request")
            } catch let error as BroadcastError {
                try expect(error.code, .keyReused, "the code")
            }
        }
        try expect(try await backend.head(), first, "the head")
        try expect(try await publish(on: backend, key()), first, "the position, after the refusals")
    }

    private static let together = check("of many that are published at the same time one is") { backend in
        let before = try await backend.head()
        let positions = try await withThrowingTaskGroup(of: EventPosition.self) { group in
            for _ in 0..<20 { group.addTask { try await publish(on: backend, key()) } }
            var positions: Set<EventPosition> = []
            for try await position in group { positions.insert(position) }
            return positions
        }
        try expect(positions.count, 1, "positions")
        try expect(try await published(on: backend, after: before), 1, "events in the log")
    }

    private static let otherChannels = check("an event on several channels is published once, with one position") {
        backend in
        let before = try await backend.head()
        let first = try await backend.publish(event, alsoOn: ["order:42", "table:7"], once: key())
        let again = try await backend.publish(event, alsoOn: ["order:42", "table:7"], once: key())
        try expect(again, first, "the position")
        try expect(try await published(on: backend, after: before), 1, "events in the log")
    }

    private static let event = BroadcastEvent(channel: "order", name: "created", payload: ["entity_id": "42"])

    private static func key(
        _ request: String = "2:42:import",
        fingerprint: String = "f",
        index: Int = 0
    ) -> PublishingKey {
        PublishingKey(request: request, fingerprint: fingerprint, index: index, retention: .seconds(3600))
    }

    private static func publish(
        on backend: any IdempotentBroadcastBackend,
        _ key: PublishingKey
    ) async throws -> EventPosition {
        try await backend.publish(event, alsoOn: [], once: key)
    }

    /// A log to which nothing else is written counts its events.
    private static func published(
        on backend: any IdempotentBroadcastBackend,
        after position: EventPosition
    ) async throws -> UInt64 {
        try await backend.head().offset - position.offset
    }

    private static func check(
        _ description: String,
        body: @escaping @Sendable (any IdempotentBroadcastBackend) async throws -> Void
    ) -> ConformanceCheck<any IdempotentBroadcastBackend> {
        ConformanceCheck(description, body: body)
    }
}
