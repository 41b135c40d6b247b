import FoundationEssentials
import TidingsWire

extension Entities {
    /// How long an answer waits for the position of its event.
    private static let positionTimeout: Duration = .seconds(1)

    /// The position of an event that was committed; nil if it is not known in time.
    ///
    /// - Parameter events: What was told.
    func position(of events: WrittenEvents) async -> EventPosition? {
        if let position = events.position { return position }
        guard let event = events.last else { return nil }
        let time = events.time
        if !store.dialect.stampsOnInsert, positions.isServed {
            positions.expect(event)
            defer { positions.forget(event) }
            if let position = try? await storedPosition(of: event, writtenAt: time) { return position }
            return await positions.position(of: event, within: Self.positionTimeout)
        }
        // Where positions are given with the row, one that is not there has been removed.
        if store.dialect.stampsOnInsert { return try? await storedPosition(of: event, writtenAt: time) }
        // Another process may be giving positions at this moment, and have begun before the event was committed.
        let deadline = ContinuousClock.now + Self.positionTimeout
        repeat {
            _ = try? await store.stampOutbox()
            if let position = try? await storedPosition(of: event, writtenAt: time) { return position }
            try? await Task.sleep(for: .milliseconds(5))
        } while !Task.isCancelled && ContinuousClock.now < deadline
        return nil
    }

    private func storedPosition(of event: UUID, writtenAt time: Date) async throws -> EventPosition? {
        try await store.read { connection in
            let rows = try connection.execute(
                "SELECT position FROM sync_outbox WHERE created_at = ? AND event_id = ?",
                [.date(time), .uuid(event)]
            )
            guard let offset = rows.first?[0].integer.flatMap({ UInt64(exactly: $0) }) else { return nil }
            return EventPosition(epoch: try OutboxHead.read(on: connection).epoch, offset: offset)
        }
    }
}
