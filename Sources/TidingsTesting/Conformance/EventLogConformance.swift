public import TidingsBroadcast
import TidingsWire

/// What every ``TidingsBroadcast/EventLog`` promises.
public enum EventLogConformance {
    /// A log, and how it is written.
    public struct Subject: Sendable {
        /// What makes the promise.
        public let log: any EventLog
        /// Writes an event, on its own channel, in the way in which events get into this log.
        public let append: @Sendable (BroadcastEvent) async throws -> EventPosition

        /// Takes a log and what writes it.
        ///
        /// - Parameters:
        ///   - log: What makes the promise.
        ///   - append: Writes an event and returns its position, when it can be read.
        public init(
            _ log: some EventLog,
            append: @escaping @Sendable (BroadcastEvent) async throws -> EventPosition
        ) {
            self.log = log
            self.append = append
        }
    }

    /// Each check needs an empty log of its own, which keeps at least 100 events.
    public static let checks: [ConformanceCheck<Subject>] = [
        emptyChannel, growingOffsets, everythingAfterAPosition, onlyTheChannel, nothingMissed, quietChannel, limit,
        future,
        otherEpoch,
    ]

    private static let emptyChannel = check("an empty channel has a position, and nothing was missed since") {
        subject in
        let head = try await subject.log.head()
        try expect(try await names(of: subject, "order", after: head), [], "events after the head")
        _ = try await subject.append(event("other", 1))
        try expect(try await names(of: subject, "order", after: head), [], "events after another channel's event")
    }

    private static let growingOffsets = check("offsets grow within one epoch") { subject in
        var last = try await subject.log.head()
        for number in 0..<10 {
            let position = try await subject.append(event(number.isMultiple(of: 2) ? "order" : "contact", number))
            try expect(position.epoch, last.epoch, "the epoch")
            guard position.offset > last.offset else { throw ConformanceFailure("\(position) follows \(last)") }
            last = position
        }
        try expect(try await subject.log.head(), last, "the head")
    }

    private static let everythingAfterAPosition = check("everything after a position is replayed in order") { subject in
        var positions = [try await subject.log.head()]
        for number in 0..<20 { positions.append(try await subject.append(event("order", number))) }
        for (index, position) in positions.enumerated() {
            let expected = (index..<20).map { "event-\($0)" }
            try expect(try await names(of: subject, "order", after: position), expected, "events after \(index) of 20")
        }
    }

    private static let onlyTheChannel = check("other channels are not replayed") { subject in
        let start = try await subject.log.head()
        for number in 0..<9 { _ = try await subject.append(event(number % 3 == 0 ? "order" : "contact", number)) }
        try expect(try await names(of: subject, "order", after: start), ["event-0", "event-3", "event-6"], "events")
    }

    private static let nothingMissed = check("after the head nothing was missed") { subject in
        _ = try await subject.append(event("order", 1))
        let head = try await subject.log.head()
        try expect(try await names(of: subject, "order", after: head), [], "events after the head")
    }

    private static let quietChannel = check("an answer goes up to the head, also on a quiet channel") { subject in
        let start = try await subject.append(event("order", 1))
        for number in 0..<3 { _ = try await subject.append(event("contact", number)) }
        guard case .events(_, let end) = try await subject.log.events(on: "order", after: start, atMost: 100) else {
            throw ConformanceFailure("\(start) is not recoverable")
        }
        try expect(end, try await subject.log.head(), "the end of the answer")
    }

    private static let limit = check("more than the reader takes is not recoverable, just as much is") { subject in
        let start = try await subject.log.head()
        for number in 0..<3 { _ = try await subject.append(event("order", number)) }
        guard case .events(let events, _) = try await subject.log.events(on: "order", after: start, atMost: 3) else {
            throw ConformanceFailure("three of three are not recoverable")
        }
        try expect(events.count, 3, "the events")
        guard case .notRecoverable(.gap) = try await subject.log.events(on: "order", after: start, atMost: 2) else {
            throw ConformanceFailure("two of three are told for all")
        }
    }

    private static let future = check("a position of the future is not recoverable") { subject in
        let head = try await subject.append(event("order", 1))
        let future = EventPosition(epoch: head.epoch, offset: head.offset + 1)
        try await expectLost(subject, after: future)
    }

    private static let otherEpoch = check("a position of another epoch is not recoverable") { subject in
        let head = try await subject.append(event("order", 1))
        try await expectLost(subject, after: EventPosition(epoch: head.epoch + "x", offset: head.offset))
    }

    // MARK: Parts

    private static func event(_ channel: ChannelName, _ number: Int) throws -> BroadcastEvent {
        BroadcastEvent(channel: channel, name: try EventName("event-\(number)"), payload: ["number": .integer(number)])
    }

    private static func names(
        of subject: Subject,
        _ channel: ChannelName,
        after position: EventPosition
    ) async throws -> [String] {
        switch try await subject.log.events(on: channel, after: position, atMost: 100) {
        case .events(let events, _): return events.map(\.name.rawValue)
        case .notRecoverable(let reason): throw ConformanceFailure("\(position) is not recoverable: \(reason.rawValue)")
        }
    }

    private static func expectLost(_ subject: Subject, after position: EventPosition) async throws {
        if case .events(let events, _) = try await subject.log.events(on: "order", after: position, atMost: 100) {
            throw ConformanceFailure("\(position) was recovered with \(events.count) events")
        }
    }

    private static func check(
        _ description: String,
        _ body: @escaping @Sendable (Subject) async throws -> Void
    ) -> ConformanceCheck<Subject> {
        ConformanceCheck(description, body: body)
    }
}
