public import TidingsBroadcast
import TidingsWire

/// What every ``TidingsBroadcast/EventLog`` promises.
public enum EventLogConformance {
    /// Each check needs an empty log of its own, which keeps at least 100 events.
    public static let checks: [ConformanceCheck<any EventLog>] = [
        emptyChannel, growingOffsets, everythingAfterAPosition, onlyTheChannel, nothingMissed, future, otherEpoch,
    ]

    private static let emptyChannel = check("an empty channel has a position, and nothing was missed since") { log in
        let head = try await log.head(of: "order")
        try expect(try await names(of: log, "order", after: head), [], "events after the head")
        _ = try await log.append(event("other", 1))
        try expect(try await names(of: log, "order", after: head), [], "events after another channel's event")
    }

    private static let growingOffsets = check("offsets grow within one epoch") { log in
        var last = try await log.head(of: "order")
        for number in 0..<10 {
            let position = try await log.append(event(number.isMultiple(of: 2) ? "order" : "contact", number))
            try expect(position.epoch, last.epoch, "the epoch")
            guard position.offset > last.offset else { throw ConformanceFailure("\(position) follows \(last)") }
            last = position
        }
        guard try await log.head(of: "order").offset <= last.offset else {
            throw ConformanceFailure("the head is ahead")
        }
    }

    private static let everythingAfterAPosition = check("everything after a position is replayed in order") { log in
        var positions = [try await log.head(of: "order")]
        for number in 0..<20 { positions.append(try await log.append(event("order", number))) }
        for (index, position) in positions.enumerated() {
            let expected = (index..<20).map { "event-\($0)" }
            try expect(try await names(of: log, "order", after: position), expected, "events after \(index) of 20")
        }
    }

    private static let onlyTheChannel = check("other channels are not replayed") { log in
        let start = try await log.head(of: "order")
        for number in 0..<9 { _ = try await log.append(event(number % 3 == 0 ? "order" : "contact", number)) }
        try expect(try await names(of: log, "order", after: start), ["event-0", "event-3", "event-6"], "events")
    }

    private static let nothingMissed = check("after the head nothing was missed") { log in
        _ = try await log.append(event("order", 1))
        let head = try await log.head(of: "order")
        try expect(try await names(of: log, "order", after: head), [], "events after the head")
    }

    private static let future = check("a position of the future is not recoverable") { log in
        let head = try await log.append(event("order", 1))
        let future = EventPosition(epoch: head.epoch, offset: head.offset + 1)
        try await expectLost(log, after: future)
    }

    private static let otherEpoch = check("a position of another epoch is not recoverable") { log in
        let head = try await log.append(event("order", 1))
        try await expectLost(log, after: EventPosition(epoch: head.epoch + "x", offset: head.offset))
    }

    // MARK: Parts

    private static func event(_ channel: ChannelName, _ number: Int) throws -> BroadcastEvent {
        BroadcastEvent(channel: channel, name: try EventName("event-\(number)"), payload: ["number": .integer(number)])
    }

    private static func names(
        of log: any EventLog,
        _ channel: ChannelName,
        after position: EventPosition
    ) async throws -> [String] {
        switch try await log.events(on: channel, after: position) {
        case .events(let events): return events.map(\.name.rawValue)
        case .notRecoverable(let reason): throw ConformanceFailure("\(position) is not recoverable: \(reason.rawValue)")
        }
    }

    private static func expectLost(_ log: any EventLog, after position: EventPosition) async throws {
        if case .events(let events) = try await log.events(on: "order", after: position) {
            throw ConformanceFailure("\(position) was recovered with \(events.count) events")
        }
    }

    private static func check(
        _ description: String,
        _ body: @escaping @Sendable (any EventLog) async throws -> Void
    ) -> ConformanceCheck<any EventLog> {
        ConformanceCheck(description, body: body)
    }
}
